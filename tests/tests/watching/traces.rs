//! One trace has a job's whole way, across programs.

use std::path::PathBuf;
use std::process::Command;

use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::paths;
use harness::process::{Ran, Signal, run};

use crate::collector::{Collector, Span};

const PRODUCER: i32 = 4;
const CONSUMER: i32 = 5;

/// Enqueues a file by a producer that sends its spans to this receiver.
async fn enqueue(farm: &Farm, collector: &Collector, further: &[&str]) -> Ran {
    enqueue_file(farm, collector, paths::media("h264.mp4"), further).await
}

async fn enqueue_file(farm: &Farm, collector: &Collector, file: PathBuf, further: &[&str]) -> Ran {
    let folder = farm.folder_of("in", &[file]);
    let mut command = farm.producer_command();
    command
        .envs(collector.environment())
        .args(["enqueue", "-o", "out", "--encoder", "libx264"])
        .args(further)
        .arg(folder);
    run(command).await
}

fn is_within(inner: &Span, outer: &Span) {
    assert_eq!(inner.trace, outer.trace);
    assert_eq!(inner.parent, outer.id, "{inner:?}\n{outer:?}");
}

#[tokio::test]
async fn one_trace_follows_a_job_from_the_producer_to_its_output() {
    let (farm, collector) = (Farm::start().await, Collector::start().await);
    let setup = farm.worker("w").encoders("libx264");
    let mut worker = farm.join(setup.environment(collector.environment())).await;
    enqueue(&farm, &collector, &["--wait"]).await.succeeded();
    worker.process.signal(Signal::TERM);
    assert!(worker.process.wait().await.success());

    let job = farm.view.runs().await.unwrap().remove(0).job;
    let created = collector.span("create libx264", |_| true).await;
    assert_eq!(created.service, "ffmpeg-easy-producer");
    assert_eq!(created.kind, PRODUCER);
    assert!(created.parent.is_empty(), "a trace begins with the job");
    assert_eq!(created.attribute("messaging.system"), "nats");
    assert_eq!(created.attribute("messaging.destination.name"), "libx264");
    assert_eq!(created.attribute("ffmpeg_easy.job"), job.id.to_string());
    assert_eq!(
        created.attribute("ffmpeg_easy.batch"),
        job.batch.to_string()
    );

    let waited = collector.span("wait libx264", |_| true).await;
    let claimed = collector.span("claim libx264", |_| true).await;
    let processed = collector.span("process libx264", |_| true).await;
    for span in [&waited, &claimed, &processed] {
        is_within(span, &created);
        assert_eq!(span.service, "ffmpeg-easy-worker");
        assert_eq!(span.failure, None);
    }
    assert!(waited.to >= waited.from && waited.to <= processed.to);
    assert!(claimed.from <= processed.from);
    assert_eq!(processed.kind, CONSUMER);
    for (name, value) in [
        ("messaging.operation.type", "process"),
        ("ffmpeg_easy.job", &*job.id.to_string()),
        ("ffmpeg_easy.attempt", "1"),
        ("ffmpeg_easy.worker", "w"),
        ("ffmpeg_easy.encoder", "libx264"),
        ("ffmpeg_easy.outcome", "completed"),
    ] {
        assert_eq!(processed.attribute(name), value, "{name}");
    }
    // What the log tells of the attempt is in its span.
    for event in ["claimed", "published"] {
        assert!(processed.events.iter().any(|told| told == event), "{event}");
    }

    let mut last = processed.from;
    for name in ["read", "probe", "encode", "check", "publish", "ack"] {
        let step = collector.span(name, |_| true).await;
        is_within(&step, &processed);
        assert!(step.from >= last, "{name} comes after the step before");
        last = step.to;
        if name == "encode" {
            collector
                .span("ffmpeg", |span| span.parent == step.id)
                .await;
        }
        if name == "probe" {
            collector
                .span("ffprobe", |span| span.parent == step.id)
                .await;
        }
    }
    assert_eq!(
        collector.traces().len(),
        1,
        "nothing is a trace of its own: {:#?}",
        collector.spans()
    );
}

#[tokio::test]
async fn a_failure_is_told_in_its_words_and_a_retry_stands_beside_it() {
    let (farm, collector) = (Farm::start().await, Collector::start().await);
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Crash { after_frames: 3 });
    let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let setup = setup.option("--retry-after", "1s");
    let _worker = farm.join(setup.environment(collector.environment())).await;
    enqueue(&farm, &collector, &["--attempts", "2"])
        .await
        .succeeded();
    let attempt =
        |number: &'static str| move |span: &Span| span.attribute("ffmpeg_easy.attempt") == number;
    let first = collector.span("process libx264", attempt("1")).await;
    let second = collector.span("process libx264", attempt("2")).await;
    let created = collector.span("create libx264", |_| true).await;
    for span in [&first, &second] {
        is_within(span, &created);
        assert_eq!(span.attribute("ffmpeg_easy.outcome"), "failed");
        let words = span.failure.as_deref().expect("it failed");
        assert!(words.contains("ffmpeg"), "{words}");
        assert!(!span.attribute("error.type").is_empty());
    }
    let encode = collector
        .span("encode", |span| span.parent == first.id)
        .await;
    assert_eq!(encode.failure, first.failure);
    let ffmpeg = collector
        .span("ffmpeg", |span| span.parent == encode.id)
        .await;
    assert!(ffmpeg.failure.is_some(), "{ffmpeg:?}");
}

