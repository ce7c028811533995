//! The layout on screens of every width, with short and long names.

use common::job::failure::Failure;
use harness::browser::Browser;
use jiff::{SignedDuration, Timestamp};

use crate::api::create::with_films;
use crate::pages::{go, keep_alive, open};
use crate::{Monitor, farm};

/// A worker whose name hardly fits on a card.
const WORKER: &str = "the-machine-under-the-stairs-that-nobody-dares-to-turn-off-2";

/// A farm with long names everywhere.
async fn fill(monitor: &Monitor) -> common::job::id::JobId {
    let film = |nth: u32| {
        let group = "x".repeat(90);
        format!("The_Film_Of_{nth}_Whose_Name_Has_No_Blank_In_It_And_Goes_On_{group}.mkv")
    };
    for nth in 0..4 {
        let job = monitor.enqueue(&film(nth), "libx265").await;
        let label = format!(
            "Planet of the Very Long Titles - Season {nth} - {}",
            "remux-".repeat(30)
        );
        monitor.keep_batch(&job, &label).await;
    }
    let message = format!(
        "source is damaged: it ends at 7.7 s of 15.0 s: s3://media/in/{}",
        film(9)
    );
    let failed = farm::begun(&film(8), "libx265", WORKER);
    let running = farm::begun(&film(7), "libx265", WORKER);
    let completed = farm::begun(&film(6), "libx265", WORKER);
    let job = running.job.id;
    for run in [
        failed.fail(
            Failure::input(message),
            SignedDuration::ZERO,
            Timestamp::now(),
        ),
        completed.complete(farm::report(WORKER, "libx265"), Timestamp::now()),
        running,
    ] {
        farm::write_run(&monitor.broker, &run).await;
    }
    job
}

/// The positions of the parts of the header and of the page's first panel.
const PLACES: &str =
    "JSON.stringify([...document.querySelectorAll('.brand, .sections a')].map((part) => {
  const { left, top, width } = part.getBoundingClientRect();
  return [left, top, width].map((pixels) => Math.round(10 * pixels));
}))";

async fn assert_layout(browser: &mut Browser, page: &str, width: u32) {
    // A phone widens its window if a page does not fit.
    let fits = format!("document.documentElement.scrollWidth <= {width}");
    browser
        .until(&format!("{page} to fit {width} pixels"), &fits)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_wider_than_its_window_and_its_header_stands_still() {
    let (monitor, _films) = with_films().await;
    let job = fill(&monitor).await;
    let beat = farm::heartbeat(
        WORKER,
        2,
        vec![job],
        &[("libx265", 61.0), ("libx264", 90.0)],
    );
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "").await;
    let job = format!("jobs/{job}");
    let pages = [
        ("", "1 running"),
        ("jobs", "of 7 jobs"),
        (job.as_str(), "Enqueued"),
        ("workers", "Encoder support"),
        ("batches", "Planet of the Very"),
        ("history", "Why jobs failed"),
        ("broker", "KV_runs"),
        ("settings", "Kept for 90 days"),
        ("new", "films/"),
    ];
    for width in [390, 800, 1200, 1440, 2200] {
        browser.resize(width, 1000).await;
        let mut places: Option<String> = None;
        for (page, words) in pages {
            go(&mut browser, page).await;
            if page.is_empty() {
                browser
                    .until(
                        "the title",
                        &format!("document.title.startsWith('{words}')"),
                    )
                    .await;
            } else {
                browser.shows(words).await;
            }
            assert_layout(&mut browser, page, width).await;
            browser.evaluate("scrollTo(0, 0)").await;
            let now = browser.evaluate(PLACES).await;
            let before = places.get_or_insert_with(|| now.clone());
            assert_eq!(*before, now, "the header moved on {page} at {width}");
        }
        go(&mut browser, "jobs").await;
        browser.shows("of 7 jobs").await;
        let whole = "[...document.querySelectorAll('.scroll:has(.jobs)')].every((part) => part.scrollWidth <= part.clientWidth)";
        browser
            .until(&format!("all columns in sight at {width}"), whole)
            .await;
        browser.picture(&format!("long-jobs-{width}")).await;
        go(&mut browser, "batches").await;
        browser.shows("Planet of the Very").await;
        browser.picture(&format!("long-batches-{width}")).await;
        if width > 1000 {
            let aligned = "Math.abs(document.querySelector('.brand').getBoundingClientRect().left
                           - document.querySelector('main .page > :is(section, div, article):not([hidden])').getBoundingClientRect().left) < 1";
            browser
                .until(&format!("header and page on one line at {width}"), aligned)
                .await;
        }
        go(&mut browser, "history").await;
        browser.shows("Why jobs failed").await;
        browser.picture(&format!("long-history-{width}")).await;
        let level = "(() => {
          const rows = new Map();
          for (const svg of document.querySelectorAll('.history > .charts svg')) {
            const figure = svg.closest('figure').getBoundingClientRect();
            const offset = Math.round(svg.getBoundingClientRect().top - figure.top);
            const row = Math.round(figure.top);
            if ((rows.get(row) ?? offset) !== offset) return false;
            rows.set(row, offset);
          }
          return rows.size > 0;
        })()";
        browser
            .until(&format!("charts on one line at {width}"), level)
            .await;
    }
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_shows_how_its_jobs_ended_and_a_page_without_a_job_offers_no_change() {
    let monitor = Monitor::start().await;
    let job = monitor.enqueue("a.mkv", "libx265").await;
    let run = farm::claimed(job.clone(), "atelier");
    let failure = Failure::input("no video in it");
    farm::write_run(
        &monitor.broker,
        &run.fail(failure, SignedDuration::ZERO, Timestamp::now()),
    )
    .await;
    monitor.keep_batch(&job, "holidays").await;
    let (mut browser, _folder) = open(&monitor, "batches").await;
    browser.shows("1 job · 1 failed").await;
    let shares = "JSON.stringify([...document.querySelectorAll('.shares > *')].map((share) => share.getBoundingClientRect().width > 0)) === '[false,false,true,false]'";
    browser.until("a bar of failures only", shares).await;

    go(&mut browser, "jobs/deadbeef-8a0f-5f6e-9a55-2d2b8a6cf9ab").await;
    browser.shows("Job not found").await;
    let shown = "[...document.querySelectorAll('.job button, .job h3')].filter((part) => part.checkVisibility()).length === 0";
    browser.until("nothing to be done", shown).await;
    go(&mut browser, &format!("jobs/{}", job.id)).await;
    browser.shows("No video in it").await;
    browser
        .until("something to be done", &shown.replace("=== 0", "> 0"))
        .await;
    drop(browser);
    monitor.stop().await;
}
