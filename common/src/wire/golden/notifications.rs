//! Samples of hooks, and of what they are told.

use std::collections::BTreeSet;

use bytes::Bytes;
use jiff::Timestamp;
use uuid::Uuid;

use crate::job::id::BatchId;
use crate::names::location::Location;
use crate::notify::delivery::{Answer, Delivery, HookHealth};
use crate::notify::event::EventKind;
use crate::notify::hook::Hook;
use crate::notify::occurrence::{
    BatchDone, Fact, JobCompleted, JobFailed, LibraryFinished, Occurrence, WorkerLost,
};
use crate::notify::template::{Template, TemplateChoice};
use crate::wire;

/// An occurrence of each kind.
fn facts() -> [(&'static str, Fact); 9] {
    let at = |text: &str| Location::from_argument(text).expect("a location");
    let batch: BatchId = "01890a5d-ac96-774b-bcce-b302099a8057"
        .parse()
        .expect("an id");
    let job = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
        .parse()
        .expect("an id");
    let worker = || "w1".parse().expect("a name");
    [
        (
            "delivery",
            Fact::BatchDone(BatchDone {
                batch: Some(batch),
                label: "films".to_owned(),
                library: None,
                folder: Some(at("s3://media/out/")),
                jobs: 4,
                completed: 2,
                kept: 1,
                failed: 1,
                cancelled: 0,
                damaged: 0,
                written: None,
            }),
        ),
        (
            "delivery-written",
            Fact::BatchDone(BatchDone {
                batch: Some(batch),
                label: "films".to_owned(),
                library: None,
                folder: None,
                jobs: 1,
                completed: 1,
                kept: 0,
                failed: 0,
                cancelled: 0,
                damaged: 1,
                written: Some(0),
            }),
        ),
        (
            "delivery-failed",
            Fact::JobFailed(JobFailed {
                job,
                batch,
                label: "films".to_owned(),
                library: None,
                input: at("s3://media/in/a.mp4"),
                output: at("s3://media/out/a.mkv"),
                worker: Some(worker()),
                attempts: 3,
                message: "the input is broken".to_owned(),
            }),
        ),
        (
            "delivery-completed",
            Fact::JobCompleted(JobCompleted {
                job,
                batch,
                label: "films".to_owned(),
                library: None,
                input: at("s3://media/in/a.mp4"),
                output: at("s3://media/out/a.mkv"),
                worker: worker(),
                input_size: 1000,
                output_size: 400,
            }),
        ),
        (
            "delivery-lost",
            Fact::WorkerLost(WorkerLost {
                worker: worker(),
                heard: Timestamp::UNIX_EPOCH,
                jobs: 2,
            }),
        ),
        (
            "delivery-library",
            Fact::LibraryFinished(LibraryFinished {
                library: "films".parse().expect("a name"),
                files: 300,
                refused: 0,
            }),
        ),
        (
            "delivery-library-refused",
            Fact::LibraryFinished(LibraryFinished {
                library: "films".parse().expect("a name"),
                files: 300,
                refused: 2,
            }),
        ),
        (
            "delivery-failed-library",
            Fact::JobFailed(JobFailed {
                job,
                batch,
                label: "library films".to_owned(),
                library: Some("films".parse().expect("a name")),
                input: at("s3://media/in/a.mp4"),
                output: at("s3://media/out/a.mkv"),
                worker: Some(worker()),
                attempts: 3,
                message: "the input is broken".to_owned(),
            }),
        ),
        ("delivery-test", Fact::Test),
    ]
}

pub(super) fn written() -> Vec<(&'static str, Bytes)> {
    let epoch = Timestamp::UNIX_EPOCH;
    let later = Answer::Later {
        error: "answered 500".to_owned(),
        after: None,
    };
    let template = "path = \"/a\"\nbody = '{\"t\": \"{title}\"}'\n[headers]\nX-A = \"{event}\"\n";
    let template = Template::read(template).expect("sound");
    let hook = Hook {
        url: "https://example.org/hook".into(),
        on: BTreeSet::from(EventKind::USUAL),
        template: Some(TemplateChoice::Own(Box::new(template))),
        secret: Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into()),
        only: Some("films".to_owned()),
        added: epoch,
    };
    let plain = Hook::of_command("ntfy://films".into(), epoch);
    let health = HookHealth::default()
        .noted(&Answer::Taken(String::new()), epoch)
        .noted(&later, epoch);
    let waiting = |fact| {
        let occurrence = Occurrence {
            id: Uuid::nil(),
            at: epoch,
            fact,
        };
        Delivery::new(occurrence, epoch)
    };
    let mut files: Vec<_> = facts()
        .into_iter()
        .map(|(name, fact)| (name, wire::encode(&waiting(fact))))
        .collect();
    let sending = waiting(Fact::Test).taken(Uuid::nil(), epoch);
    let sent = sending.concluded(&Answer::Taken(String::new()), epoch);
    let refused = sending.concluded(&Answer::Refused("answered 404".to_owned()), epoch);
    files.extend([
        ("hook", wire::encode(&hook)),
        ("hook-plain", wire::encode(&plain)),
        ("delivery-sending", wire::encode(&sending)),
        ("delivery-sent", wire::encode(&sent)),
        ("delivery-refused", wire::encode(&refused)),
        ("health", wire::encode(&health)),
        ("told", wire::encode(&7u64)),
    ]);
    files
}
