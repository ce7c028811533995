//! Samples about split jobs.

use bytes::Bytes;
use jiff::Timestamp;

use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::event::Event;
use crate::job::part::Part;
use crate::job::run::Run;
use crate::job::run::report::Report;
use crate::job::split::{
    Chunk, Film, PartReport, PieceReport, Plan, Split, SplitReport, SplitState,
};
use crate::recipe::encoder::Encoder;
use crate::{testing, wire};

/// What is stored about a job that is split, and about its parts.
pub(super) fn written(job: &Job) -> Vec<(&'static str, Bytes)> {
    fn of(name: &'static str, body: &impl wire::Message) -> (&'static str, Bytes) {
        (name, wire::encode(body))
    }
    let now = Timestamp::UNIX_EPOCH;
    let lane = Lane::from_consumer("libx265_p5").expect("a lane");
    let worker = || "w1".parse().expect("a name");
    let plan = plan(&Job {
        split: Split::Every(60),
        ..job.clone()
    });
    let mut state = SplitState::default();
    let made = |header: &str, build: &str| PieceReport {
        header: header.to_owned(),
        build: build.to_owned(),
    };
    let first = made("9f86d081", "7.1-amd64");
    state.complete(Part::Twin(1), Some(&first));
    state.mark(Part::Rest);
    state.compare(&made("60303ae2", "6.0-arm64"));
    let claimed = |part| Run::first(plan.job_of(part), &lane, 7, worker(), now);
    let piece = claimed(Part::Chunk(0));
    let planned = Run::first(plan.job.clone(), &lane, 6, worker(), now);
    let split = planned.split(3, now);
    let report = |split| Report {
        split: Some(split),
        ..testing::report("w1", "libx265", 1000, 2.0)
    };
    let made = PartReport {
        part: Part::Twin(1),
        worker: "w2".parse().expect("a name"),
        attempt: 2,
        frames: 1500,
        encode_seconds: 12.5,
        size: 4096,
    };
    let joined = split.take_over(&lane, 9, made.worker.clone(), now);
    let whole = SplitReport::Whole("it is too short to gain from it".to_owned());
    vec![
        of("plan", &plan),
        of("split", &state),
        of("split-empty", &SplitState::default()),
        of("job-split", &plan.job),
        of("job-chunk", &plan.job_of(Part::Chunk(0))),
        of("job-twin", &plan.job_of(Part::Twin(0))),
        of("job-rest", &plan.job_of(Part::Rest)),
        of("run-chunk", &piece),
        of(
            "run-piece",
            &piece.complete(report(SplitReport::Piece(first)), now),
        ),
        of("run-split", &split),
        of("event-split", &Event::of(&split)),
        of(
            "run-joined",
            &joined.complete(report(SplitReport::Parts(vec![made])), now),
        ),
        of("run-unsplit", &planned.complete(report(whole), now)),
    ]
}

fn plan(job: &Job) -> Plan {
    let encoder: Encoder = "libx265".parse().expect("an encoder");
    let chunk = |start: i64, frames: u64| Chunk {
        start,
        end: start + 1001 * i64::try_from(frames).expect("few"),
        frames,
        decode_from: (start - 48_048).max(0),
        read_from: None,
    };
    Plan {
        job: job.clone(),
        since: job.enqueued,
        queue: "libx265".parse().expect("a queue"),
        priority: Default::default(),
        film: Film {
            stream: 0,
            time_base: (1, 24_000),
            findings: Default::default(),
            stated: Default::default(),
        },
        chunks: vec![chunk(0, 1440), chunk(1_441_440, 900)],
        extension: "mov".parse().expect("an extension"),
        rest: Some("mkv".parse().expect("an extension")),
        proof: testing::proof(&encoder),
        encoder,
        source: None,
        found: None,
    }
}
