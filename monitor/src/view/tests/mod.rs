//! The rules of the view, one by one.

mod attention;
mod queues;
mod runs;
mod splits;
mod workers;

use common::broker::{Change, LaneStatus};
use common::farm::queue::{Lane, Priority};
use common::farm::worker::{Away, Heartbeat, WorkerStatus};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::failure::Failure;
use common::job::id::{BatchId, JobId};
use common::job::input::Input as JobInput;
use common::job::kind::{CheckDepth, JobKind};
use common::job::progress::{EncodeProgress, Progress};
use common::job::record::Pending;
use common::job::run::report::Report;
use common::job::run::{Run, Stage};
use common::names::location::Location;
use common::recipe::{Choice, Recipe, VideoEncode};
use common::testing;
use jiff::{SignedDuration, Timestamp};

use super::{Input, View};
use crate::snapshot::attention::{Attention, WaitingJobs};
use crate::snapshot::jobs::JobEnd;
use crate::snapshot::queues::Unserved;
use crate::snapshot::workers::Presence;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).expect("in range")
}

fn job(name: &str) -> Job {
    Job {
        enqueued: at(0),
        ..Job::new(
            BatchId::new(),
            JobInput {
                location: Location::s3("media", &format!("in/{name}")).expect("a key"),
                size: 1000,
                version: "1".to_owned(),
            },
            Location::s3("media", &format!("out/{name}")).expect("a key"),
            Recipe::encode(VideoEncode::new(Choice::Encoder(
                "hevc_nvenc".parse().expect("an encoder"),
            )))
            .expect("a sound recipe"),
            None,
        )
    }
}

fn lane(queue: &str, priority: u8) -> Lane {
    Lane {
        queue: queue.parse().expect("a queue"),
        priority: Priority::try_from(priority).expect("1 to 10"),
    }
}

fn name(name: &str) -> WorkerName {
    name.parse().expect("a name")
}

fn heartbeat(worker: &str, encoders: &[&str]) -> Heartbeat {
    Heartbeat {
        started: at(0),
        at: at(0),
        slots: 2,
        ..testing::heartbeat(worker, encoders)
    }
}

fn heard(view: &mut View, heartbeat: Heartbeat, seconds: i64) {
    let change = Change {
        key: heartbeat.name.clone(),
        value: Some(heartbeat),
        sequence: 1,
        time: Some(at(seconds)),
    };
    view.apply(Input::Worker(Box::new(change)), at(seconds));
}

fn gone(view: &mut View, worker: &str, seconds: i64) {
    let change = Change {
        key: name(worker),
        value: None,
        sequence: 2,
        time: Some(at(seconds)),
    };
    view.apply(Input::Worker(Box::new(change)), at(seconds));
}

fn changed(view: &mut View, run: &Run, sequence: u64) {
    let change = Change {
        key: run.job.id,
        value: Some(run.clone()),
        sequence,
        time: None,
    };
    view.apply(Input::Run(Box::new(change)), at(0));
}

fn running(job: &Job, worker: &str) -> Run {
    Run::first(job.clone(), &lane("hevc_nvenc", 5), 1, name(worker), at(0))
}

fn report(worker: &str) -> Report {
    Report {
        encoder: None,
        output_size: 250,
        frames: 100,
        duration: 4.0,
        total_seconds: 3.0,
        ..testing::report(worker, "libx265", 1000, 2.0)
    }
}

fn waiting(queue: &str, priority: u8, pending: u64) -> LaneStatus {
    LaneStatus {
        lane: lane(queue, priority),
        pending,
        running: 0,
        oldest: Some(at(-i64::from(priority))),
        next: 1,
    }
}

fn is_lost(item: &Attention) -> bool {
    let cause = Presence::Lost;
    matches!(item, Attention::Unavailable { cause: found, .. } if *found == cause)
}
