//! The appearance of all pages, for eyes and for screen readers, and when the broker goes away.

use common::job::failure::Failure;
use common::job::id::JobId;
use harness::browser::Browser;
use jiff::{SignedDuration, Timestamp};

use crate::api::create::with_films;
use crate::pages::{go, keep_alive, open};
use crate::{Monitor, farm};

/// One job in each state whose page differs.
struct Jobs {
    running: JobId,
    failed: JobId,
    completed: JobId,
}

async fn fill(monitor: &Monitor) -> Jobs {
    for name in ["Metropolis.mkv", "Playtime.mkv"] {
        monitor.enqueue(name, "libx265").await;
    }
    let pending = monitor.enqueue("Nosferatu.mkv", "hevc_nvenc").await;
    monitor.keep_batch(&pending, "Silent films").await;
    let [completed, failed, running] = ["Sunrise.mkv", "Faust.mkv", "Greed.mkv"]
        .map(|name| farm::begun(name, "libx265", "atelier"));
    let jobs = Jobs {
        running: running.job.id,
        failed: failed.job.id,
        completed: completed.job.id,
    };
    let failure = Failure::input("no video in it").with_log(vec!["moov atom not found".to_owned()]);
    for run in [
        completed.complete(farm::report("atelier", "libx265"), Timestamp::now()),
        failed.fail(failure, SignedDuration::ZERO, Timestamp::now()),
        running,
    ] {
        farm::write_run(&monitor.broker, &run).await;
    }
    jobs
}

/// Checks a page in light and in dark, with all its folded parts open.
async fn look(browser: &mut Browser, page: &str, name: &str) {
    let unfold = "document.querySelectorAll('main details').forEach((part) => (part.open = true))";
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        browser.picture(&format!("{name}-{scheme}")).await;
        browser.evaluate(unfold).await;
        let barriers = browser.barriers().await;
        assert!(barriers.is_empty(), "{scheme} {page}: {barriers:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_can_be_read_by_everyone() {
    let (monitor, _films) = with_films().await;
    let jobs = fill(&monitor).await;
    let proved = [("libx265", 61.0), ("libx264", 90.0)];
    let beat = farm::heartbeat("atelier", 2, vec![jobs.running], &proved);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "").await;
    let [running, failed, completed] =
        [jobs.running, jobs.failed, jobs.completed].map(|job| format!("jobs/{job}"));
    let pages = [
        ("", "overview", "Nosferatu.mkv"),
        ("jobs", "jobs", "of 6 jobs"),
        (running.as_str(), "job-running", "Reading"),
        (&failed, "job-failed", "moov atom not found"),
        (&completed, "job-completed", "63 fps, 2.5×"),
        ("workers", "workers", "1 job completed, 1 failed"),
        (
            "workers?bits=12",
            "workers-none",
            "0 of 1 worker can do this",
        ),
        ("batches", "batches", "Silent films"),
        ("history", "history", "By worker and encoder over time"),
        ("broker", "broker", "KV_runs"),
        ("settings", "settings", "Kept for 90 days"),
    ];
    for (page, name, words) in pages {
        go(&mut browser, page).await;
        browser.shows(words).await;
        look(&mut browser, page, name).await;
    }
    go(&mut browser, "new").await;
    browser.click(".entries li:first-child button").await;
    browser.click(".entries li:last-child input").await;
    browser.shows("1 file, 4 B").await;
    browser.shows("score").await;
    look(&mut browser, "new", "new").await;

    // On a phone, no page scrolls sideways.
    browser.resize(390, 844).await;
    let new = ("new", "new", "1 file, 4 B");
    for (page, name, words) in pages.into_iter().chain([new]) {
        go(&mut browser, page).await;
        browser.shows(words).await;
        let fits = "document.documentElement.scrollWidth <= 390";
        browser.until(&format!("{page} to fit a phone"), fits).await;
        browser.picture(&format!("{name}-phone")).await;
    }
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_broker_dies_under_an_open_page() {
    let mut monitor = Monitor::start().await;
    fill(&monitor).await;
    let (mut browser, _folder) = open(&monitor, "jobs").await;
    browser.shows("of 6 jobs").await;
    monitor.server.kill();
    browser.shows("Broker out of reach since").await;
    // Known data stays on the page.
    browser.shows("Metropolis.mkv").await;
    monitor.server.restart();
    browser.shows("Live").await;
    monitor.until_ready(true).await;
    monitor.enqueue("Nana.mkv", "libx265").await;
    browser.shows("Nana.mkv").await;
    drop(browser);
    monitor.stop().await;
}
