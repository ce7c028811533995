//! The table of jobs: found, chosen, dragged, steered by mouse and keyboard.

use common::job::event::{Event, What};
use common::job::failure::Failure;
use common::job::id::JobId;
use common::job::record::JobRecord;
use common::job::run::Run;
use common::job::state::JobState;
use harness::browser::Browser;
use jiff::{SignedDuration, Timestamp};

use super::{go, keep_alive, open};
use crate::{Monitor, farm};

/// Waits until the broker says that a job stands so.
async fn stands(monitor: &Monitor, job: &JobId, what: &str, is_so: impl Fn(&JobRecord) -> bool) {
    harness::poll::until(what, async || {
        let record = monitor.broker.job(job).await.ok()??;
        is_so(&record).then_some(())
    })
    .await;
}

fn workers() -> Vec<common::farm::worker::Heartbeat> {
    vec![
        farm::heartbeat("atelier", 2, Vec::new(), &[("libx265", 61.0)]),
        farm::heartbeat("mini-pc", 1, Vec::new(), &[("libx264", 20.0)]),
    ]
}

/// The row of a job, for a selector.
fn row(job: &JobId) -> String {
    format!(".jobs tr[data-id='{job}']")
}

/// Has the page keep watch on where an element stands on it, from now on.
async fn watch_place(browser: &mut Browser, selector: &str) {
    let script = format!(
        "(() => {{
          const height = () => document.querySelector(\"{selector}\").getBoundingClientRect().top + scrollY;
          const before = height();
          const watch = (window.watch = {{ moved: 0 }});
          const look = () => {{
            watch.moved = Math.max(watch.moved, Math.abs(height() - before));
            if (window.watch === watch) requestAnimationFrame(look);
          }};
          look();
        }})()"
    );
    browser.evaluate(&script).await;
}

