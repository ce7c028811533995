//! Hooks whose servers fail, and monitors that are killed while they tell.

use std::time::Duration;

use harness::farm::Farm;
use harness::paths;
use harness::poll;
use harness::process::Signal;
use harness::programs::monitor::TestMonitor;
use harness::servers::receiver::{Receiver, Reply};

async fn add(farm: &Farm, name: &str, url: &str, events: &str) {
    farm.producer(["hooks", "add", name, url, "--on", events])
        .await
        .succeeded();
}

/// Encodes a clip; its batch has this label.
async fn encode(farm: &Farm, clip: &str) {
    let clip = paths::media(clip);
    let line = [
        "enqueue",
        clip.to_str().unwrap(),
        "-o",
        "out",
        "--encoder",
        "libx264",
        "--wait",
    ];
    farm.producer(line).await.succeeded();
}

/// The error of a hook's last attempt, once it has one.
async fn failure(farm: &Farm, hook: &str) -> String {
    poll::until("the hook to fail", async || {
        let listed = farm.producer(["hooks", "--json"]).await.succeeded().json();
        let hooks = listed.as_array().expect("a list").clone();
        let found = hooks.into_iter().find(|one| one["name"] == hook)?;
        found["error"].as_str().map(str::to_owned)
    })
    .await
}

/// A monitor dies after an event is stored and before it is told; another batch ends while none runs. The next monitor
/// tells both, once.
#[tokio::test]
async fn what_a_killed_monitor_had_to_tell_is_told_by_the_next() {
    let farm = Farm::start().await;
    let port = Receiver::start().await.port;
    add(
        &farm,
        "ours",
        &format!("http://127.0.0.1:{port}/"),
        "batch-done",
    )
    .await;
    let _worker = farm.join(farm.worker("mill").encoders("libx264")).await;
    let mut monitor = TestMonitor::start(&farm).await;
    encode(&farm, "h264.mp4").await;
    let error = failure(&farm, "ours").await;
    assert!(error.contains("is out of reach"), "{error}");
    monitor.process.kill();
    encode(&farm, "vp9.webm").await;

    let receiver = Receiver::start_at(port).await;
    let _next = TestMonitor::start(&farm).await;
    receiver.wait_for(2).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut titles: Vec<String> = receiver
        .received()
        .iter()
        .map(|message| message.json()["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    assert_eq!(titles, ["Done: h264.mp4", "Done: vp9.webm"]);
}

#[tokio::test]
async fn failing_servers_are_asked_again_and_delay_no_other() {
    let farm = Farm::start().await;
    let [silent, failing, refusing, leading, elsewhere, good] = [
        Receiver::start().await,
        Receiver::start().await,
        Receiver::start().await,
        Receiver::start().await,
        Receiver::start().await,
        Receiver::start().await,
    ];
    silent.reply((0..50).map(|_| Reply::Never));
    failing.reply([Reply::Status(500, "not now".to_owned()), Reply::Close]);
    refusing.reply([Reply::Status(404, "who?".to_owned())]);
    leading.reply([Reply::Redirect(format!("{}/SECRET", elsewhere.url()))]);
    let receivers = [
        ("a-silent", &silent),
        ("failing", &failing),
        ("refusing", &refusing),
        ("leading", &leading),
        ("z-good", &good),
    ];
    for (name, receiver) in receivers {
        add(&farm, name, &receiver.url(), "job-completed").await;
    }
    let _monitor = TestMonitor::start(&farm).await;
    let _worker = farm.join(farm.worker("mill").encoders("libx264")).await;
    encode(&farm, "h264.mp4").await;
    silent.wait_for(1).await;
    // The silent one is still waited for: for ten seconds.
    let good = good.wait_for(1).await;
    assert_eq!(silent.received().len(), 1);
    let tries = failing.wait_for(3).await;
    let ids: Vec<&String> = tries
        .iter()
        .map(|message| &message.headers["webhook-id"])
        .collect();
    assert!(
        ids.iter().all(|id| **id == good[0].headers["webhook-id"]),
        "{ids:?}"
    );
    assert_eq!(tries[0].body, tries[2].body);
    let refused = failure(&farm, "refusing").await;
    assert!(
        refused.contains("answered 404 Not Found: who?"),
        "{refused}"
    );
    let led = failure(&farm, "leading").await;
    assert!(
        led.contains("redirects are not followed") && !led.contains("SECRET"),
        "{led}"
    );
    let unheard = failure(&farm, "a-silent").await;
    assert!(unheard.contains("did not answer"), "{unheard}");
    assert_eq!(refusing.received().len(), 1, "a refusal is final");
    assert_eq!(
        (leading.received().len(), elsewhere.received().len()),
        (1, 0)
    );
}

#[tokio::test]
async fn a_killed_worker_is_told_and_one_that_stops_is_not() {
    let farm = Farm::start().await;
    let receiver = Receiver::start().await;
    add(&farm, "ours", &receiver.url(), "worker-lost").await;
    let mut stopping = farm.join(farm.worker("stopping").encoders("libx264")).await;
    let mut killed = farm.join(farm.worker("killed").encoders("libx264")).await;
    let _monitor = TestMonitor::start(&farm).await;
    // The monitor has seen both.
    tokio::time::sleep(Duration::from_secs(3)).await;
    stopping.process.signal(Signal::TERM);
    stopping.process.wait().await;
    killed.process.kill();
    let received = receiver.wait_for(1).await;
    assert_eq!(received[0].json()["data"]["worker"], "killed");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(receiver.received().len(), 1);
}
