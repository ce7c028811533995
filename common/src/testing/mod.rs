//! Made-up workers, jobs, reports and recipes, for tests; the commands that documents show.

pub mod documents;
pub mod help;
pub mod recipes;

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;

use crate::farm::card::{Capabilities, Ffmpeg, Host, Proof, Verdict};
use crate::farm::places::Places;
use crate::farm::queue::Lane;
use crate::farm::worker::{Heartbeat, Load, Terms, WorkerStatus};
use crate::job::Job;
use crate::job::id::BatchId;
use crate::job::input::Input;
use crate::job::run::fence::{Fence, PublishMethod};
use crate::job::run::report::Report;
use crate::job::split::{Chunk, Film, Plan};
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::recipe::encoder::Encoder;
use crate::recipe::{Choice, Recipe, VideoEncode};

/// Writes a script that can be run. Another program writes it: a child that a thread of this one starts meanwhile would hold
/// the file open for writing, and such a file cannot be run.
pub fn executable(path: &Path, script: &str) {
    let mut writer = Command::new("sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell");
    let mut to = writer.stdin.take().expect("a pipe");
    to.write_all(script.as_bytes()).expect("written");
    drop(to);
    assert!(writer.wait().expect("it ends").success());
}

/// The proof of an encoder: up to 4K, 100 frames a second.
pub fn proof(encoder: &Encoder) -> Proof {
    Proof {
        kind: encoder.kind(),
        pixel_formats: vec!["yuv420p".to_owned()],
        largest: (3840, 2160),
        fps: 100.0,
        sessions: None,
        device_arguments: Vec::new(),
        encoder_arguments: Vec::new(),
    }
}

/// The encoder that a worker without hardware takes for a recipe: the first that the recipe names, or that makes its
/// codec. `None` if no video is encoded.
pub fn software_encoder(recipe: &Recipe) -> Option<Encoder> {
    match &recipe.video_encode()?.with {
        Choice::Codec(codec) => Encoder::of(*codec).next(),
        with => with.encoders().first().cloned(),
    }
}

/// The card of a small machine that has proved these encoders.
pub fn card(proved: impl IntoIterator<Item = (Encoder, Proof)>) -> Capabilities {
    let proved = proved.into_iter();
    Capabilities {
        ffmpeg: Ffmpeg {
            version: "7.1".to_owned(),
            build: "0".repeat(16),
        },
        host: Host {
            name: "host".to_owned(),
            os: "linux".to_owned(),
            cpu: "any".to_owned(),
            cores: 4,
            memory: 8_000_000_000,
        },
        encoders: proved
            .map(|(encoder, proof)| (encoder, Verdict::Proved(proof)))
            .collect(),
        audio: Vec::new(),
        filters: Vec::new(),
        muxers: Vec::new(),
        sandbox: None,
        metrics: Vec::new(),
    }
}

/// A ready worker with one slot that has proved these encoders, at the epoch.
pub fn heartbeat(name: &str, encoders: &[&str]) -> Heartbeat {
    let proved = encoders.iter().map(|name| {
        let encoder: Encoder = name.parse().expect("an encoder");
        let proof = proof(&encoder);
        (encoder, proof)
    });
    Heartbeat {
        name: name.parse().expect("a name"),
        status: WorkerStatus::Ready,
        note: None,
        until: None,
        terms: Terms::default(),
        started: Timestamp::UNIX_EPOCH,
        at: Timestamp::UNIX_EPOCH,
        slots: 1,
        running: Vec::new(),
        load: Load::default(),
        card: card(proved),
        places: Places {
            roots: vec![Location::file(std::path::Path::new("/")).expect("an absolute path")],
            buckets: Vec::new(),
        },
        away: Vec::new(),
        clock_ahead: 0.0,
    }
}

/// A job with this choice of encoders and an input of this size.
pub fn job(with: Choice, size: u64) -> Job {
    let folder = Location::s3("media", "in").expect("a location");
    let input = Input {
        location: folder.join("a.mp4"),
        size,
        version: "1".to_owned(),
    };
    let recipe = Recipe::encode(VideoEncode::new(with)).expect("a sound recipe");
    Job::new(BatchId::new(), input, folder.join("a.mkv"), recipe, None)
}

/// The report of a job with an input of so many bytes that took so many seconds, at 10 frames a second.
pub fn report(worker: &str, encoder: &str, input_size: u64, seconds: f64) -> Report {
    Report {
        worker: worker.parse().expect("a name"),
        encoder: Some(encoder.parse().expect("an encoder")),
        input_size,
        output_size: input_size / 2,
        frames: (seconds * 10.0) as u64,
        duration: 1.0,
        encode_seconds: seconds,
        total_seconds: seconds,
        input_media: None,
        output_media: None,
        quality: None,
        changes: Vec::new(),
        companions: Vec::new(),
        ladder: Vec::new(),
        health: None,
        replaced: None,
        sidecars: Vec::new(),
        split: None,
        warnings: Vec::new(),
    }
}

/// The fence of an output by `worker` that is about to appear by this upload.
pub fn fence(worker: &str, upload: &str) -> Fence {
    let report = report(worker, "libx264", 1, 1.0);
    Fence {
        by: PublishMethod::Upload(upload.to_owned()),
        size: report.output_size,
        digest: Digest::of(upload.as_bytes()),
        companions: Vec::new(),
        is_settled: false,
        report: Some(Box::new(report)),
        kept: None,
    }
}

/// A plan for a film at 25 frames a second in chunks of so many frames, and other tracks.
pub fn plan(job: &Job, lane: &Lane, chunks: &[u64]) -> Plan {
    let mut start = 0;
    let chunk = |frames: &u64| {
        let from = start;
        start += i64::try_from(*frames).expect("a short film");
        Chunk {
            start: from,
            end: start,
            frames: *frames,
            decode_from: from,
            read_from: None,
        }
    };
    let encoder = software_encoder(&job.recipe).expect("an encode");
    Plan {
        job: job.clone(),
        since: job.enqueued,
        queue: lane.queue.clone(),
        priority: lane.priority,
        film: Film {
            stream: 0,
            time_base: (1, 25),
            findings: Default::default(),
            stated: Default::default(),
        },
        chunks: chunks.iter().map(chunk).collect(),
        extension: "mov".parse().expect("an extension"),
        rest: Some("mkv".parse().expect("an extension")),
        proof: proof(&encoder),
        encoder,
        source: None,
        found: None,
    }
}
