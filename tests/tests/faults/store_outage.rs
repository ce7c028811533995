//! A store that is out of reach for a while.

use common::id::BatchId;
use common::job::Job;
use common::location::Location;
use common::run::State;
use harness::farm::{Farm, recipe};
use harness::stand_in::{Fault, StandIn};
use harness::store::{BUCKET, TestStore};
use harness::{outside, paths, poll};

#[tokio::test]
async fn a_job_waits_for_its_store() {
    let farm = Farm::start().await;
    let mut store = TestStore::start(farm.folder()).await;
    store.put(&paths::media("h264.mp4"), "in/h264.mp4").await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.befall(Fault::Held);
    let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let worker = farm.join(setup.environment(store.environment())).await;
    let output = Location::s3(BUCKET, "out/h264.mkv").unwrap();
    let input = store.input("in/h264.mp4").await;
    let job = Job::new(BatchId::new(), input, output, recipe("libx264"), None);
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &worker).await;

    store.kill();
    ffmpeg.recover();
    poll::until("the encode to end while there is no store", async || {
        let is_over = outside::encodes_in(&farm.scratch()).is_empty();
        let waits = matches!(farm.run(&job.id).await?.state, State::Waiting { .. });
        (is_over || waits).then_some(())
    })
    .await;
    store.restart().await;

    let (_, report) = farm.completed(&job.id).await;
    assert_eq!(store.keys().await, ["in/h264.mp4", "out/h264.mkv"]);
    let bytes = store.get("out/h264.mkv").await.unwrap();
    assert_eq!(bytes.len() as u64, report.output_size);
    assert_eq!(
        store.get("in/h264.mp4").await.unwrap(),
        std::fs::read(paths::media("h264.mp4")).unwrap()
    );
}
