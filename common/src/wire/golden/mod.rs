//! Golden files in `tests/wire/v1`: messages as programs of every version wrote them, which each later program must
//! read. Runs are kept for good, and programs of two versions meet in one farm.
//!
//! A file's name begins with the kind of its message; the part after the first `-` tells the files of a kind apart.
//!
//! More than 12 entries: each holds the samples of one kind of message.

mod autoscalers;
mod forecasts;
mod libraries;
mod notifications;
mod reports;
mod rules;
mod sample_encodes;
mod samples;
mod signed;
mod splits;
mod trashes;

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{VERSION, WireError, decode};
use crate::broker::{Question, ScaleQuestion};
use crate::farm::orders::Order;
use crate::farm::preview::{Forecast, FrameTimes, PreviewRequest};
use crate::farm::retention::Days;
use crate::farm::sample::{SampleRequest, SampleScore};
use crate::farm::trash::{TrashContents, TrashRequest};
use crate::farm::worker::Heartbeat;
use crate::job::Job;
use crate::job::batch::Batch;
use crate::job::event::Event;
use crate::job::master::MasterRecord;
use crate::job::media_info::MediaInfo;
use crate::job::progress::Progress;
use crate::job::run::Run;
use crate::job::split::{Plan, SplitState};
use crate::job::trash::TrashRecord;
use crate::library::Library;
use crate::library::file::FileRecord;
use crate::library::scan::ScanRecord;
use crate::matching::scale::Scale;
use crate::matching::scale::autoscaler::Autoscaler;
use crate::names::token::Token;
use crate::notify::delivery::{Delivery, HookHealth};
use crate::notify::hook::Hook;
use crate::recipe::preset::Preset;

type Read = fn(&[u8]) -> Result<(), WireError>;

/// Every kind of message that is stored or sent in an envelope, with its decoder.
const KINDS: [(&str, Read); 34] = [
    // Streams: `JOBS`, `DEAD` (a run), `EVENTS`.
    ("job", read::<Job>),
    ("event", read::<Event>),
    // Buckets: `runs`, `workers`, `control`, `batches`, `outputs`, `settings`.
    ("run", read::<Run>),
    ("heartbeat", read::<Heartbeat>),
    ("order", read::<Order>),
    ("batch", read::<Batch>),
    ("master", read::<MasterRecord>),
    ("preset", read::<Preset>),
    ("default", read::<Token>),
    ("history", read::<Days>),
    // Bucket: `plans`.
    ("plan", read::<Plan>),
    ("split", read::<SplitState>),
    // Buckets: `libraries`, `files`.
    ("library", read::<Library>),
    ("scan", read::<ScanRecord>),
    ("file", read::<FileRecord>),
    // Buckets: `hooks`, `notifications`.
    ("hook", read::<Hook>),
    ("delivery", read::<Delivery>),
    ("health", read::<HookHealth>),
    ("told", read::<u64>),
    // Bucket: `autoscalers`.
    ("autoscaler", read::<Autoscaler>),
    // Requests and their answers: `owner` and `lift`, `peek`, `sample`, `scale`.
    ("scaling", read::<ScaleQuestion>),
    ("scale", read::<Scale>),
    ("question", read::<Question>),
    ("answer", read::<bool>),
    ("peek", read::<PreviewRequest>),
    ("media", read::<MediaInfo>),
    ("times", read::<FrameTimes>),
    ("foresee", read::<PreviewRequest>),
    ("foreseen", read::<Forecast>),
    ("sample", read::<SampleRequest>),
    ("score", read::<SampleScore>),
    ("trash", read::<TrashRequest>),
    ("trashed", read::<TrashContents>),
    // A file in a trash.
    ("original", read::<TrashRecord>),
];

/// Messages that are not stored: `progress`.
const LIVE: (&str, Read) = ("progress", read::<Progress>);

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<(), WireError> {
    decode::<T>(bytes).map(drop)
}

fn kinds() -> impl Iterator<Item = (&'static str, Read)> {
    KINDS.into_iter().chain([LIVE])
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire/v1")
}

/// The files of a kind, with their names.
fn files(kind: &str) -> Vec<(String, Vec<u8>)> {
    let folder = std::fs::read_dir(folder()).expect("the files are there");
    folder
        .map(|file| file.expect("a file").path())
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy();
            (name.into_owned(), std::fs::read(&path).expect("a file"))
        })
        .filter(|(name, _)| name.split('-').next() == Some(kind))
        .collect()
}

#[test]
fn golden_files_can_be_decoded() {
    for (kind, read) in kinds() {
        let files = files(kind);
        assert!(!files.is_empty(), "{kind} has no file");
        for (name, bytes) in files {
            read(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

#[test]
fn every_file_is_of_a_kind_and_every_shape_has_a_file() {
    let known: usize = kinds().map(|(kind, _)| files(kind).len()).sum();
    let there = std::fs::read_dir(folder()).expect("the files are there");
    let there = there
        .map(|file| file.expect("a file").path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"));
    assert_eq!(there.count(), known, "a file is of no kind");
    for (name, _) in samples::written() {
        let path = folder().join(format!("{name}.json"));
        assert!(path.exists(), "{name} has no file");
    }
}

#[test]
fn newer_and_broken_messages_of_any_kind_are_told_apart() {
    for (kind, read) in kinds() {
        for (name, bytes) in files(kind) {
            let mut newer: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            newer["v"] = (VERSION + 1).into();
            let bodies = [
                newer.to_string(),
                format!("{{\"v\":{},\"body\":[null]}}", VERSION + 1),
            ];
            for newer in bodies {
                let error = read(newer.as_bytes()).expect_err(&name);
                let is_newer = matches!(error, WireError::Newer { found } if found == VERSION + 1);
                assert!(is_newer, "{name}: {error}");
            }
            let torn = &bytes[..bytes.len() / 2];
            let other = format!("{{\"v\":{VERSION},\"body\":[null]}}");
            for broken in [torn, other.as_bytes(), b"", b"hello", b"{}"] {
                let error = read(broken).expect_err(&name);
                let is_broken = matches!(error, WireError::Malformed(_));
                assert!(is_broken, "{name}: {error}");
            }
        }
    }
}

/// Writes files for shapes that have none: `cargo test -p ffmpeg-easy-common golden -- --ignored`. An existing file
/// is never written again.
#[test]
#[ignore = "writes files"]
fn files_of_new_shapes_are_written() {
    for (name, bytes) in samples::written() {
        let path = folder().join(format!("{name}.json"));
        if !path.exists() {
            std::fs::write(path, bytes).expect("the folder can be written");
        }
    }
}
