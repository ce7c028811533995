//! A worker that declines many jobs over a slow network stays quick.

use std::time::{Duration, Instant};

use common::farm::queue::{Lane, Priority};
use common::job::Job;
use common::names::location::Location;
use harness::farm::Farm;
use harness::faults::proxy::{NetworkConditions, Protocol, Proxy};
use harness::process::Signal;
use harness::{paths, poll};

/// Jobs that the worker may not have.
const MANY: usize = 2000;
/// How long an urgent job may wait for an idle worker: 1 s on a quiet machine.
const SOON: Duration = Duration::from_secs(5);
/// How long a worker may take to stop.
const PROMPT: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_worker_that_declines_two_thousand_jobs_takes_an_urgent_one_and_stops_when_told() {
    let farm = Farm::start().await;
    let input = paths::media("h264.mp4");
    let size = std::fs::metadata(&input).unwrap().len();
    let good = farm.job(&input, "libx264");
    let lane = |priority| Lane {
        priority: Priority::try_from(priority).unwrap(),
        queue: good.recipe.queue(),
    };
    let too_large: Vec<(Job, Lane)> = (0..MANY)
        .map(|n| {
            let mut large = good.input.clone();
            large.size = size + 1;
            large.version = n.to_string();
            let output = Location::file(&farm.out().join(format!("large-{n}.mkv"))).unwrap();
            let job = Job::new(good.batch, large, output, good.recipe.clone(), None);
            (job, lane(5))
        })
        .collect();
    farm.view.enqueue(&too_large, |_| {}).await.unwrap();

    let proxy = Proxy::start(Protocol::Nats, farm.broker.port());
    let far = farm.worker("far").encoders("libx264");
    let far = far
        .option("--nats", proxy.nats_url())
        .option("--max-jobs", "2")
        .option("--max-size", size.to_string());
    let mut far = farm.join(far).await;
    proxy.set(NetworkConditions {
        latency: Duration::from_millis(20),
        ..NetworkConditions::GOOD
    });
    // Wait until the worker has begun to decline.
    let declined = async || {
        let stream = farm.view.jetstream().get_stream("JOBS").await.ok()?;
        let info = stream.consumer_info(lane(5).consumer()).await.ok()?;
        Some(info.num_redelivered)
    };
    poll::until("jobs to come back", async || {
        declined().await.filter(|declined| *declined > 100)
    })
    .await;

    farm.view
        .enqueue(&[(good.clone(), lane(10))], |_| {})
        .await
        .unwrap();
    poll::until_within(SOON, "the urgent job to be taken", async || {
        farm.run(&good.id).await
    })
    .await;
    farm.completed(&good.id).await;

    far.process.signal(Signal::TERM);
    let told = Instant::now();
    far.process.wait().await;
    let took = told.elapsed();
    assert!(took < PROMPT, "it ended only after {took:?}");
}
