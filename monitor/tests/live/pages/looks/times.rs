//! Times and estimates, the same on every page.

use common::job::failure::Failure;
use common::job::progress::{EncodeProgress, Progress};
use common::job::run::{Run, Stage};
use common::names::subject;
use common::wire;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::client::get;
use crate::pages::{go, keep_alive, open};
use crate::{Monitor, farm};

#[tokio::test(flavor = "multi_thread")]
async fn every_time_is_shown_in_the_browsers_time_zone() {
    let monitor = Monitor::start().await;
    let ended: Timestamp = "2024-11-25T20:04:03.276Z".parse().expect("a time");
    let done = farm::begun("a.mkv", "libx265", "atelier");
    let done = done.complete(farm::report("atelier", "libx265"), ended);
    let failed = farm::begun("b.mkv", "libx265", "atelier");
    let failure = Failure::input("the store was away from 2024-11-25T20:04:03Z on");
    let failed = failed.fail(failure, SignedDuration::ZERO, Timestamp::now());
    for run in [&done, &failed] {
        farm::write_run(&monitor.broker, run).await;
    }
    let mut beat = farm::heartbeat("atelier", 2, Vec::new(), &[("libx265", 61.0)]);
    beat.note = Some("rests until 2024-11-25T20:04:03Z".to_owned());
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "").await;
    browser.shows("atelier").await;
    browser.zone("America/Los_Angeles").await;
    let moment = "new Date('2024-11-25T20:04:03Z').toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' })";
    let local = browser.evaluate(moment).await;
    assert!(
        local.contains(":04:03") && !local.contains("20:04"),
        "{local}"
    );
    for (page, words) in [
        (format!("jobs/{}", done.job.id), "Completed by atelier at "),
        (
            format!("jobs/{}", failed.job.id),
            "The store was away from ",
        ),
        ("jobs".to_owned(), "The store was away from "),
        ("history".to_owned(), "The store was away from "),
        ("workers".to_owned(), "rests until "),
        (String::new(), "rests until "),
    ] {
        go(&mut browser, &page).await;
        browser.shows(&format!("{words}{local}")).await;
        let text = browser.text().await;
        assert!(!text.contains("T20:04:03"), "{page}: {text}");
    }
    // Programs get times in a form that programs read.
    let path = format!("/api/v1/jobs/{}", done.job.id);
    let why = get(&monitor.address, &path, "").await.json()["why"].to_string();
    assert!(why.contains("2024-11-25T20:04:03Z"), "{why}");
    drop(browser);
    monitor.stop().await;
}

/// Publishes the progress of a half-encoded job, with so many seconds left.
async fn progressed(monitor: &Monitor, run: &Run, eta: f32) {
    let progress = Progress {
        job: run.job.id,
        worker: "atelier".parse().expect("a name"),
        attempt: 1,
        stage: Stage::Encoding,
        fraction: Some(0.5),
        encode: Some(EncodeProgress {
            frame: 50,
            fps: 0.43,
            speed: 0.02,
            ..EncodeProgress::default()
        }),
        eta: Some(eta),
        waits_for: None,
        at: Timestamp::now(),
    };
    let subject = subject::progress(&run.job.id);
    let client = monitor.broker.client();
    client
        .publish(subject, wire::encode(&progress))
        .await
        .expect("published");
    client.flush().await.expect("sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_its_queue_and_its_batch_have_one_estimate() {
    let monitor = Monitor::start().await;
    let run = farm::begun("a.mkv", "libx265", "atelier");
    farm::write_run(&monitor.broker, &run).await;
    monitor.keep_batch(&run.job, "holidays").await;
    let beat = farm::heartbeat("atelier", 2, vec![run.job.id], &[("libx265", 61.0)]);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    // An open page keeps the monitor reading.
    let mut page = monitor.page().await;
    page.until("the running job", |state| {
        state["running"][0]["stage"] == "reading"
    })
    .await;
    progressed(&monitor, &run, 440.0).await;
    page.until("its estimate", |state| state["running"][0]["eta"] == 540.0)
        .await;
    page.until("its queue's", |state| state["queues"][0]["eta"] == 540.0)
        .await;
    let listed = harness::poll::until("its batch", async || {
        let rows = get(&monitor.address, "/api/v1/batches", "").await.json();
        rows[0]["eta"].is_number().then(|| rows[0]["eta"].clone())
    })
    .await;
    assert_eq!(listed, Value::from(540.0));
    let (mut browser, _folder) = open(&monitor, &format!("jobs/{}", run.job.id)).await;
    progressed(&monitor, &run, 440.0).await;
    browser.shows("0.43 fps · 0.02× · about 9 min left").await;
    go(&mut browser, "batches").await;
    browser.shows("1 running · done in about 9 min").await;
    drop(browser);
    drop(page);
    monitor.stop().await;
}
