//! Samples of libraries, of their scan leases, and of what is known of their files.

use bytes::Bytes;
use jiff::Timestamp;

use crate::job::batch::Batch;
use crate::job::id::BatchId;
use crate::job::input::Input;
use crate::job::replacement::Replacement;
use crate::library::exclude::Exclusions;
use crate::library::file::{Done, FileRecord, FileState, LastCheck};
use crate::library::scan::{DayOfChecks, ScanPhase, ScanRecord, ScanReport};
use crate::library::{Library, Results};
use crate::names::location::Location;
use crate::recipe::encoder::Codec;
use crate::recipe::{Choice, Recipe, VideoEncode};
use crate::rules::facts::{Facts, HdrKind, VideoFacts};
use crate::wire;

fn at(text: &str) -> Location {
    Location::from_argument(text).expect("a location")
}

fn libraries() -> [Library; 2] {
    let recipe = Recipe::encode(VideoEncode::new(Choice::Codec(Codec::Hevc))).expect("sound");
    let folder = Results::Folder(at("s3://media/small"));
    let plain = Library::new(
        at("s3://media/films"),
        recipe,
        folder,
        Timestamp::UNIX_EPOCH,
    );
    let every_field = Library {
        results: Results::Replace(Replacement {
            trash: at("s3://media/trash"),
            days: 30,
            hard_links: Default::default(),
        }),
        preset: Some("archive".parse().expect("a name")),
        schedule: Some("22:00-07:00".parse().expect("hours")),
        exclude: Exclusions::new(["Extras/**"]).expect("a pattern"),
        verify_per_day: 10,
        paused: true,
        asked: Some(Timestamp::UNIX_EPOCH),
        ..plain.clone()
    };
    [plain, every_field]
}

fn scan() -> ScanRecord {
    let now = Timestamp::UNIX_EPOCH;
    ScanRecord {
        worker: "w1".parse().expect("a name"),
        until: now,
        phase: ScanPhase::Probing { done: 3, of: 7 },
        last: Some(ScanReport {
            began: now,
            ended: now,
            files: 12,
            arriving: 1,
            probed: 2,
            enqueued: 3,
            left: 0,
            refused: 0,
            gone: 4,
            unreadable: vec!["file:///films/x: permission denied".to_owned()],
        }),
        problem: Some("the store is away".to_owned()),
        real: Some(at("/mnt/films")),
        real_of: Some(at("/srv/films")),
        checks: DayOfChecks::default().plus(jiff::civil::date(2026, 11, 26), 5),
        held: vec![
            "01890a5d-ac96-774b-bcce-b302099a8057"
                .parse()
                .expect("an id"),
        ],
    }
}

/// A file in each state.
fn files() -> [(&'static str, FileRecord); 10] {
    let job = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
        .parse()
        .expect("an id");
    let why = || "because".to_owned();
    let input = Input {
        location: at("s3://media/films/a.mkv"),
        size: 1000,
        version: "1".to_owned(),
    };
    let facts = Facts {
        location: input.location.clone(),
        size: 1000,
        modified: None,
        hard_links: None,
        container: "matroska,webm".to_owned(),
        duration: Some(60.0),
        bitrate: None,
        video: Some(VideoFacts {
            codec: "h264".to_owned(),
            width: 1920,
            height: 1080,
            hdr: [HdrKind::Pq, HdrKind::Hdr10].into(),
            ..VideoFacts::default()
        }),
        audio: Vec::new(),
        subtitles: Vec::new(),
    };
    let file = |state| FileRecord::new(input.clone(), Some(facts.clone()), state);
    let done = Done {
        job,
        before: 1000,
        after: 400,
        codec: Some("h264".to_owned()),
        encoder: Some("libx265".parse().expect("an encoder")),
    };
    let checked = FileRecord {
        check: LastCheck {
            job: Some(job),
            at: Some(Timestamp::UNIX_EPOCH),
            damage: Some(why()),
        },
        ..file(FileState::Done(done))
    };
    [
        ("file", file(FileState::Waiting)),
        ("file-queued", file(FileState::Queued { job })),
        ("file-done", checked),
        ("file-kept", file(FileState::Kept { job, why: why() })),
        ("file-skipped", file(FileState::Skipped { rule: why() })),
        (
            "file-excluded",
            file(FileState::Excluded { pattern: why() }),
        ),
        ("file-failed", file(FileState::Failed { job, why: why() })),
        ("file-cancelled", file(FileState::Cancelled { job })),
        ("file-refused", file(FileState::Refused { why: why() })),
        (
            "file-unreadable",
            file(FileState::Unreadable { why: why() }),
        ),
    ]
}

fn batch() -> Batch {
    Batch {
        id: BatchId::new(),
        label: "library films".to_owned(),
        jobs: 3,
        enqueued: Timestamp::UNIX_EPOCH,
        folder: Some(Location::s3("media", "out").expect("a location")),
        trash: Vec::new(),
        film: None,
        library: Some("films".parse().expect("a name")),
    }
}

pub(super) fn written() -> Vec<(&'static str, Bytes)> {
    let [plain, every_field] = libraries();
    let mut files: Vec<_> = files()
        .iter()
        .map(|(name, file)| (*name, wire::encode(file)))
        .collect();
    files.push(("library", wire::encode(&plain)));
    // A library of today's commands has its sidecars carried; the file above was written before that could be said.
    files.push(("library-sidecars", wire::encode(&plain)));
    // A library of today's commands has its files split where it pays; the files above were written before that.
    files.push(("library-split", wire::encode(&plain)));
    files.push(("library-replacing", wire::encode(&every_field)));
    files.extend(super::signed::written(&super::rules::job(), &plain));
    files.push(("batch-library", wire::encode(&batch())));
    files.push(("scan", wire::encode(&scan())));
    // Before, a record did not say of which location it told.
    files.push(("scan-place", wire::encode(&scan())));
    files
}
