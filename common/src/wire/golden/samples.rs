//! Samples of what this version writes: a message of each kind and of each shape of a kind.

use jiff::{SignedDuration, Timestamp};

use crate::broker::Question;
use crate::farm::orders::Order;
use crate::farm::preview::{
    ForecastRequest, FrameTimes, JobFile, Preview, PreviewKind, PreviewRequest,
};
use crate::farm::queue::{Lane, Priority, Queue};
use crate::farm::retention::Days;
use crate::farm::sample::SampleScore;
use crate::job::batch::{Batch, SampledFilm};
use crate::job::event::{Event, What};
use crate::job::failure::Failure;
use crate::job::further::{ExternalSubtitles, FurtherInput, FurtherRole, Join};
use crate::job::id::BatchId;
use crate::job::input::Input;
use crate::job::ladder::Ladder;
use crate::job::master::{MasterContents, MasterRecord, MasterState};
use crate::job::media_info::{MediaInfo, TrackInfo};
use crate::job::progress::{EncodeProgress, Progress};
use crate::job::run::fence::{Fence, PublishMethod};
use crate::job::run::{Delivered, Run, Stage};
use crate::job::{Fallbacks, Job};
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::names::token::Token;
use crate::recipe::encoder::Codec;
use crate::recipe::preset::Preset;
use crate::recipe::{Choice, FileFormat, Outputs, RecipeFile};
use crate::{testing, wire};

use super::reports::{health, measured, streams};
use super::{forecasts, libraries, notifications, rules, sample_encodes, splits, trashes};

fn job() -> Job {
    let encoder = "libx265".parse().expect("an encoder");
    let further = "libx264".parse().expect("an encoder");
    let mut job = testing::job(
        Choice::FirstOf(vec![encoder].try_into().expect("one encoder")),
        1000,
    );
    job.fallbacks = Some(Fallbacks {
        queues: vec![Queue::Encoder(further)],
        after: 600,
    });
    job
}

/// A job that reads a further file in each role.
fn job_of_several() -> Job {
    let job = testing::job(Choice::Codec(Codec::Hevc), 1000);
    let of = |name: &str, role| FurtherInput {
        input: Input {
            location: job.input.location.sibling(name),
            ..job.input.clone()
        },
        role,
    };
    let subtitles = ExternalSubtitles {
        language: Some("eng".parse().expect("a language")),
        forced: true,
        sdh: false,
    };
    let mut work = job.work();
    work.further = vec![
        of("b.mp4", FurtherRole::Continuation(Join::CopyIfAlike)),
        of("a.en.forced.srt", FurtherRole::Subtitles(subtitles)),
    ];
    Job::of(job.batch, work, None)
}

/// A job with the recipe of this file. These files together use every field of recipes.
fn of_file(text: &str) -> Job {
    let preset = RecipeFile::read(text, FileFormat::Toml).expect("sound");
    let job = job();
    Job::new(job.batch, job.input, job.output, preset.recipe, None)
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
    let other = Lane {
        queue: Queue::On("w2".parse().expect("a name")),
        ..lane.clone()
    };
    let fence = |by| Fence {
        by,
        size: 500,
        digest: Digest::of(b"an output"),
        companions: Vec::new(),
        is_settled: false,
        report: Some(Box::new(testing::report("w1", "libx265", 1000, 2.0))),
        kept: None,
    };
    let hidden = ".a.mkv.part".to_owned();
    let wait = SignedDuration::from_secs(5);
    let waiting = running.fail(Failure::worker("the disk is full"), wait, now);
    vec![
        ("run-queued", running.release(now)),
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
        ("run-completed-quality", running.complete(measured(), now)),
        ("run-completed-ladder", running.complete(streams(), now)),
        ("run-completed-health", running.complete(health(), now)),
        (
            "run-requeued",
            running
                .cancel(now)
                .and_then(|run| run.retry(now))
                .expect("it may be"),
        ),
        (
            "run-moved",
            running.move_to(&other, now).expect("it may be"),
        ),
        (
            "run-publishing-file",
            running.fence(fence(PublishMethod::File(hidden)), now),
        ),
        (
            "run-publishing-object",
            running.fence(fence(PublishMethod::Upload("2~x".to_owned())), now),
        ),
        (
            "run-kept",
            Run {
                job: rules::job_of_library(&running.job),
                ..running.keep(rules::report_of(&running.job), now)
            },
        ),
        ("run-running", running),
    ]
}

/// A job that makes a rendition of a ladder.
fn job_of_ladder() -> Job {
    let mut work = of_file(include_str!("ladder.toml")).work();
    let place = |name: &str| work.output.sibling(name);
    work.ladder = Some(Ladder {
        master: place("a.m3u8"),
        members: vec![place("a-1080p.mp4"), place("a-720p.mp4")],
    });
    work.output = place("a-720p.mp4");
    Job::of(BatchId::new(), work, None)
}

/// The record of master files.
fn master() -> MasterRecord {
    let ladder = job_of_ladder().ladder.expect("a ladder");
    let contents = |text: &str| MasterContents {
        playlist: format!("#EXTM3U {text}"),
        manifest: format!("<MPD>{text}</MPD>"),
    };
    let streams = streams().ladder;
    let of = (&ladder, streams.as_slice());
    let before = MasterRecord::announce(of, &contents("before"), None);
    MasterRecord {
        state: MasterState::There,
        ..MasterRecord::announce(of, &contents("now"), Some(&before))
    }
}