#[tokio::test]
async fn the_second_attempt_after_a_killed_worker_is_in_the_same_trace() {
    let (farm, collector) = (Farm::start().await, Collector::start().await);
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let setup = farm.worker("dying").encoders("libx264").ffmpeg(&ffmpeg);
    let mut dying = farm.join(setup.environment(collector.environment())).await;
    enqueue(&farm, &collector, &[]).await.succeeded();
    let created = collector.span("create libx264", |_| true).await;
    let by =
        |worker: &'static str| move |span: &Span| span.attribute("ffmpeg_easy.worker") == worker;
    collector.span("claim libx264", by("dying")).await;
    dying.process.kill();

    let setup = farm.worker("heir").encoders("libx264");
    let _heir = farm.join(setup.environment(collector.environment())).await;
    let processed = collector.span("process libx264", by("heir")).await;
    is_within(&processed, &created);
    assert_eq!(processed.attribute("ffmpeg_easy.attempt"), "2");
    assert_eq!(processed.attribute("ffmpeg_easy.outcome"), "completed");
    assert_eq!(collector.traces().len(), 1);
}

#[tokio::test]
async fn the_parts_of_a_split_film_are_in_its_trace() {
    let (farm, collector) = (Farm::start().await, Collector::start().await);
    let setup = farm.worker("w").encoders("libx264");
    let _worker = farm.join(setup.environment(collector.environment())).await;
    let film = farm.folder().join("film.mkv");
    let made = Command::new(paths::tool("ffmpeg"))
        .args("-v error -f lavfi -i testsrc2=s=320x180:r=24:d=9 -c:v libx264 -g 24".split(' '))
        .arg(&film)
        .status();
    assert!(made.unwrap().success());
    enqueue_file(&farm, &collector, film, &["--split", "3s", "--wait"])
        .await
        .succeeded();
    let planned = collector
        .span("process libx264", |span| {
            span.attribute("ffmpeg_easy.outcome") == "split"
        })
        .await;
    let plan = collector
        .span("plan", |span| span.parent == planned.id)
        .await;
    let created = collector
        .span("create libx264", |span| span.parent == plan.id)
        .await;
    let part = collector
        .span("process libx264", |span| span.parent == created.id)
        .await;
    assert!(
        part.attribute("ffmpeg_easy.job").contains("-chunk-"),
        "{part:?}"
    );
    collector
        .span("join", |span| span.trace == planned.trace)
        .await;
    assert_eq!(collector.traces().len(), 1, "{:#?}", collector.spans());
}

#[tokio::test]
async fn a_job_without_a_context_begins_a_trace_at_its_claim() {
    let (farm, collector) = (Farm::start().await, Collector::start().await);
    let setup = farm.worker("w").encoders("libx264");
    let _worker = farm.join(setup.environment(collector.environment())).await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.completed(&job.id).await;
    let claimed = collector.span("claim libx264", |_| true).await;
    assert!(claimed.parent.is_empty());
    let processed = collector.span("process libx264", |_| true).await;
    is_within(&processed, &claimed);
}

#[tokio::test]
async fn the_environment_says_what_is_sent() {
    let (farm, collector) = (Farm::start().await, Collector::start().await);
    let named = [
        ("OTEL_SERVICE_NAME", "studio".to_owned()),
        ("OTEL_RESOURCE_ATTRIBUTES", "site=cellar".to_owned()),
    ];
    for off in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_TRACES_EXPORTER", "none"),
        ("OTEL_TRACES_SAMPLER", "always_off"),
    ] {
        let folder = farm.folder_of("off", &[paths::media("vp9.webm")]);
        let mut command = farm.producer_command();
        command
            .envs(collector.environment())
            .env(off.0, off.1)
            .args(["enqueue", "-o", off.0, "--encoder", "libx265"])
            .arg(folder);
        run(command).await.succeeded();
        assert!(collector.spans().is_empty(), "{off:?}");
    }
    let folder = farm.folder_of("on", &[paths::media("h264.mp4")]);
    let mut command = farm.producer_command();
    command
        .envs(collector.environment())
        .envs(named)
        .args(["enqueue", "-o", "out", "--encoder", "libx265"])
        .arg(folder);
    run(command).await.succeeded();
    let created = collector.span("create libx265", |_| true).await;
    assert_eq!(created.service, "studio");
}
