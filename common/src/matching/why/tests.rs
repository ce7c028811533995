use jiff::{SignedDuration, Timestamp};

use super::cause::*;
use super::judge::*;
use crate::farm::orders::{Order, Orders, Target};
use crate::farm::queue::Lane;
use crate::farm::worker::{Heartbeat, WorkerStatus};
use crate::job::Job;
use crate::job::failure::Failure;
use crate::job::record::{JobRecord, Pending, QueueAhead};
use crate::job::run::Run;
use crate::job::run::report::Report;
use crate::matching::outlook::Outlook;
use crate::matching::parts::SplitSum;
use crate::names::location::Location;
use crate::recipe::Choice;
use crate::testing::{heartbeat, job, report};

fn encoder(name: &str) -> crate::recipe::encoder::Encoder {
    name.parse().expect("an encoder")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn x265() -> Job {
    job(Choice::Encoder(encoder("libx265")), 1000)
}

fn pending(job: Job, queue: &str) -> JobRecord {
    JobRecord::Pending(Box::new(Pending {
        queue: queue.parse().expect("a queue"),
        job,
        priority: crate::farm::queue::Priority::default(),
        sequence: 7,
    }))
}

fn paused(target: Target) -> Orders {
    let order = Order {
        paused: true,
        hours: None,
        since: at(0),
    };
    [(target, order)].into_iter().collect()
}

fn ahead(jobs: u64) -> QueueAhead {
    QueueAhead {
        jobs,
        is_exact: true,
    }
}

struct Farm {
    record: JobRecord,
    workers: Vec<Heartbeat>,
    controls: Orders,
    opens: Option<(Lane, Timestamp)>,
    ahead: QueueAhead,
    running: Vec<Run>,
    reports: Vec<Report>,
    parts: Option<SplitSum>,
}

impl Farm {
    fn of(record: JobRecord, workers: Vec<Heartbeat>) -> Self {
        Self {
            record,
            workers,
            controls: Orders::default(),
            opens: None,
            ahead: ahead(0),
            running: Vec::new(),
            reports: Vec::new(),
            parts: None,
        }
    }

    fn why(&self) -> Why {
        let scene = WhyContext {
            record: &self.record,
            lanes: &[],
            opens: self.opens.as_ref(),
            workers: &self.workers,
            controls: &self.controls,
            parts: self.parts.as_ref(),
        };
        let work = scene.work(self.ahead, &self.running, &self.reports, at(100));
        scene.why(self.ahead, &work, at(100))
    }

    fn sentence(&self) -> String {
        self.why().to_string()
    }
}

fn waiting(workers: Vec<Heartbeat>) -> Farm {
    Farm::of(pending(x265(), "libx265"), workers)
}

#[test]
fn pauses_come_first() {
    let mut farm = waiting(vec![heartbeat("w1", &["libx265"])]);
    let batch = farm.record.job().batch;
    farm.controls = paused(Target::Batch(batch));
    assert!(matches!(farm.why().cause, Cause::BatchPaused { .. }));
    farm.controls = paused(Target::Queue("libx265".parse().expect("a queue")));
    assert_eq!(
        farm.sentence(),
        "the queue libx265 is paused: `producer resume --queue libx265` ends that"
    );
    farm.controls = paused(Target::Queue("libx264".parse().expect("a queue")));
    assert!(matches!(farm.why().cause, Cause::Next { .. }));
}

#[test]
fn a_pinned_job_waits_for_its_worker_only() {
    let workers = vec![heartbeat("w1", &["libx265"])];
    let farm = Farm::of(pending(x265(), "on_w2"), workers.clone());
    let offline = farm.sentence();
    assert!(offline.starts_with("pinned to worker w2, which is not alive"));
    let farm = Farm::of(pending(x265(), "on_w1"), workers);
    assert!(matches!(farm.why().cause, Cause::Next { .. }));
}

#[test]
fn a_job_that_no_encoder_of_its_codec_can_do_here_is_not_next() {
    let mut ten_bit = job(Choice::Codec(crate::recipe::encoder::Codec::Hevc), 1000);
    let edited = ten_bit.recipe.edit(|draft| {
        if let crate::recipe::Video::Encode(video) = &mut draft.video {
            video.bit_depth = Some(crate::recipe::BitDepth::Ten);
        }
    });
    ten_bit.recipe = edited.expect("sound");
    let workers = vec![heartbeat("w1", &["hevc_nvenc", "hevc_qsv"])];
    let farm = Farm::of(pending(ten_bit, "any_hevc"), workers);
    let why = farm.why();
    assert!(matches!(why.cause, Cause::Unproved { .. }), "{why}");
    assert_eq!(
        why.to_string(),
        "no live worker can run it (w1: hevc_nvenc has not proved 10 bit here)"
    );
}

#[test]
fn an_unproved_encoder_is_named_with_alternatives() {
    assert_eq!(waiting(Vec::new()).sentence(), "no worker is alive");
    let farm = waiting(vec![heartbeat("gpu", &["hevc_nvenc"])]);
    assert_eq!(
        farm.sentence(),
        "no live worker can run it (gpu: libx265 is not in its ffmpeg, or left out by its \
         --encoders); proved instead: hevc_nvenc (on gpu)"
    );
}

#[test]
fn only_the_nearest_workers_are_named() {
    let mut parted = heartbeat("w1", &["libx265"]);
    parted.away = vec![crate::farm::worker::Away {
        place: Location::s3("media", "").expect("a bucket"),
        since: at(60),
        error: "403 Forbidden".to_owned(),
        only_writing: false,
    }];
    let farm = waiting(vec![parted]);
    assert_eq!(
        farm.sentence(),
        "held, and resumes by itself once what it needs is back \
         (w1: cannot reach s3://media/ since 1970-01-01T00:01:00Z: 403 Forbidden)"
    );
    let cannot = heartbeat("gpu", &["hevc_nvenc"]);
    let mut small = heartbeat("small", &["libx265"]);
    small.terms.max_size = Some(10);
    let farm = waiting(vec![cannot.clone(), small.clone()]);
    assert_eq!(
        farm.sentence(),
        "no worker that could run it takes it (small: takes no inputs above 10 bytes)"
    );
    let mut resting = heartbeat("night", &["libx265"]);
    resting.status = WorkerStatus::OffHours;
    resting.until = Some(at(3600));
    let farm = waiting(vec![cannot, small, resting]);
    assert_eq!(
        farm.sentence(),
        "the only worker that could run it takes no jobs just now \
         (night: off hours until 1970-01-01T01:00:00Z)"
    );
}

#[test]
fn a_resting_worker_is_named_with_the_way_to_resume_it() {
    let resting = |name: &str, status, until| {
        let mut worker = heartbeat(name, &["libx265"]);
        worker.status = status;
        worker.until = until;
        worker
    };
    let night = resting("night", WorkerStatus::OffHours, Some(at(3600)));
    let ill = resting("ill", WorkerStatus::Quarantined, Some(at(60)));
    let farm = waiting(vec![night, ill]);
    assert_eq!(
        farm.sentence(),
        "the workers that could run it take no jobs just now \
         (night: off hours until 1970-01-01T01:00:00Z; \
         ill: quarantined, and proves its encoders again at 1970-01-01T00:01:00Z); \
         `producer resume ill` has it take them now"
    );
    let trying = resting("ill", WorkerStatus::Quarantined, None);
    assert_eq!(
        waiting(vec![trying]).sentence(),
        "the only worker that could run it takes no jobs just now \
         (ill: quarantined, and is proving its encoders); \
         `producer resume ill` has it take them now"
    );
    // A worker that drains without an order is stopping.
    let mut farm = waiting(vec![resting("w1", WorkerStatus::Draining, None)]);
    assert!(farm.sentence().ends_with("(w1: draining)"));
    farm.controls = paused(Target::Worker("w1".parse().expect("a name")));
    assert!(farm.sentence().contains("`producer resume w1`"));
}

#[test]
fn a_job_in_line_tells_the_jobs_before_it_and_an_estimate() {
    let mut busy = heartbeat("w1", &["libx265"]);
    busy.running = vec![x265().id];
    let mut farm = waiting(vec![busy]);
    assert_eq!(
        farm.sentence(),
        "the only worker for it is busy, and it is the next one"
    );
    farm.ahead = ahead(2);
    // A report of another encoder says nothing about this queue.
    farm.reports = vec![report("w1", "libx264", 1000, 1.0)];
    assert!(farm.sentence().ends_with("2 jobs go before it"));
    // A minute each, and the running job is half done.
    farm.reports.push(report("w1", "libx265", 1000, 60.0));
    let lane = Lane {
        queue: "libx265".parse().expect("a queue"),
        priority: crate::farm::queue::Priority::default(),
    };
    let worker = "w1".parse().expect("a name");
    farm.running = vec![Run::first(x265(), &lane, 1, worker, at(70))];
    assert_eq!(
        farm.sentence(),
        "the only worker for it is busy, and 2 jobs go before it; it starts in about 2m 30s"
    );
    farm.ahead.is_exact = false;
    assert!(farm.sentence().contains("about 2 jobs go before it"));
}

#[test]
fn a_fallback_queue_is_named_until_it_opens() {
    let encoders = vec![encoder("hevc_nvenc"), encoder("libx265")].try_into();
    let choice = Choice::FirstOf(encoders.expect("one codec"));
    let cpu = heartbeat("cpu", &["libx265"]);
    let mut farm = Farm::of(pending(job(choice, 1), "hevc_nvenc"), vec![cpu]);
    let lane = Lane::from_consumer("libx265_p5").expect("a lane");
    farm.opens = Some((lane.clone(), at(160)));
    let sentence = farm.sentence();
    assert!(sentence.starts_with("no live worker can run it (cpu: hevc_nvenc"));
    assert!(
        sentence.ends_with("the queue libx265 is opened to it at 1970-01-01T00:02:40Z"),
        "{sentence}"
    );
    let lanes = [Lane::from_consumer("hevc_nvenc_p5").expect("a lane"), lane];
    let scene = WhyContext {
        record: &farm.record,
        lanes: &lanes,
        opens: None,
        workers: &farm.workers,
        controls: &farm.controls,
        parts: None,
    };
    let why = scene.why(farm.ahead, &Outlook::default(), at(200));
    assert!(matches!(why.cause, Cause::Next { .. }), "{why}");
}

#[test]
fn the_run_of_a_job_tells_its_cause() {
    let worker = heartbeat("w1", &["libx265"]);
    let lane = Lane::from_consumer("libx265_p5").expect("a lane");
    let run = Run::first(x265(), &lane, 1, worker.name.clone(), at(90));
    let sentence = |run: &Run, workers: &[Heartbeat]| {
        Farm::of(JobRecord::Run(Box::new(run.clone())), workers.to_vec()).sentence()
    };
    let alive = [worker];
    assert_eq!(
        sentence(&run, &alive),
        "running on w1 since 1970-01-01T00:01:30Z"
    );
    assert!(sentence(&run, &[]).contains("w1 gives no sign of life"));
    let failure = Failure::passing("the store gave no answer");
    let failed = run.fail(failure, SignedDuration::from_secs(20), at(95));
    assert_eq!(
        sentence(&failed, &alive),
        "waiting until 1970-01-01T00:01:55Z to be tried again, as it failed on w1: \
         the store gave no answer"
    );
    let mut dead = run.clone();
    dead.job.attempts = 1;
    let dead = dead.fail(Failure::worker("disk full"), SignedDuration::ZERO, at(95));
    assert!(sentence(&dead, &alive).starts_with("failed for good after 1 attempt: disk full"));
    let done = run.complete(report("w1", "libx265", 1000, 5.0), at(99));
    assert_eq!(
        sentence(&done, &alive),
        "completed by w1 at 1970-01-01T00:01:39Z"
    );
}

#[test]
fn a_split_job_tells_how_its_parts_stand_and_what_holds_them() {
    let worker = heartbeat("w1", &["libx265"]);
    let lane = Lane::from_consumer("libx265_p5").expect("a lane");
    let run = Run::first(x265(), &lane, 1, worker.name.clone(), at(90)).split(13, at(95));
    let mut farm = Farm::of(JobRecord::Run(Box::new(run)), vec![worker]);
    farm.parts = Some(SplitSum {
        parts: 13,
        done: 4,
        running: 2,
        waiting: 7,
        ..SplitSum::default()
    });
    let plain = "split into 13 parts at 1970-01-01T00:01:35Z: 4 done, 2 running, 7 waiting";
    assert_eq!(farm.sentence(), plain);
    farm.controls = paused(Target::Queue("libx265".parse().expect("a queue")));
    assert_eq!(
        farm.sentence(),
        format!(
            "{plain}; the queue libx265 is paused: `producer resume --queue libx265` ends that"
        )
    );
    farm.controls = paused(Target::Batch(farm.record.job().batch));
    assert!(farm.sentence().contains("its batch is paused"));
    farm.controls = Orders::default();
    farm.workers.clear();
    assert_eq!(farm.sentence(), format!("{plain}; no worker is alive"));
    // What only runs is held by nothing.
    farm.parts = Some(SplitSum {
        parts: 13,
        done: 11,
        running: 2,
        ..SplitSum::default()
    });
    assert!(farm.sentence().ends_with("11 done, 2 running, 0 waiting"));
}
