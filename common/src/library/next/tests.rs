use super::*;
use crate::job::id::JobId;
use crate::names::location::Location;
use crate::recipe::Choice;
use crate::recipe::encoder::Codec;
use crate::rules::facts::VideoFacts;
use crate::testing;

fn input(version: &str) -> Input {
    Input {
        location: Location::s3("media", "films/a.mkv").expect("a location"),
        size: 1000,
        version: version.to_owned(),
    }
}

fn facts(codec: &str) -> Facts {
    Facts {
        location: input("1").location,
        size: 1000,
        modified: None,
        hard_links: None,
        container: "matroska,webm".to_owned(),
        duration: Some(60.0),
        bitrate: None,
        video: Some(VideoFacts {
            codec: codec.to_owned(),
            width: 1920,
            height: 1080,
            ..VideoFacts::default()
        }),
        audio: Vec::new(),
        subtitles: Vec::new(),
    }
}

fn job() -> JobId {
    testing::job(Choice::Codec(Codec::Hevc), 1000).id
}

fn record(state: FileState) -> FileRecord {
    FileRecord::new(input("1"), Some(facts("h264")), state)
}

fn done(after: u64) -> FileState {
    FileState::Done(Done {
        job: job(),
        before: 1000,
        after,
        codec: Some("h264".to_owned()),
        encoder: None,
    })
}

fn why() -> String {
    "because".to_owned()
}

/// What is done about a file of this version.
fn about(version: &str, settled: bool, known: Option<&FileRecord>, job: &Sight) -> Next {
    let input = input(version);
    let seen = Seen {
        input: &input,
        excluded: None,
        has_settled: settled,
    };
    next(seen, known, job, &Rules::default(), Timestamp::UNIX_EPOCH)
}

#[test]
fn new_and_changed_files_are_probed_once_they_have_settled() {
    let ended = Sight::Ended(done(400));
    for known in [
        None,
        Some(record(FileState::Waiting)),
        Some(record(done(400))),
        Some(record(FileState::Failed {
            job: job(),
            why: why(),
        })),
        Some(record(FileState::Cancelled { job: job() })),
        Some(record(FileState::Unreadable { why: why() })),
        Some(record(FileState::Skipped { rule: why() })),
    ] {
        let known = known.as_ref();
        assert_eq!(about("2", false, known, &ended), Next::Settle, "{known:?}");
        assert_eq!(about("2", true, known, &ended), Next::Probe, "{known:?}");
    }
}

#[test]
fn a_known_file_is_what_its_job_says() {
    let queued = || FileState::Queued { job: job() };
    let failed = || FileState::Failed {
        job: job(),
        why: why(),
    };
    let cancelled = || FileState::Cancelled { job: job() };
    let kept = || FileState::Kept {
        job: job(),
        why: why(),
    };
    let refused = || FileState::Refused { why: why() };
    let unreadable = || FileState::Unreadable { why: why() };
    let unknown = || Sight::Unknown;
    let ended = Sight::Ended;
    for (state, sight, wanted) in [
        (FileState::Waiting, unknown(), Next::Enqueue),
        (refused(), unknown(), Next::Enqueue),
        (queued(), Sight::Lives, Next::Stay),
        (queued(), ended(done(400)), Next::Note(done(400))),
        (queued(), ended(kept()), Next::Note(kept())),
        (queued(), ended(failed()), Next::Note(failed())),
        (queued(), ended(cancelled()), Next::Note(cancelled())),
        // The broker has lost the job.
        (queued(), unknown(), Next::Enqueue),
        // Not enqueued again until the file changes or a person retries.
        (failed(), ended(failed()), Next::Stay),
        (cancelled(), ended(cancelled()), Next::Stay),
        (failed(), Sight::Lives, Next::Note(queued())),
        (cancelled(), Sight::Lives, Next::Note(queued())),
        (failed(), ended(done(300)), Next::Note(done(300))),
        (done(400), unknown(), Next::Stay),
        (kept(), unknown(), Next::Stay),
        (done(400), ended(cancelled()), Next::Note(cancelled())),
        (unreadable(), unknown(), Next::Stay),
        // A pattern or a rule was taken back.
        (
            FileState::Excluded { pattern: why() },
            unknown(),
            Next::Enqueue,
        ),
        (FileState::Skipped { rule: why() }, unknown(), Next::Enqueue),
    ] {
        let known = record(state);
        let found = about("1", true, Some(&known), &sight);
        assert_eq!(found, wanted, "{known:?} {sight:?}");
    }
    let unseen = FileRecord::new(input("1"), None, FileState::Excluded { pattern: why() });
    assert_eq!(
        about("1", true, Some(&unseen), &Sight::Unknown),
        Next::Probe
    );
}

#[test]
fn an_excluded_file_is_noted_once() {
    let input = input("1");
    let seen = Seen {
        input: &input,
        excluded: Some("Extras/**"),
        has_settled: false,
    };
    let state = FileState::Excluded {
        pattern: "Extras/**".to_owned(),
    };
    let decide = |known: Option<&FileRecord>| {
        next(
            seen,
            known,
            &Sight::Unknown,
            &Rules::default(),
            Timestamp::UNIX_EPOCH,
        )
    };
    assert_eq!(decide(None), Next::Note(state.clone()));
    assert_eq!(
        decide(Some(&record(FileState::Waiting))),
        Next::Note(state.clone())
    );
    assert_eq!(decide(Some(&record(state))), Next::Stay);
}

#[test]
fn a_probed_file_gets_a_job_unless_it_is_one_of_ours_or_cannot_be_read() {
    let rules = Rules::default();
    let now = Timestamp::UNIX_EPOCH;
    let found = facts("h264");
    assert_eq!(after_probe(Ok(&found), None, &rules, now), Next::Enqueue);
    let made = after_probe(Ok(&found), Some(done(400)), &rules, now);
    assert_eq!(made, Next::Note(done(400)));
    let broken = after_probe(Err(why()), None, &rules, now);
    assert_eq!(broken, Next::Note(FileState::Unreadable { why: why() }));
}
