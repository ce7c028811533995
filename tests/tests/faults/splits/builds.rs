//! Workers whose ffmpeg makes other headers than that of the chunks that are there.

use std::time::Duration;

use common::job::split::{Split, SplitReport};
use harness::farm::Farm;
use harness::faults::proxy::{Fate, Protocol, Proxy};
use harness::faults::stand_in::{Fault, StandIn};
use harness::poll;
use harness::process::Signal;
use harness::programs::Worker;

use super::{assert_settled, chunks_done, film, job, parts, reference};

/// The worker `a`, each of whose encodes begins late.
async fn slow_build(farm: &Farm, late: Duration) -> Worker {
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg-of-a"));
    ffmpeg.set_fault(Fault::Late(late));
    farm.join(farm.worker("a").encoders("libx264").ffmpeg(&ffmpeg))
        .await
}

/// The worker `b`, whose ffmpeg writes another header.
async fn other_build(farm: &Farm) -> Worker {
    let ffmpeg = StandIn::new(&farm.folder().join("ffmpeg-of-b"));
    let ffmpeg = ffmpeg.with_options(&["-level:v", "5.2"]);
    farm.join(farm.worker("b").encoders("libx264").ffmpeg(&ffmpeg))
        .await
}

#[tokio::test]
async fn chunks_of_another_build_are_refused_and_it_is_not_asked_again() {
    let farm = Farm::start().await;
    let film = film(farm.folder(), "film.mkv", 16).await;
    let reference = reference(&farm, &film).await;
    let _a = slow_build(&farm, Duration::from_millis(300)).await;
    let job = job(&farm, &film, "film.mkv", Split::Every(1));
    farm.enqueue(&job).await;
    chunks_done(&farm, &job, 1).await;
    let b = other_build(&farm).await;
    poll::until("a chunk of the other build to be refused", async || {
        let state = farm.view.split_state(&job.id).await.ok()?;
        (!state.refused.is_empty()).then_some(())
    })
    .await;
    let before = farm.broker.received().await;
    let (run, report) = farm.completed(&job.id).await;
    let received = farm.broker.received().await - before;
    for part in parts(&report)
        .iter()
        .filter(|part| part.part.chunk().is_some())
    {
        assert_eq!(
            (part.worker.as_str(), part.attempt <= 2),
            ("a", true),
            "{part:#?}"
        );
    }
    let tried = b.process.log().matches("another header").count();
    assert_eq!(tried, 1, "{}", b.process.log());
    assert_eq!(run.failures.len(), 0, "{run:#?}");
    // Sixteen chunks of some 60 messages each, and no storm of declines.
    assert!(received < 3000, "{received} messages");
    assert_settled(&farm, std::slice::from_ref(&job), &reference).await;
}

#[tokio::test]
async fn a_chunk_that_is_never_published_decides_about_no_header() {
    let farm = Farm::start().await;
    let film = film(farm.folder(), "film.mkv", 4).await;
    let reference = reference(&farm, &film).await;
    let proxy = Proxy::start(Protocol::Nats, farm.broker.port());
    let setup = farm.worker("a").encoders("libx264");
    let mut a = farm.join(setup.option("--nats", proxy.nats_url())).await;
    let job = job(&farm, &film, "film.mkv", Split::Every(1));
    let mut held = proxy.hold(|request| {
        request.subject.starts_with("$KV.runs.")
            && request.subject.contains("chunk")
            && request.says("\"publishing\"")
    });
    farm.enqueue(&job).await;
    held.caught("a chunk that is encoded and compared").await;
    a.process.kill();
    held.decide(Fate::Lost);
    let _b = other_build(&farm).await;
    let (_, report) = farm.completed(&job.id).await;
    let parts = parts(&report).iter();
    let chunks = parts.filter(|part| part.part.chunk().is_some());
    let by: Vec<&str> = chunks.map(|part| part.worker.as_str()).collect();
    assert_eq!(by, ["b"; 4]);
    // Its scratch folder is cleared away.
    let _a = farm.join(farm.worker("a").encoders("libx264")).await;
    assert_settled(&farm, std::slice::from_ref(&job), &reference).await;
}

#[tokio::test]
async fn a_film_is_encoded_as_a_whole_if_the_last_worker_whose_chunks_fit_has_left() {
    let farm = Farm::start().await;
    let film = film(farm.folder(), "film.mkv", 6).await;
    let reference = reference(&farm, &film).await;
    let mut a = slow_build(&farm, Duration::from_millis(500)).await;
    let job = job(&farm, &film, "film.mkv", Split::Every(1));
    farm.enqueue(&job).await;
    chunks_done(&farm, &job, 2).await;
    a.process.signal(Signal::TERM);
    a.process.wait().await;
    let state = farm.view.split_state(&job.id).await.expect("a state");
    assert!(state.chunks.len() < 6, "{state:?}");
    let _b = other_build(&farm).await;
    let (run, report) = farm.completed(&job.id).await;
    match &report.split {
        Some(SplitReport::Whole(why)) => assert!(why.contains("are gone"), "{why}"),
        other => panic!("{other:#?}"),
    }
    assert_eq!(report.worker.as_str(), "b");
    assert_eq!(run.failures.len(), 0, "{run:#?}");
    assert_settled(&farm, std::slice::from_ref(&job), &reference).await;
}
