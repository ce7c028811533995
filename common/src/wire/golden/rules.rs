//! Samples of jobs with rules.

use bytes::Bytes;
use jiff::Timestamp;

use crate::farm::preview::{Forecast, ForecastRequest, PreviewRequest};
use crate::farm::queue::{Lane, Priority, Queue};
use crate::job::Job;
use crate::job::kind::{CheckDepth, JobKind};
use crate::job::media_info::{MediaInfo, TrackInfo};
use crate::job::replacement::{HardLinks, Replacement};
use crate::job::run::fence::{Fence, PublishMethod};
use crate::job::run::kept::{KeptReason, KeptReport};
use crate::job::run::{Run, RunState};
use crate::job::sidecar::{End, Sidecar, Sidecars};
use crate::names::digest::Digest;
use crate::recipe::Choice;
use crate::recipe::encoder::Codec;
use crate::rules::{Original, Rules};
use crate::{testing, wire};

/// What is stored about jobs with rules, of libraries, and whose sidecars go along.
pub(super) fn written(job: &Job) -> Vec<(&'static str, Bytes)> {
    let carrying = carrying();
    vec![
        ("job-library", wire::encode(&job_of_library(job))),
        ("job-check", wire::encode(&job_of_check(job))),
        ("job-rules", wire::encode(&self::job())),
        ("run-kept-rule", wire::encode(&kept())),
        ("run-kept-early", wire::encode(&stopped())),
        ("run-keeping", wire::encode(&copying())),
        ("job-sidecars", wire::encode(&carrying.job)),
        ("run-completed-sidecars", wire::encode(&carrying)),
    ]
}

const CONDITION: &str = "video.codec in [hevc, av1] and height <= 1080";

/// A job with a condition.
pub(super) fn job() -> Job {
    let plain = testing::job(Choice::Codec(Codec::Hevc), 1000);
    let mut work = plain.work();
    work.rules = Rules {
        skip_if: Some(CONDITION.parse().expect("a condition")),
        min_saving: Some("0%".parse().expect("a saving")),
        ..Rules::default()
    };
    Job::of(plain.batch, work, None)
}

/// A run whose input meets the condition.
pub(super) fn kept() -> Run {
    run(KeptReason::Rule {
        condition: CONDITION.to_owned(),
    })
}

/// A run whose encode was stopped.
pub(super) fn stopped() -> Run {
    run(KeptReason::Early {
        asked: "0%".parse().expect("a saving"),
        would_be: 1900,
    })
}

/// A question about a job with rules.
pub(super) fn foresee() -> PreviewRequest {
    let Job {
        input,
        further,
        recipe,
        rules,
        ..
    } = job();
    PreviewRequest::ForecastRequest(Box::new(ForecastRequest {
        input,
        further,
        recipe,
        rules,
    }))
}

/// The answer that a rule holds.
pub(super) fn foreseen() -> Forecast {
    Forecast {
        kept: Some(KeptReason::Rule {
            condition: CONDITION.to_owned(),
        }),
        ..Forecast::default()
    }
}

/// A run whose original is about to appear at the place of its output.
pub(super) fn copying() -> Run {
    let RunState::Kept { report } = kept().state else {
        unreachable!("it was just kept")
    };
    let fence = Fence {
        by: PublishMethod::File(".a.mkv.part".to_owned()),
        size: 1000,
        digest: Digest::of(b"an original"),
        companions: Vec::new(),
        is_settled: false,
        report: None,
        kept: Some(Box::new(KeptReport {
            copy: Some(job().output.sibling("a.mp4")),
            ..*report
        })),
    };
    running().fence(fence, Timestamp::UNIX_EPOCH)
}

fn running() -> Run {
    let lane = Lane {
        priority: Priority::default(),
        queue: Queue::Any(Codec::Hevc),
    };
    let worker = "w1".parse().expect("a name");
    Run::first(job(), &lane, 7, worker, Timestamp::UNIX_EPOCH)
}

fn run(why: KeptReason) -> Run {
    let report = KeptReport {
        worker: "w1".parse().expect("a name"),
        why,
        input_size: 1000,
        input_media: Some(MediaInfo {
            format: "matroska,webm".to_owned(),
            duration: Some(60.0),
            tracks: vec![TrackInfo::Subtitles {
                codec: "subrip".to_owned(),
                language: None,
            }],
        }),
        seconds: 0.5,
        copy: None,
        sidecars: Vec::new(),
    };
    running().keep(report, Timestamp::UNIX_EPOCH)
}

/// A job with rules that replaces its source.
pub(super) fn job_of_library(job: &Job) -> Job {
    let mut work = job.work();
    work.rules = Rules {
        skip_if: None,
        min_saving: Some("10%".parse().expect("a saving")),
        original: Original::Copy,
    };
    work.replacement = Some(Replacement {
        trash: work.input.location.sibling("trash"),
        days: 30,
        hard_links: HardLinks::Refuse,
    });
    Job::of(job.batch, work, None)
}

/// A job whose sidecars go along, completed.
pub(super) fn carrying() -> Run {
    let mut run = running();
    run.job.sidecars = Sidecars::Carry;
    let end = |text: &str| End::try_from(text.to_owned()).expect("sound");
    let mut report = testing::report("w1", "libx265", 1000, 2.0);
    report.sidecars = vec![
        Sidecar {
            end: end(".en.srt"),
            left: None,
        },
        Sidecar {
            end: end("-poster.jpg"),
            left: Some("it is a link".to_owned()),
        },
    ];
    run.complete(report, Timestamp::UNIX_EPOCH)
}

/// A job that looks for damage.
pub(super) fn job_of_check(job: &Job) -> Job {
    let mut work = job.work();
    work.kind = JobKind::Check(CheckDepth::Full);
    work.output = work.input.location.clone();
    Job::of(job.batch, work, None)
}

/// The report of a job that was kept.
pub(super) fn report_of(job: &Job) -> KeptReport {
    KeptReport {
        worker: "w1".parse().expect("a name"),
        why: KeptReason::Saving {
            asked: "10%".parse().expect("a saving"),
            would_be: 990,
        },
        input_size: 1000,
        input_media: None,
        seconds: 2.5,
        copy: Some(job.output.sibling("a.mp4")),
        sidecars: Vec::new(),
    }
}
