//! A film in a bucket, while the network to it breaks.

use std::time::Duration;

use common::job::Job;
use common::job::split::Split;
use common::recipe::{Rate, Video};
use harness::farm::Farm;
use harness::faults::proxy::{Fate, NetworkConditions, Protocol, Proxy};
use harness::outside::media::decoded;
use harness::poll;
use harness::servers::store::TestStore;

use super::{chunks_done, film, parts, reference};

const SECONDS: u32 = 8;
/// So slow that a chunk is read when the network breaks.
const SLOW: NetworkConditions = NetworkConditions {
    rate: 40_000,
    ..NetworkConditions::GOOD
};
/// How often it breaks.
const BREAKS: u32 = 3;
/// The store refuses everything for this long.
const OUTAGE: Duration = Duration::from_secs(3);

#[tokio::test]
async fn a_network_that_breaks_costs_no_chunk_that_is_done() {
    let farm = Farm::start().await;
    let local = film(farm.folder(), "film.mkv", SECONDS).await;
    let reference = reference(&farm, &local).await;
    let store = TestStore::start(farm.folder()).await;
    store.put(&local, "in/film.mkv").await;
    let proxy = Proxy::start(Protocol::Http, store.port());
    let setup = farm
        .worker("a")
        .encoders("libx264")
        .environment(store.environment())
        .environment([
            ("AWS_ENDPOINT", proxy.http_url()),
            ("RETRY_AFTER", "200ms".to_owned()),
        ]);
    let a = farm.join(setup.option("--max-jobs", "1")).await;
    proxy.set(SLOW);
    let job = store.job("in/film.mkv", "out/film.mkv", "libx264").await;
    let recipe = job.recipe.edit(|draft| {
        if let Video::Encode(video) = &mut draft.video {
            video.rate = Rate::Lossless;
        }
    });
    let (output, recipe) = (job.output.clone(), recipe.expect("sound"));
    let mut job = Job::new(job.batch, job.input, output, recipe, None);
    job.split = Split::Every(1);
    farm.enqueue(&job).await;
    chunks_done(&farm, &job, 1).await;
    for _ in 0..BREAKS {
        proxy.break_all();
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    proxy.judge(|_| Fate::Refused(503));
    tokio::time::sleep(OUTAGE).await;
    proxy.judge(|_| Fate::Passed);
    proxy.set(NetworkConditions::GOOD);
    let (run, report) = farm.completed(&job.id).await;
    assert_eq!(run.failures.len(), 0, "{run:#?}");
    // The plan, each part, and the join; each break and the outage may cost the one that runs.
    let once = parts(&report).len() + 2;
    let claims = a.process.log().matches("claimed").count();
    assert!(claims <= once + BREAKS as usize + 2, "{claims} claims");
    let joined = farm.folder().join("joined.mkv");
    let bytes = store.get("out/film.mkv").await.expect("an output");
    std::fs::write(&joined, bytes).expect("room");
    assert!(decoded(&joined).await == reference);
    poll::until("all pieces to be removed", async || {
        (store.keys().await == ["in/film.mkv", "out/film.mkv"]).then_some(())
    })
    .await;
    assert_eq!(store.uploads().await, Vec::<String>::new());
}
