//! A network that is cut, is slow, or loses data.

use std::time::Duration;

use harness::farm::Farm;
use harness::faults::proxy::NetworkConditions;
use harness::faults::victim::{Step, Victim};
use harness::outside::audit::{Acknowledged, Auditor, OutputPlace};
use harness::servers::store::TestStore;
use harness::{paths, poll};
use jiff::Timestamp;

#[tokio::test]
async fn a_worker_cut_off_for_longer_than_its_lease_publishes_nothing_when_it_is_back() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let input = paths::media("h264.mp4");
    store.put(&input, "in/h264.mp4").await;
    let mut lonely = Victim::join(&farm, &store, "lonely").await;
    let job = store.job("in/h264.mp4", "out/h264.mkv", "libx264").await;
    let held = lonely.hold_at(Step::Encoding);
    farm.enqueue(&job).await;
    held.reached(&farm).await;

    // The worker cannot reach the broker, but can reach the store, so it gets as far as the fence.
    lonely.broker.set(NetworkConditions::CUT);
    let mut sent = lonely
        .store
        .hold(|request| request.subject.contains("partNumber="));
    lonely.ffmpeg().recover();
    sent.caught("the cut-off worker to upload").await;
    sent.release();
    let heir = farm.worker("heir").encoders("libx264");
    let _heir = farm.join(heir.environment(store.environment())).await;
    let (run, report) = farm.completed(&job.id).await;
    assert_eq!(report.worker.as_str(), "heir");
    let published = store.version("out/h264.mkv").await;

    let healed = Timestamp::now();
    lonely.recover();
    poll::until("the cut-off worker to let go of the job", async || {
        let heartbeat = farm.heartbeat("lonely").await?;
        (heartbeat.at > healed && heartbeat.running.is_empty()).then_some(())
    })
    .await;
    assert_eq!(store.version("out/h264.mkv").await, published);
    assert_eq!(farm.run(&job.id).await, Some(run));
    let auditor = Auditor::connect(farm.url()).await;
    let all = [Acknowledged::new(job.id, "h264.mkv", &input)];
    let place = OutputPlace::Bucket(&store, "out/".to_owned());
    auditor.settled(&all, &place, &farm.scratch()).await;
}

#[tokio::test]
async fn a_slow_and_lossy_network_costs_time_and_nothing_else() {
    const BAD: NetworkConditions = NetworkConditions {
        delay: Duration::from_millis(40),
        rate: 400_000,
        lost: 10,
        broken: 10,
        ..NetworkConditions::GOOD
    };
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let victims = [
        Victim::join(&farm, &store, "far").await,
        Victim::join(&farm, &store, "farther").await,
    ];
    for victim in &victims {
        victim.broker.set(BAD);
        victim.store.set(BAD);
    }
    let mut all = Vec::new();
    for name in ["h264.mp4", "vp9.webm", "hevc.mkv", "av1.mkv"] {
        let input = paths::media(name);
        store.put(&input, &format!("in/{name}")).await;
        let output = format!("{name}.mkv");
        let job = store
            .job(&format!("in/{name}"), &format!("out/{output}"), "libx264")
            .await;
        farm.enqueue(&job).await;
        all.push(Acknowledged::new(job.id, output, &input));
    }
    let auditor = Auditor::connect(farm.url()).await;
    let place = OutputPlace::Bucket(&store, "out/".to_owned());
    let tally = auditor.settled(&all, &place, &farm.scratch()).await;
    assert_eq!(tally.completed, all.len());
}