fn events() -> Vec<(&'static str, What)> {
    let worker = || "w1".parse().expect("a name");
    let report = testing::report("w1", "libx265", 1000, 2.0);
    vec![
        ("event-queued", What::Queued),
        ("event-claimed", What::Claimed(worker())),
        (
            "event-command",
            What::Command("ffmpeg -i a.mp4 a.mkv".to_owned()),
        ),
        ("event-progress", What::Progress(EncodeProgress::default())),
        ("event-returned", What::Released(worker())),
        ("event-moved", What::Moved(Queue::On(worker()))),
        ("event-requeued", What::Requeued),
        (
            "event-retried",
            What::Retried(Failure::passing("no network")),
        ),
        ("event", What::Completed(Box::new(report))),
        ("event-kept", What::Kept(Box::new(rules::report_of(&job())))),
        ("event-failed", What::Failed(Failure::input("corrupt"))),
        ("event-cancelled", What::Cancelled),
    ]
}

pub(super) fn written() -> Vec<(&'static str, bytes::Bytes)> {
    fn of(name: &'static str, body: &impl wire::Message) -> (&'static str, bytes::Bytes) {
        (name, wire::encode(body))
    }
    let rendition = job_of_ladder();
    let master = master();
    let job = job();
    let epoch = Timestamp::UNIX_EPOCH;
    let worker: crate::farm::worker_name::WorkerName = "w1".parse().expect("a name");
    let media = MediaInfo {
        format: "matroska,webm".to_owned(),
        duration: Some(60.0),
        tracks: vec![
            TrackInfo::Video {
                codec: "h264".to_owned(),
                width: 1920,
                height: 1080,
                fps: Some(25.0),
                depth: 8,
            },
            TrackInfo::Audio {
                codec: "aac".to_owned(),
                channels: 6,
                language: Some("ger".to_owned()),
            },
            TrackInfo::Subtitles {
                codec: "subrip".to_owned(),
                language: None,
            },
        ],
    };
    let foresee = |further| {
        PreviewRequest::ForecastRequest(Box::new(ForecastRequest {
            rules: crate::rules::Rules::default(),
            input: job.input.clone(),
            further,
            recipe: job.recipe.clone(),
        }))
    };
    let mut files: Vec<_> = runs().iter().map(|(name, run)| of(name, run)).collect();
    files.extend(libraries::written());
    files.extend(forecasts::written(&media));
    files.extend(notifications::written());
    files.extend(trashes::written(&job));
    files.extend(rules::written(&job));
    files.extend(splits::written(&job));
    files.extend([
        of("job", &job),
        of(
            "job-every-field",
            &of_file(include_str!("every_field.toml")),
        ),
        of("job-trimmed", &of_file(include_str!("trimmed.toml"))),
        of("job-rendition", &rendition),
        of("master", &master),
        of("job-ladder", &of_file(include_str!("ladder.toml"))),
        of("job-extracted", &of_file(include_str!("extracted.toml"))),
        of("job-further-2", &job_of_several()),
        of(
            "question",
            &Question {
                job: job.id,
                attempt: 2,
            },
        ),
        of("answer", &true),
        of("media", &media),
        of(
            "peek-info",
            &PreviewRequest::Preview(Preview {
                job: job.id,
                side: JobFile::Output,
                what: PreviewKind::Info,
            }),
        ),
        of("heartbeat", &testing::heartbeat("w1", &["libx265"])),
        of(
            "batch",
            &Batch {
                id: BatchId::new(),
                label: "films".to_owned(),
                jobs: 3,
                enqueued: epoch,
                folder: None,
                trash: Vec::new(),
                film: None,
                library: None,
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
                trash: Vec::new(),
                film: None,
                library: None,
            },
        ),
        of(
            "batch-samples",
            &Batch {
                id: BatchId::new(),
                label: "samples of film.mkv".to_owned(),
                jobs: 1,
                enqueued: epoch,
                folder: Some(Location::s3("media", "samples").expect("a location")),
                trash: Vec::new(),
                film: Some(SampledFilm {
                    size: 9_000_000,
                    length: 5400.0,
                    jobs: vec![job.id],
                }),
                library: None,
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
                outputs: Outputs::default(),
            },
        ),
        of("default", &"archive".parse::<Token>().expect("a name")),
        of("history", &Days::DEFAULT),
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
            &PreviewRequest::Preview(Preview {
                job: job.id,
                side: JobFile::Input,
                what: PreviewKind::Still(1.5),
            }),
        ),
        of(
            "peek-frame",
            &PreviewRequest::Preview(Preview {
                job: job.id,
                side: JobFile::Output,
                what: PreviewKind::Frame(1.5),
            }),
        ),
        of(
            "peek-times",
            &PreviewRequest::Preview(Preview {
                job: job.id,
                side: JobFile::Output,
                what: PreviewKind::FrameTimes(1.5),
            }),
        ),
        of(
            "times",
            &FrameTimes {
                times: vec![0.0, 0.04],
            },
        ),
        of("foresee", &foresee(Vec::new())),
        of("foresee-rules", &rules::foresee()),
        of("foreseen-kept", &rules::foreseen()),
        of("foresee-further-2", &foresee(job_of_several().further)),
        of("sample", &sample_encodes::asked(&job)),
        of("sample-surveyed", &sample_encodes::surveyed(&job)),
        of(
            "score",
            &SampleScore {
                score: 95.5,
                encoded: 1000,
                source: 4000,
            },
        ),
    ]);
    files.extend(super::autoscalers::written());
    files.extend(events().iter().map(|(name, what)| {
        let event = Event {
            job: job.id,
            attempt: 1,
            at: epoch,
            what: what.clone(),
            priority: None,
        };
        of(name, &event)
    }));
    files
}
