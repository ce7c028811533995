//! The table of jobs: searched, selected, and changed by mouse and keyboard.

mod dragged;
mod job;
mod names;
mod parts;
mod selected;

use common::farm::worker::Heartbeat;
use common::job::failure::Failure;
use common::job::id::JobId;
use common::job::state::JobState;
use jiff::{SignedDuration, Timestamp};

use crate::pages::{keep_alive, open, tab_to, until_job};
use crate::{Monitor, farm};

/// Two workers, of which one can run the jobs of these tests.
fn workers() -> Vec<Heartbeat> {
    vec![
        farm::heartbeat("atelier", 2, Vec::new(), &[("libx265", 61.0)]),
        farm::heartbeat("mini-pc", 1, Vec::new(), &[("libx264", 20.0)]),
    ]
}

/// The selector of a job's row.
fn row(job: &JobId) -> String {
    format!(".jobs tr[data-id='{job}']")
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_chosen_and_steered_by_keyboard_alone() {
    let monitor = Monitor::start().await;
    let _alive = keep_alive(&monitor, workers()).await;
    let mut jobs = Vec::new();
    for name in ["a.mkv", "b.mkv", "c.mkv"] {
        jobs.push(monitor.enqueue(name, "libx265").await.id);
    }
    let (mut browser, _folder) = open(&monitor, "jobs?sort=name").await;
    browser.shows("c.mkv").await;
    tab_to(&mut browser, "tr").await;
    let here = "document.activeElement.dataset.id";
    assert_eq!(browser.evaluate(here).await, jobs[0].to_string());
    browser.press(" ").await;
    browser.press("ArrowDown").await;
    browser.press(" ").await;
    browser.shows("2 jobs").await;

    browser.press("p").await;
    browser.shows("Priority of 2 jobs").await;
    browser.types("9").await;
    browser.press("Enter").await;
    for job in &jobs[..2] {
        until_job(&monitor, job, "priority 9", |record| {
            u8::from(record.priority()) == 9
        })
        .await;
    }
    until_job(&monitor, &jobs[2], "priority 5", |record| {
        u8::from(record.priority()) == 5
    })
    .await;

    browser.press("a").await;
    browser.shows("Assign 2 jobs to a worker").await;
    browser.shows("libx265 is not in its ffmpeg").await;
    browser.press(" ").await;
    browser.press("Enter").await;
    browser.shows("Assigned to atelier: 2 jobs").await;
    browser.press("h").await;
    for job in &jobs[..2] {
        until_job(&monitor, job, "its own queue", |record| {
            record.queue().to_string() == "libx265"
        })
        .await;
    }

    browser.press("Delete").await;
    browser.shows("Cancel 2 jobs?").await;
    browser.press("Enter").await;
    for job in &jobs[..2] {
        until_job(&monitor, job, "cancelled", |record| {
            record.state() == JobState::Cancelled
        })
        .await;
    }
    browser.press("r").await;
    for job in &jobs[..2] {
        until_job(&monitor, job, "pending", |record| {
            record.state() == JobState::Pending
        })
        .await;
    }
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_found_by_state_name_and_page() {
    let monitor = Monitor::start().await;
    for number in 0..120 {
        monitor
            .enqueue(&format!("film-{number:03}.mkv"), "libx265")
            .await;
    }
    let job = farm::job("broken.mkv", "libx265", 1);
    let run = farm::claimed(job.clone(), "atelier");
    let failure = Failure::input("no video in it").with_log(vec!["moov atom not found".to_owned()]);
    let run = run.fail(failure, SignedDuration::ZERO, Timestamp::now());
    farm::write_run(&monitor.broker, &run).await;

    let (mut browser, _folder) = open(&monitor, "jobs?sort=name").await;
    browser.shows("1–50 of 121 jobs").await;
    browser.click(".pager button[data-step='1']").await;
    browser.shows("51–100 of 121 jobs").await;
    browser.click(".pager button[data-step='1']").await;
    browser.shows("101–121 of 121 jobs").await;
    browser.shows("film-119.mkv").await;

    browser.click(".filters input[type='search']").await;
    browser.types("FILM-04").await;
    browser.shows("1–10 of 10 jobs").await;
    browser.click(".jobs th[data-sort='name'] button").await;
    let first = "document.querySelector('.jobs tbody .name').textContent === 'film-049.mkv'";
    browser.until("the other order", first).await;
    browser.click(".filters button[type='reset']").await;
    browser.click(".tabs .tab:nth-child(7)").await;
    browser.shows("1–1 of 1 job").await;

    browser.click(".jobs tbody a").await;
    browser.shows("moov atom not found").await;
    browser.click(".job button[data-verb='retry']").await;
    browser.shows("Trying again: 1 job").await;
    until_job(&monitor, &job.id, "pending", |record| {
        record.state() == JobState::Pending
    })
    .await;
    browser.shows("Enqueued again").await;
    browser.picture("job").await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_applies_to_all_jobs_that_a_filter_finds() {
    let monitor = Monitor::start().await;
    let mut films = Vec::new();
    for number in 0..300 {
        let job = farm::job(&format!("film-{number:03}.mkv"), "libx265", 1);
        films.push((job.clone(), farm::lane(&job, 5)));
    }
    monitor
        .broker
        .enqueue(&films, |_| {})
        .await
        .expect("enqueued");
    let other = monitor.enqueue("other.mkv", "libx265").await.id;

    let (mut browser, _folder) = open(&monitor, "jobs?text=film-").await;
    browser.shows("1–50 of 300 jobs").await;
    browser.click(".jobs thead input").await;
    browser.shows("50 jobs").await;
    browser.click(".actions button[data-verb='all']").await;
    browser
        .until(
            "all to be chosen",
            "document.querySelector('.actions .chosen').textContent === '300 jobs'",
        )
        .await;
    browser.click(".actions button[data-verb='cancel']").await;
    browser.shows("Cancel 300 jobs?").await;
    browser.press("Enter").await;
    browser.shows("Cancelled: 300 jobs").await;
    for (job, _) in &films {
        until_job(&monitor, &job.id, "cancelled", |record| {
            record.state() == JobState::Cancelled
        })
        .await;
    }
    until_job(&monitor, &other, "pending", |record| {
        record.state() == JobState::Pending
    })
    .await;

    // A page that is selected again is only that page, and not all jobs. Its rows show their new state first.
    browser
        .until(
            "a page of cancelled jobs",
            "document.querySelectorAll('.jobs tbody tr[data-state=\"cancelled\"]').length === 50",
        )
        .await;
    browser.click(".jobs thead input").await;
    browser.click(".actions button[data-verb='retry']").await;
    browser.shows("Trying again: 50 jobs").await;
    drop(browser);
    monitor.stop().await;
}
