//! Pages that are opened while the monitor restarts.

use common::names::subject::RUNS;

use super::open;
use crate::api::create::with_films;
use crate::{Monitor, farm};

/// Makes every request fail except the one for the session, with the error of a browser that cannot connect, until the
/// test says that the monitor is back.
const AWAY: &str = "
  const real = window.fetch;
  window.failures = 0;
  window.fetch = (...request) => {
    if (sessionStorage.getItem('back') || String(request[0]).endsWith('/session')) return real(...request);
    window.failures += 1;
    return Promise.reject(new TypeError('Failed to fetch'));
  };";

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_first_requests_fail_recovers_although_nothing_happens_in_the_farm() {
    let (monitor, _films) = with_films().await;
    let done = farm::begun("Sunrise.mkv", "libx265", "atelier");
    let job = done.job.clone();
    let done = done.complete(farm::report("atelier", "libx265"), jiff::Timestamp::now());
    farm::write_run(&monitor.broker, &done).await;
    monitor.keep_batch(&job, "Silent films").await;
    let (mut browser, _folder) = open(&monitor, "").await;
    browser.shows("Live").await;
    browser.before_pages(AWAY).await;
    let job = format!("jobs/{}", job.id);
    let bucket = format!("KV_{RUNS}");
    for (page, words) in [
        ("", "Jobs completed in the last day"),
        ("jobs", "1–1 of 1 job"),
        (&job, "s3://media/out/Sunrise.mkv"),
        ("new", "films/"),
        ("batches", "Silent films"),
        ("history", "By worker and encoder"),
        ("broker", &bucket),
        ("settings", "Kept for 90 days"),
    ] {
        browser
            .evaluate(&format!(
                "sessionStorage.removeItem('back'); location.hash = '#/{page}'; location.reload()"
            ))
            .await;
        browser
            .until(
                &format!("{page:?} to fail"),
                "window.failures > 0 && document.body.innerText.includes('Live')",
            )
            .await;
        assert!(!browser.text().await.contains(words), "{page}");
        browser
            .evaluate("sessionStorage.setItem('back', 'yes')")
            .await;
        browser.shows(words).await;
    }
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_opened_while_the_monitor_restarts_recovers() {
    let monitor = Monitor::start().await;
    let (mut browser, _folder) = open(&monitor, "").await;
    browser.shows("Live").await;
    // The error of a browser that cannot connect.
    browser
        .before_pages(
            "const real = window.fetch;
             window.fetch = (...asked) => sessionStorage.getItem('back')
               ? real(...asked)
               : Promise.reject(new TypeError('Failed to fetch'));",
        )
        .await;
    browser.evaluate("location.reload()").await;
    browser.shows("Connection lost, reconnecting").await;
    browser
        .evaluate("sessionStorage.setItem('back', 'yes')")
        .await;
    browser.shows("Live").await;
    browser.shows("No worker is alive").await;
    drop(browser);
    monitor.stop().await;
}
