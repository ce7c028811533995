//! Queues, batches and workers that are paused and resumed on their pages.

use common::farm::orders::Target;
use common::farm::worker::{Heartbeat, WorkerStatus};
use common::farm::worker_name::WorkerName;
use futures::StreamExt;
use jiff::Timestamp;

use super::{go, keep_alive, open};
use crate::{Monitor, farm};

/// Waits until the order about a target is the wanted one.
async fn ordered(monitor: &Monitor, target: &str, wanted: Option<(bool, Option<&str>)>) {
    let target: Target = target.parse().expect("a target");
    harness::poll::until(&format!("{target} to be {wanted:?}"), async || {
        let controls = monitor.broker.orders().await.ok()?;
        let order = controls.order(&target).cloned();
        let hours = order
            .as_ref()
            .and_then(|order| order.hours.as_ref())
            .map(ToString::to_string);
        let found = order.as_ref().map(|order| (order.paused, hours.as_deref()));
        (found == wanted).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_batches_and_workers_obey_their_buttons() {
    let monitor = Monitor::start().await;
    let beat = farm::heartbeat("atelier", 2, Vec::new(), &[("libx265", 61.0)]);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let job = monitor.enqueue("a.mkv", "libx265").await;
    monitor.keep_batch(&job, "holidays").await;

    let (mut browser, _folder) = open(&monitor, "").await;
    let pause = "button[aria-label='Pause the queue libx265']";
    browser.click(pause).await;
    ordered(&monitor, "queue.libx265", Some((true, None))).await;
    browser.shows("libx265 is paused").await;
    browser
        .click("button[aria-label='Resume the queue libx265']")
        .await;
    ordered(&monitor, "queue.libx265", None).await;
    browser
        .until(
            "the queue to go on",
            &format!("Boolean(document.querySelector(\"{pause}\"))"),
        )
        .await;

    go(&mut browser, "workers").await;
    browser.shows("Encoder support").await;
    browser.click("button[aria-label='Drain atelier']").await;
    ordered(&monitor, "worker.atelier", Some((true, None))).await;
    browser.click("button[aria-label='Hours of atelier']").await;
    browser.shows("By its own clock").await;
    browser.types("22:00-07:00").await;
    browser.press("Enter").await;
    ordered(
        &monitor,
        "worker.atelier",
        Some((true, Some("22:00-07:00"))),
    )
    .await;
    browser.shows("hours: 22:00-07:00").await;
    browser.click("button[aria-label='Resume atelier']").await;
    ordered(
        &monitor,
        "worker.atelier",
        Some((false, Some("22:00-07:00"))),
    )
    .await;
    browser.click("button[aria-label='Hours of atelier']").await;
    browser
        .evaluate("document.querySelector('dialog input').select()")
        .await;
    browser.types("whenever").await;
    browser.press("Enter").await;
    // The error is shown in the dialog, and the typed text is still there.
    let kept = "document.querySelector('dialog[open] .problem:not([hidden])')?.textContent.includes('whenever') &&
                document.querySelector('dialog[open] input').value === 'whenever'";
    browser.until("the dialog to say what is wrong", kept).await;
    let button = ".question button[value='']";
    browser.click(button).await;
    browser
        .until(
            "the dialog to close",
            "!document.querySelector('dialog[open]')",
        )
        .await;
    ordered(
        &monitor,
        "worker.atelier",
        Some((false, Some("22:00-07:00"))),
    )
    .await;

    go(&mut browser, "batches").await;
    browser.shows("holidays").await;
    browser.click("[data-page='batches'] li button").await;
    ordered(
        &monitor,
        &format!("batch.{}", job.batch),
        Some((true, None)),
    )
    .await;
    let resume =
        "document.querySelector(\"[data-page='batches'] li button\").textContent === 'Resume'";
    browser.until("the batch to be paused", resume).await;
    browser.click("[data-page='batches'] li button").await;
    ordered(&monitor, &format!("batch.{}", job.batch), None).await;
    browser.click("[data-page='batches'] li a").await;
    browser.shows("1–1 of 1 job").await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quarantine_is_one_alarm_and_lifted_by_its_button() {
    let monitor = Monitor::start().await;
    let ill = |name: &str, until: Option<Timestamp>| Heartbeat {
        status: WorkerStatus::Quarantined,
        note: Some("3 jobs in a row failed by this worker's fault".to_owned()),
        until,
        ..farm::heartbeat(name, 2, Vec::new(), &[("libx265", 61.0)])
    };
    let workers = vec![ill("atelier", None), ill("mini-pc", Some(Timestamp::now()))];
    let _alive = keep_alive(&monitor, workers).await;
    monitor.enqueue("a.mkv", "libx265").await;
    monitor.enqueue("b.mkv", "any_hevc").await;
    // The test answers in the worker's place.
    let name: WorkerName = "atelier".parse().expect("a name");
    let mut asked = monitor.broker.lift_requests(&name).await.expect("heard");
    let broker = monitor.broker.clone();
    let obeying = tokio::spawn(async move {
        let request = asked.next().await.expect("a request");
        broker.answer_lift(&request, true).await.expect("answered");
    });

    let (mut browser, _folder) = open(&monitor, "").await;
    browser
        .shows("2 workers are quarantined: atelier, mini-pc")
        .await;
    for words in [
        "2 jobs wait in libx265, any_hevc.",
        "lift the quarantine on the worker's card",
        "atelier: 3 jobs in a row failed by this worker's fault. It is proving its encoders now.",
        "mini-pc: 3 jobs in a row failed by this worker's fault. It proves its encoders again at",
    ] {
        browser.shows(words).await;
    }
    let alarms = "document.querySelectorAll('.caution').length === 1";
    browser.until("one alarm for one cause", alarms).await;
    browser.shows("workers quarantined").await;
    browser.picture("quarantine").await;
    browser
        .click("button[aria-label='Lift the quarantine of atelier']")
        .await;
    browser
        .shows("The quarantine of atelier is lifted: it takes jobs again")
        .await;
    obeying.await.expect("no panic");

    // A total links to the jobs that it counts.
    browser
        .evaluate("[...document.querySelectorAll('#totals a')].find((one) => one.textContent === 'Pending').click()")
        .await;
    let listed =
        "document.body.dataset.shown === 'jobs' && location.hash.includes('state=pending')";
    browser.until("the jobs that wait", listed).await;
    browser.shows("b.mkv").await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_alarm_says_what_to_do_about_its_cause() {
    let monitor = Monitor::start().await;
    monitor.enqueue("a.mkv", "libx265").await;
    let (mut browser, _folder) = open(&monitor, "").await;
    browser.shows("1 job waits, and no worker is alive").await;
    browser
        .shows("In libx265. Start a worker: it takes it by itself.")
        .await;

    let resting = |name: &str, encoder, status, until| Heartbeat {
        status,
        until,
        ..farm::heartbeat(name, 2, Vec::new(), &[(encoder, 61.0)])
    };
    let later = Timestamp::now() + jiff::SignedDuration::from_hours(1);
    let workers = vec![
        resting("night", "libx265", WorkerStatus::OffHours, Some(later)),
        resting("idle", "libx264", WorkerStatus::Drained, None),
        resting("leaving", "libvvenc", WorkerStatus::Draining, None),
    ];
    let _alive = keep_alive(&monitor, workers).await;
    let idle: Target = "worker.idle".parse().expect("a target");
    let controls = monitor.broker.orders().await.expect("read");
    let order = controls.pausing(&idle, true, Timestamp::now());
    let given = monitor.broker.give_order(&idle, order.as_ref()).await;
    given.expect("given");
    for (name, encoder) in [("b.mkv", "libx264"), ("c.mkv", "hevc_nvenc")] {
        monitor.enqueue(name, encoder).await;
    }
    for words in [
        "Worker night is off hours",
        "1 job waits in libx265. Its hours begin at",
        "Worker idle is drained",
        "1 job waits in libx264. Resume it on its card, or start another worker.",
        "1 job waits for an encoder that no live worker has proved",
        "In hevc_nvenc. Start a worker that serves this",
    ] {
        browser.shows(words).await;
    }
    // The same worker without an order is about to end.
    let given = monitor.broker.give_order(&idle, None).await;
    given.expect("taken back");
    browser.shows("Worker idle is stopping").await;
    browser.picture("alarms").await;
    drop(browser);
    monitor.stop().await;
}
