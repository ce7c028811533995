//! A broker that is killed and started again.

use std::path::Path;

use common::job::event::What;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::outside::media::Media;
use harness::process::Signal;
use harness::{outside, paths, poll};

#[tokio::test]
async fn enqueued_jobs_outlive_the_broker() {
    let mut farm = Farm::start().await;
    let jobs = ["h264.mp4", "vp9.webm"].map(|name| farm.job(&paths::media(name), "libx264"));
    for job in &jobs {
        farm.enqueue(job).await;
    }
    farm.broker.kill();
    farm.broker.restart().await;
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    for job in &jobs {
        farm.completed(&job.id).await;
    }
}

#[tokio::test]
async fn an_encode_outlives_the_broker() {
    let mut farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let worker = farm
        .join(farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg))
        .await;
    let input = paths::media("h264.mp4");
    let job = farm.job(&input, "libx264");
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &worker).await;

    farm.broker.kill();
    ffmpeg.recover();
    poll::until(
        "the encode to end while nobody can hear of it",
        async || {
            outside::encodes_in(&farm.scratch())
                .is_empty()
                .then_some(())
        },
    )
    .await;
    farm.broker.restart().await;

    let (_, report) = farm.completed(&job.id).await;
    assert_eq!(report.frames, Media::of(&input).frames());
    assert_eq!(outside::names(&farm.out()), [Path::new("h264.mkv")]);
    poll::until("the message to be acknowledged", async || {
        (farm.queued().await == 0).then_some(())
    })
    .await;
    let history = farm.view.events(&job.id).await.unwrap();
    let ends = history
        .iter()
        .filter(|event| matches!(event.what, What::Completed(_)));
    assert_eq!(ends.count(), 1, "{history:#?}");
}

#[tokio::test]
async fn a_worker_is_stopped_while_the_broker_is_out_of_reach() {
    let mut farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let mut worker = farm.join(setup.option("--drain-timeout", "1m")).await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &worker).await;
    farm.broker.kill();
    poll::until("the worker to notice", async || {
        worker
            .process
            .log()
            .contains("lost the connection")
            .then_some(())
    })
    .await;
    worker.process.signal(Signal::TERM);
    let soon = std::time::Duration::from_secs(10);
    poll::until_within(soon, "the worker to end", async || worker.process.ended()).await;
}

#[tokio::test]
async fn a_worker_that_is_started_while_the_broker_restarts_waits_for_it() {
    let mut farm = Farm::start().await;
    farm.broker.kill();
    let mut worker = farm.worker("w").encoders("libx264").spawn();
    poll::until("the worker to wait", async || {
        let log = worker.process.log();
        log.contains("waiting for the broker").then_some(())
    })
    .await;
    farm.broker.restart().await;
    farm.ready(&mut worker).await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.completed(&job.id).await;
}
