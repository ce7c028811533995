//! A made-up job that is done in parts, in messages as the farm's programs write them.

use common::job::part::Part;
use common::job::progress::{EncodeProgress, Progress};
use common::job::run::report::Report;
use common::job::run::{Run, Stage};
use common::job::split::{PartReport, Plan, SplitReport};
use common::names::subject;
use common::{testing, wire};
use jiff::Timestamp;

use crate::{Monitor, farm};

/// A film of 1000 frames in chunks of 500, 300, 150 and 50 frames, and its other tracks.
pub(crate) struct SplitJob {
    pub(crate) whole: Run,
    plan: Plan,
}

const CHUNKS: [u64; 4] = [500, 300, 150, 50];

impl SplitJob {
    /// Plans and splits the job.
    pub(crate) async fn begin(monitor: &Monitor, name: &str) -> Self {
        let claimed = farm::begun(name, "libx265", "atelier");
        let plan = testing::plan(&claimed.job, &farm::lane(&claimed.job, 5), &CHUNKS);
        monitor.broker.put_plan(&plan).await.expect("stored");
        let parts = u32::try_from(plan.parts().count()).expect("a few");
        let whole = claimed.split(parts, Timestamp::now());
        farm::write_run(&monitor.broker, &whole).await;
        Self { whole, plan }
    }

    /// A worker claims a part.
    pub(crate) async fn claim(&self, monitor: &Monitor, part: Part, worker: &str) -> Run {
        let worker = worker.parse().expect("a name");
        let job = self.plan.job_of(part);
        let run = Run::first(job, &self.plan.lane(), 1, worker, Timestamp::now());
        farm::write_run(&monitor.broker, &run).await;
        run
    }

    /// The owner of a part completes it.
    pub(crate) async fn complete(&self, monitor: &Monitor, run: &Run) {
        let report = self.report_of(run);
        let done = run.complete(report, Timestamp::now());
        farm::write_run(&monitor.broker, &done).await;
    }

    fn report_of(&self, run: &Run) -> Report {
        let chunk = self.plan.chunk(run.job.id.part());
        Report {
            frames: chunk.map_or(0, |chunk| chunk.frames),
            ..farm::report(run.worker().expect("an owner").as_str(), "libx265")
        }
    }

    /// The job is joined, and completed.
    pub(crate) async fn finish(&self, monitor: &Monitor) {
        let part = |part: Part| PartReport {
            part,
            worker: "atelier".parse().expect("a name"),
            attempt: 1,
            frames: self.plan.chunk(part).map_or(0, |chunk| chunk.frames),
            encode_seconds: 4.0,
            size: 1,
        };
        let report = Report {
            split: Some(SplitReport::Parts(self.plan.parts().map(part).collect())),
            ..farm::report("atelier", "libx265")
        };
        let done = self.whole.complete(report, Timestamp::now());
        farm::write_run(&monitor.broker, &done).await;
    }
}

/// The owner of a part says how far it is.
pub(crate) async fn progress(monitor: &Monitor, run: &Run, fraction: f32, fps: f32) {
    let progress = Progress {
        job: run.job.id,
        worker: run.worker().expect("an owner").clone(),
        attempt: run.attempt,
        stage: Stage::Encoding,
        fraction: Some(fraction),
        encode: Some(EncodeProgress {
            fps,
            speed: fps / 25.0,
            ..EncodeProgress::default()
        }),
        eta: Some(10.0),
        waits_for: None,
        at: Timestamp::now(),
    };
    let subject = subject::progress(&run.job.id);
    let sent = monitor
        .broker
        .client()
        .publish(subject, wire::encode(&progress));
    sent.await.expect("published");
}