/// Pixels by which the watched element has moved at the most.
async fn moved(browser: &mut Browser) -> String {
    browser.evaluate("String(Math.round(watch.moved))").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_dragged_onto_a_worker_that_can_run_it_and_no_other() {
    let monitor = Monitor::start().await;
    let _alive = keep_alive(&monitor, workers()).await;
    let job = monitor.enqueue("Metropolis.mkv", "libx265").await.id;
    let (mut browser, _folder) = open(&monitor, "jobs").await;
    browser.shows("Metropolis.mkv").await;
    browser.shows("atelier").await;

    let name = |worker: &str| format!(".target:has([title='{worker}'])");
    watch_place(&mut browser, &row(&job)).await;
    browser.take(&format!("{} td.mono", row(&job))).await;
    browser.hover(&name("mini-pc")).await;
    browser.shows("no: libx265 is not in its ffmpeg").await;
    browser.hover(&name("atelier")).await;
    browser.shows("yes: 0 of 2 slots busy").await;
    browser.picture("drag").await;
    browser.let_go(&name("mini-pc")).await;

    browser.take(&format!("{} td.mono", row(&job))).await;
    browser.hover(&name("atelier")).await;
    browser.shows("yes: 0 of 2 slots busy").await;
    assert_eq!(moved(&mut browser).await, "0", "the row moved");
    browser.let_go(&name("atelier")).await;
    browser.shows("Given to atelier: 1 job").await;
    stands(&monitor, &job, "the job to wait for atelier", |record| {
        record.queue().to_string() == "on_atelier"
    })
    .await;
    browser.shows("on_atelier").await;
    assert!(!browser.text().await.contains("Given to mini-pc"));
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_moves_under_the_pointer_on_a_screen_of_any_width() {
    let monitor = Monitor::start().await;
    let _alive = keep_alive(&monitor, workers()).await;
    let mut jobs = Vec::new();
    for number in 0..60 {
        jobs.push(
            monitor
                .enqueue(&format!("a-{number:02}.mkv"), "libx265")
                .await
                .id,
        );
    }
    let (mut browser, _folder) = open(&monitor, "jobs?sort=name").await;
    browser.shows("1–50 of 60 jobs").await;
    browser.shows("atelier").await;
    let place = row(&jobs[1]);
    for width in [1440, 1000, 700, 500] {
        browser.resize(width, 1000).await;
        browser.evaluate("scrollTo(0, 0)").await;
        watch_place(&mut browser, &place).await;
        browser.click(&format!("{place} input")).await;
        browser.shows("1 job").await;
        browser.picture(&format!("chosen-{width}")).await;
        browser.click(".jobs thead input").await;
        browser.shows("Choose all 6").await;
        browser.click(".jobs thead input").await;
        browser.shows("No job chosen").await;
        browser.picture(&format!("none-chosen-{width}")).await;

        browser.take(&format!("{place} th")).await;
        browser.shows("yes: 0 of 2 slots busy").await;
        // What comes in while a person drags is shown once they have let go.
        let new = monitor
            .enqueue(&format!("0-new-{width}.mkv"), "libx265")
            .await
            .id;
        let late = format!("late-{width}");
        let late = farm::heartbeat(&late, 1, Vec::new(), &[("libx265", 9.0)]);
        monitor.broker.heartbeat(&late).await.expect("heard");
        let known = format!(
            "(await (await fetch('/api/v1/jobs?text={new}')).json()).total === 1 &&
             (await (await fetch('/api/v1/state')).json()).workers.some((row) => row.name === '{}')",
            late.name
        );
        browser
            .until("the monitor to know what is new", &known)
            .await;
        browser
            .evaluate("new Promise((done) => setTimeout(done, 1500))")
            .await;
        browser.hover(".target:has([title='mini-pc'])").await;
        browser
            .shows("mini-pc: no: libx265 is not in its ffmpeg")
            .await;
        assert_eq!(moved(&mut browser).await, "0", "the row moved at {width}");
        browser.let_go(".target:has([title='mini-pc'])").await;
        browser.shows(&format!("0-new-{width}.mkv")).await;
        browser.shows(late.name.as_str()).await;
        browser.click(".actions [data-verb='none']").await;
    }
    drop(browser);
    monitor.stop().await;
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
    // Tab by tab to the first row.
    for _ in 0..60 {
        browser.press("Tab").await;
        if browser.evaluate("document.activeElement.tagName").await == "TR" {
            break;
        }
    }
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
        stands(&monitor, job, "priority 9", |record| {
            u8::from(record.priority()) == 9
        })
        .await;
    }
    stands(&monitor, &jobs[2], "priority 5", |record| {
        u8::from(record.priority()) == 5
    })
    .await;

    browser.press("a").await;
    browser.shows("Give 2 jobs to one worker").await;
    browser.shows("libx265 is not in its ffmpeg").await;
    browser.press(" ").await;
    browser.press("Enter").await;
    browser.shows("Given to atelier: 2 jobs").await;
    browser.press("h").await;
    for job in &jobs[..2] {
        stands(&monitor, job, "its own queue", |record| {
            record.queue().to_string() == "libx265"
        })
        .await;
    }

    browser.press("Delete").await;
    browser.shows("Cancel 2 jobs?").await;
    browser.press("Enter").await;
    for job in &jobs[..2] {
        stands(&monitor, job, "cancelled", |record| {
            record.state() == JobState::Cancelled
        })
        .await;
    }
    browser.press("r").await;
    for job in &jobs[..2] {
        stands(&monitor, job, "pending", |record| {
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
    let worker = "atelier".parse().expect("a name");
    let run = Run::first(
        job.clone(),
        &farm::lane(&job, 5),
        1,
        worker,
        Timestamp::now(),
    );
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
    browser.click(".tabs .tab:nth-child(6)").await;
    browser.shows("1–1 of 1 job").await;

    browser.click(".jobs tbody a").await;
    browser.shows("moov atom not found").await;
    browser.click(".job button[data-verb='retry']").await;
    browser.shows("To be tried again: 1 job").await;
    stands(&monitor, &job.id, "pending", |record| {
        record.state() == JobState::Pending
    })
    .await;
    browser.shows("Put back in the queue").await;
    browser.picture("job").await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_given_to_all_jobs_that_are_found() {
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
        stands(&monitor, &job.id, "cancelled", |record| {
            record.state() == JobState::Cancelled
        })
        .await;
    }
    stands(&monitor, &other, "pending", |record| {
        record.state() == JobState::Pending
    })
    .await;

    // A page chosen once more is a page, and not all. Its rows tell of their new state first.
    browser
        .until(
            "a page of cancelled jobs",
            "document.querySelectorAll('.jobs tbody tr[data-state=\"cancelled\"]').length === 50",
        )
        .await;
    browser.click(".jobs thead input").await;
    browser.click(".actions button[data-verb='retry']").await;
    browser.shows("To be tried again: 50 jobs").await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_inert_on_every_page() {
    let monitor = Monitor::start().await;
    let names = [
        "<img src=x onerror=\"document.title='owned'\">.mkv",
        "<script>document.title='owned'</script>.mkv",
        "'\"><svg onload=alert(1)>.mkv",
        "\u{202e}vkm.drakcab.mkv",
    ];
    let mut first = None;
    for name in names {
        let job = monitor.enqueue(name, "libx265").await;
        let worker = "atelier".parse().expect("a name");
        let run = Run::first(
            job.clone(),
            &farm::lane(&job, 5),
            1,
            worker,
            Timestamp::now(),
        );
        let failure = Failure::input(name).with_log(vec![name.to_owned()]);
        let run = run.fail(failure, SignedDuration::ZERO, Timestamp::now());
        farm::write_run(&monitor.broker, &run).await;
        monitor
            .broker
            .keep_batch(&common::job::batch::Batch {
                id: job.batch,
                label: name.to_owned(),
                jobs: 1,
                enqueued: Timestamp::now(),
                folder: None,
            })
            .await
            .expect("kept");
        first.get_or_insert(job.id);
    }
    let job = format!("jobs/{}", first.expect("a job"));
    let (mut browser, _folder) = open(&monitor, "").await;
    for page in ["", "jobs", &job, "batches", "history"] {
        go(&mut browser, page).await;
        browser.shows("<img src=x onerror=").await;
        let made = browser
            .evaluate("String(document.querySelectorAll('main :is(img, script, iframe), main svg[onload]').length)")
            .await;
        assert_eq!(made, "0", "{page}");
        assert!(
            !browser.evaluate("document.title").await.contains("owned"),
            "{page}"
        );
    }
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_running_job_is_followed_and_its_command_shown() {
    let monitor = Monitor::start().await;
    let job = farm::job("Sunrise.mkv", "libx265", 1);
    let worker = "atelier".parse().expect("a name");
    let run = Run::first(
        job.clone(),
        &farm::lane(&job, 5),
        1,
        worker,
        Timestamp::now(),
    );
    farm::write_run(&monitor.broker, &run).await;
    let started = Event {
        job: job.id,
        attempt: 1,
        at: Timestamp::now(),
        what: What::Command("ffmpeg -i '<b>in.mkv' -c:v libx265 out.mkv".to_owned()),
        priority: None,
    };
    monitor.broker.record_event(&started).await;
    let _alive = keep_alive(
        &monitor,
        vec![farm::heartbeat("atelier", 2, vec![job.id], &[])],
    )
    .await;
    let (mut browser, _folder) = open(&monitor, &format!("jobs/{}", job.id)).await;
    browser.shows("ffmpeg's command line").await;
    browser.click(".job details:not([hidden]) summary").await;
    browser
        .shows("ffmpeg -i '<b>in.mkv' -c:v libx265 out.mkv")
        .await;
    browser.shows("reading").await;
    // A line that comes before the page listens is nobody's.
    let subject = common::names::subject::logs(&job.id);
    let client = monitor.broker.client().clone();
    let talking = tokio::spawn(async move {
        loop {
            let line = "Past duration <i>0.99</i> too large".into();
            client.publish(subject.clone(), line).await.expect("sent");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    });
    browser.shows("Past duration <i>0.99</i> too large").await;
    talking.abort();
    drop(browser);
    monitor.stop().await;
}
