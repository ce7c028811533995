//! What the pages look like, to eyes and to screen readers, and when the broker
//! goes away under them.

use common::run::{Report, Run};
use jiff::Timestamp;

use super::{go, keep_alive, open};
use crate::{Monitor, farm};

async fn busy() -> Monitor {
    let monitor = Monitor::start().await;
    for name in ["Metropolis.mkv", "Playtime.mkv"] {
        monitor.enqueue(name, "libx265").await;
    }
    monitor.enqueue("Nosferatu.mkv", "hevc_nvenc").await;
    let job = farm::job("Sunrise.mkv", "libx265", 9_000_000);
    let worker: common::worker::WorkerName = "atelier".parse().expect("a name");
    let run = Run::first(
        job.clone(),
        &farm::lane(&job, 5),
        1,
        worker.clone(),
        Timestamp::now(),
    );
    let report = Report {
        worker: worker.clone(),
        encoder: Some(farm::encoder("libx265")),
        input_size: 9_000_000,
        output_size: 3_000_000,
        frames: 1000,
        duration: 40.0,
        encode_seconds: 16.0,
        total_seconds: 18.0,
        warnings: Vec::new(),
    };
    farm::write_run(&monitor.broker, &run.complete(report, Timestamp::now())).await;
    let job = farm::job("Greed.mkv", "libx265", 5_000_000);
    let run = Run::first(
        job.clone(),
        &farm::lane(&job, 5),
        1,
        worker,
        Timestamp::now(),
    );
    farm::write_run(&monitor.broker, &run).await;
    monitor
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everyone() {
    let monitor = busy().await;
    let beat = farm::heartbeat(
        "atelier",
        2,
        Vec::new(),
        &[("libx265", 61.0), ("libx264", 90.0)],
    );
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "").await;
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        for (page, words) in [
            ("", "Nosferatu.mkv"),
            ("jobs", "of 5 jobs"),
            ("workers", "Who has proved what"),
            ("batches", "Nothing was enqueued yet"),
            ("history", "By worker and encoder"),
            ("broker", "KV_runs"),
            ("settings", "Kept for 90 days"),
        ] {
            go(&mut browser, page).await;
            browser.shows(words).await;
            let barriers = browser.barriers().await;
            assert!(barriers.is_empty(), "{scheme} {page}: {barriers:#?}");
            let name = if page.is_empty() { "overview" } else { page };
            browser.picture(&format!("{name}-{scheme}")).await;
        }
    }
    // A phone shows each page without a step to the side.
    browser.resize(390, 844).await;
    for page in [
        "", "jobs", "workers", "batches", "history", "broker", "settings",
    ] {
        go(&mut browser, page).await;
        let fits = "document.documentElement.scrollWidth <= innerWidth";
        browser.until(&format!("{page} to fit a phone"), fits).await;
        let name = if page.is_empty() { "overview" } else { page };
        browser.picture(&format!("{name}-phone")).await;
    }
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_dies_under_an_open_page() {
    let mut monitor = busy().await;
    let (mut browser, _folder) = open(&monitor, "jobs").await;
    browser.shows("of 5 jobs").await;
    monitor.server.kill();
    browser.shows("Broker out of reach since").await;
    // What was known is still there to be looked at.
    browser.shows("Metropolis.mkv").await;
    monitor.server.restart();
    browser.shows("Live").await;
    monitor.until_ready(true).await;
    monitor.enqueue("Faust.mkv", "libx265").await;
    browser.shows("Faust.mkv").await;
    drop(browser);
    monitor.stop().await;
}
