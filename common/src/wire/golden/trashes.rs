//! Samples about trashes.

use bytes::Bytes;
use jiff::Timestamp;

use crate::farm::trash::{TrashContents, TrashRequest, TrashedBatch};
use crate::job::Job;
use crate::job::batch::Batch;
use crate::job::id::BatchId;
use crate::job::sidecar::End;
use crate::job::trash::TrashRecord;
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::wire;

/// What is stored and sent about a job that replaces its source.
pub(super) fn written(job: &Job) -> Vec<(&'static str, Bytes)> {
    fn of(name: &'static str, body: &impl wire::Message) -> (&'static str, Bytes) {
        (name, wire::encode(body))
    }
    let epoch = Timestamp::UNIX_EPOCH;
    let record = |sidecars| TrashRecord {
        job: job.id,
        batch: job.batch,
        original: job.input.clone(),
        mode: Some(0o644),
        output: job.output.clone(),
        output_size: 500,
        output_digest: Digest::of(b"output"),
        sidecars,
        replaced: epoch,
        until: epoch,
    };
    vec![
        of(
            "batch-replacing",
            &Batch {
                id: BatchId::new(),
                label: "films".to_owned(),
                jobs: 3,
                enqueued: epoch,
                folder: None,
                trash: vec![Location::s3("media", ".ffmpeg-easy-trash").expect("a location")],
                film: None,
                library: None,
            },
        ),
        of(
            "trash-undo",
            &TrashRequest::Undo {
                job: job.id,
                is_dry: true,
            },
        ),
        of(
            "trash-empty",
            &TrashRequest::Empty {
                trash: Location::s3("media", ".ffmpeg-easy-trash").expect("a location"),
                batch: job.batch,
            },
        ),
        of(
            "trashed",
            &TrashContents {
                batches: vec![TrashedBatch {
                    trash: Location::s3("media", ".ffmpeg-easy-trash").expect("a location"),
                    batch: job.batch,
                    files: 2,
                    bytes: 3000,
                    until: epoch,
                }],
            },
        ),
        of("original", &record(Vec::new())),
        of(
            "original-sidecars",
            &record(vec![End::try_from(".en.srt".to_owned()).expect("sound")]),
        ),
    ]
}
