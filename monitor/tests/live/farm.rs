//! A made-up farm, in messages as the farm's programs write them.

use common::broker::Broker;
use common::farm::card::{Capabilities, Ffmpeg, Host, Proof};
use common::farm::queue::{Lane, Priority};
use common::farm::worker::{Heartbeat, Load};
use common::job::Job;
use common::job::id::{BatchId, JobId};
use common::job::input::Input;
use common::job::run::Run;
use common::job::run::report::Report;
use common::names::location::Location;
use common::names::subject;
use common::names::subject::RUNS;
use common::recipe::encoder::Encoder;
use common::recipe::{Choice, Recipe, VideoEncode};
use common::{testing, wire};
use jiff::Timestamp;

pub(crate) fn encoder(name: &str) -> Encoder {
    name.parse().expect("an encoder's name")
}

/// A job that encodes the object `name` with `by`, an encoder or a codec.
pub(crate) fn job(name: &str, by: &str, size: u64) -> Job {
    let choice = match by.strip_prefix("any_") {
        Some(codec) => Choice::Codec(codec.parse().expect("a codec")),
        None => Choice::Encoder(encoder(by)),
    };
    let at = |bucket: &str| Location::s3("media", &format!("{bucket}/{name}")).expect("a key");
    let input = Input {
        location: at("in"),
        size,
        version: "1".to_owned(),
    };
    let recipe = Recipe::encode(VideoEncode::new(choice)).expect("a sound recipe");
    Job::new(BatchId::new(), input, at("out"), recipe, None)
}

/// The lane that a job goes to.
pub(crate) fn lane(job: &Job, priority: u8) -> Lane {
    Lane {
        queue: job.recipe.queue(),
        priority: Priority::try_from(priority).expect("1 to 10"),
    }
}

/// A heartbeat of a worker that has proved these encoders at these speeds.
pub(crate) fn heartbeat(
    name: &str,
    slots: u32,
    running: Vec<JobId>,
    proved: &[(&str, f32)],
) -> Heartbeat {
    let proved = proved.iter().map(|(name, fps)| {
        let encoder = encoder(name);
        let proof = Proof {
            pixel_formats: vec!["yuv420p".to_owned(), "yuv420p10le".to_owned()],
            fps: *fps,
            sessions: encoder.kind().is_hardware().then_some(3),
            ..testing::proof(&encoder)
        };
        (encoder, proof)
    });
    Heartbeat {
        started: Timestamp::now(),
        at: Timestamp::now(),
        slots,
        running,
        load: Load {
            cpu: 0.5,
            memory_used: 4_000_000_000,
            scratch_free: 200_000_000_000,
            own_memory: 20_000_000,
        },
        card: Capabilities {
            ffmpeg: Ffmpeg {
                version: "5.1.9-0+deb12u1".to_owned(),
                build: "0".repeat(16),
            },
            host: Host {
                name: name.to_owned(),
                os: "Debian 12".to_owned(),
                cpu: "AMD Ryzen 9 7950X".to_owned(),
                cores: 32,
                memory: 64_000_000_000,
            },
            audio: vec!["aac".to_owned(), "libopus".to_owned()],
            ..testing::card(proved)
        },
        ..testing::heartbeat(name, &[])
    }
}

/// The report of a completed job of 40 s: 62.5 fps, 2.5×.
pub(crate) fn report(worker: &str, by: &str) -> Report {
    Report {
        output_size: 3_000_000,
        frames: 1000,
        duration: 40.0,
        total_seconds: 18.0,
        ..testing::report(worker, by, 9_000_000, 16.0)
    }
}

/// The run of a job that a worker has just claimed.
pub(crate) fn claimed(job: Job, worker: &str) -> Run {
    let lane = lane(&job, 5);
    let worker = worker.parse().expect("a name");
    Run::first(job, &lane, 1, worker, Timestamp::now())
}

/// The run of a claimed job that was never enqueued.
pub(crate) fn begun(name: &str, by: &str, worker: &str) -> Run {
    claimed(job(name, by, 9_000_000), worker)
}

/// Writes a run as its owner does, and replaces any earlier run.
pub(crate) async fn write_run(broker: &Broker, run: &Run) {
    let key = subject::kv(RUNS, &subject::run(&run.job.id));
    broker
        .jetstream()
        .publish(key, wire::encode(run))
        .await
        .expect("a connection")
        .await
        .expect("the bucket takes it");
}
