//! Changes are offered only for jobs that they can apply to, and the confirmation counts these jobs.

use common::job::id::JobId;

use crate::Monitor;
use crate::pages::{go, open};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_counts_the_jobs_that_it_applies_to_and_history_shows_its_numbers() {
    let monitor = Monitor::start().await;
    let mut jobs: Vec<JobId> = Vec::new();
    for name in ["a.mkv", "b.mkv", "c.mkv"] {
        jobs.push(monitor.enqueue(name, "libx265").await.id);
    }
    monitor.broker.cancel(&jobs[0]).await.expect("cancelled");
    let (mut browser, _folder) = open(&monitor, "jobs?sort=name").await;
    browser.shows("1–3 of 3 jobs").await;
    let is = |verb: &str, live: bool| {
        format!(
            "document.querySelector('.actions [data-verb={verb}]').disabled === {}",
            !live
        )
    };
    let listed = "document.querySelector('.jobs tbody tr').dataset.state === 'cancelled'";
    browser.until("the cancelled job", listed).await;
    browser.click(".jobs thead input").await;
    browser.shows("3 jobs").await;
    browser
        .until("some to be cancelled", &is("cancel", true))
        .await;
    browser
        .until("one to be tried again", &is("retry", true))
        .await;
    browser
        .until("all in their queue", &is("home", false))
        .await;
    browser.click(".actions [data-verb=cancel]").await;
    browser.shows("Cancel 2 jobs?").await;
    browser.click(".question button[value='']").await;
    browser
        .until(
            "the question to go",
            "!document.querySelector('dialog[open]')",
        )
        .await;
    browser.click(".actions [data-verb=none]").await;
    browser
        .click(&format!(".jobs tr[data-id='{}'] input", jobs[0]))
        .await;
    browser
        .until("nothing to be cancelled", &is("cancel", false))
        .await;

    go(&mut browser, &format!("jobs/{}", jobs[1])).await;
    browser.shows("Enqueued").await;
    browser.click(".job [data-verb=prioritise]").await;
    browser.shows("Priority of 1 job").await;
    browser.types("9").await;
    browser.press("Enter").await;
    browser.shows("Priority 5 → 9").await;
    let first = "document.querySelector('.timeline li .words').textContent === 'Enqueued'";
    browser.until("the beginning of its history", first).await;
    drop(browser);
    monitor.stop().await;
}
