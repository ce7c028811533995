//! What programs of today stored, in `tests/wire`: every later one reads it.
//! Runs are kept for good, and two versions of the programs meet in one farm.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::farm::orders::Order;
use crate::farm::preview::{Foresee, Foreseen, JobFile, Preview, PreviewKind, PreviewRequest};
use crate::farm::queue::{Lane, Priority, Queue};
use crate::farm::retention::Days;
use crate::farm::worker::Heartbeat;
use crate::job::batch::Batch;
use crate::job::changes::{Change, Kind};
use crate::job::event::{Event, What};
use crate::job::failure::Failure;
use crate::job::id::BatchId;
use crate::job::progress::{EncodeProgress, Progress};
use crate::job::run::{Delivered, Run, Stage};
use crate::job::{Fallbacks, Job};
use crate::names::location::Location;
use crate::names::token::Token;
use crate::recipe::Choice;
use crate::recipe::preset::Preset;
use crate::{testing, wire};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire")
}

fn job() -> Job {
    let encoder = "libx265".parse().expect("an encoder");
    let further = "libx264".parse().expect("an encoder");
    let mut job = testing::job(Choice::FirstOf(vec![encoder]), 1000);
    job.fallbacks = Some(Fallbacks {
        queues: vec![Queue::Encoder(further)],
        after: 600,
    });
    job
}

fn runs() -> Vec<(&'static str, Run)> {
    let now = Timestamp::UNIX_EPOCH;
    let job = job();
    let lane = Lane {
        priority: Priority::default(),
        queue: job.recipe.queue(),
    };
    let delivered = Delivered {
        sequence: 7,
        count: 1,
    };
    let worker = "w1".parse().expect("a name");
    let running = Run::first(job, &lane, delivered, worker, now);
    let wait = SignedDuration::from_secs(5);
    let waiting = running.fail(Failure::worker("the disk is full"), wait, now);
    vec![
        ("run-queued", running.hand_back(now)),
        ("run-waiting", waiting),
        (
            "run-failed",
            running.fail(Failure::input("corrupt"), wait, now),
        ),
        ("run-cancelled", running.cancel(now).expect("it may be")),
        (
            "run-completed",
            running.complete(testing::report("w1", "libx265", 1000, 2.0), now),
        ),
        ("run-running", running),
    ]
}

fn written() -> Vec<(&'static str, bytes::Bytes)> {
    fn of(name: &'static str, body: &impl Serialize) -> (&'static str, bytes::Bytes) {
        (name, wire::encode(body))
    }
    let job = job();
    let epoch = Timestamp::UNIX_EPOCH;
    let worker: crate::farm::worker_name::WorkerName = "w1".parse().expect("a name");
    let mut files: Vec<_> = runs().iter().map(|(name, run)| of(name, run)).collect();
    files.extend([
        of("job", &job),
        of("heartbeat", &testing::heartbeat("w1", &["libx265"])),
        of(
            "batch",
            &Batch {
                id: BatchId::new(),
                label: "films".to_owned(),
                jobs: 3,
                enqueued: epoch,
                folder: None,
            },
        ),
        of(
            "batch-folder",
            &Batch {
                id: BatchId::new(),
                label: "films".to_owned(),
                jobs: 3,
                enqueued: epoch,
                folder: Some(Location::s3("media", "out").expect("a location")),
            },
        ),
        of(
            "order",
            &Order {
                paused: true,
                hours: Some("mon-fri 20:00-07:00".parse().expect("hours")),
                since: epoch,
            },
        ),
        of(
            "preset",
            &Preset {
                recipe: job.recipe.clone(),
                note: Some("for the archive".to_owned()),
            },
        ),
        of("default", &"archive".parse::<Token>().expect("a name")),
        of("history", &Days::DEFAULT),
        of(
            "event",
            &Event {
                job: job.id,
                attempt: 1,
                at: epoch,
                what: What::Completed(Box::new(testing::report("w1", "libx265", 1000, 2.0))),
                priority: None,
            },
        ),
        of(
            "progress",
            &Progress {
                job: job.id,
                worker,
                attempt: 1,
                stage: Stage::Encoding,
                fraction: Some(0.5),
                encode: Some(EncodeProgress::default()),
                eta: Some(1.0),
                waits_for: None,
                at: epoch,
            },
        ),
        of(
            "peek",
            &Preview {
                job: job.id,
                side: JobFile::Input,
                what: PreviewKind::Still(1.5),
            },
        ),
        of(
            "foresee",
            &Foresee {
                input: job.input.clone(),
                recipe: job.recipe.clone(),
            },
        ),
        of(
            "foreseen",
            &Foreseen {
                changes: vec![Change::lost(
                    Kind::Captions,
                    0,
                    "closed captions",
                    "libx265 writes none",
                )],
                refused: Some("the input holds no video".to_owned()),
            },
        ),
    ]);
    files
}

fn reads<T: DeserializeOwned>(bytes: &[u8]) -> Result<(), wire::WireError> {
    wire::decode::<T>(bytes).map(drop)
}

#[test]
fn what_is_stored_today_is_read_by_every_later_program() {
    let mut read = 0;
    for file in std::fs::read_dir(folder()).expect("the files are there") {
        let path = file.expect("a file").path();
        let bytes = std::fs::read(&path).expect("a file");
        let name = path.file_stem().expect("a name").to_string_lossy();
        // What follows the first `-` tells one of a kind from the others.
        let kind = name.split('-').next().expect("a kind");
        let result = match kind {
            "run" => reads::<Run>(&bytes),
            "job" => reads::<Job>(&bytes),
            "heartbeat" => reads::<Heartbeat>(&bytes),
            "batch" => reads::<Batch>(&bytes),
            "order" => reads::<Order>(&bytes),
            "preset" => reads::<Preset>(&bytes),
            "default" => reads::<Token>(&bytes),
            "history" => reads::<Days>(&bytes),
            "event" => reads::<Event>(&bytes),
            "progress" => reads::<Progress>(&bytes),
            "peek" | "foresee" => reads::<PreviewRequest>(&bytes),
            "foreseen" => reads::<Foreseen>(&bytes),
            kind => panic!("{kind} is no kind of message"),
        };
        result.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        read += 1;
    }
    assert!(read >= written().len(), "a kind has no file");
}

/// Writes the files of kinds that have none: `cargo test -p ffmpeg-easy-common
/// golden -- --ignored`. What is there is never written again.
#[test]
#[ignore = "writes files"]
fn files_of_new_kinds_are_written() {
    for (name, bytes) in written() {
        let path = folder().join(format!("{name}.json"));
        if !path.exists() {
            std::fs::write(path, bytes).expect("the folder can be written");
        }
    }
}
