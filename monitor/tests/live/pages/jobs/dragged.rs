//! Jobs that are dragged onto workers, and a table that does not move meanwhile.

use harness::browser::Browser;

use super::{row, workers};
use crate::pages::{keep_alive, open, until_job};
use crate::{Monitor, farm};

/// Records from now on how far an element moves on the page.
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

/// The most pixels by which the watched element has moved.
async fn moved(browser: &mut Browser) -> String {
    browser.evaluate("String(Math.round(watch.moved))").await
}

/// The time of two frames, so that everything due is drawn.
const TWO_FRAMES: &str =
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))";

/// Follows the live state beside the page, as `window.heard`. The page's own stream has brought the same events.
const HEAR: &str = "(() => {
  window.heard = {};
  const stream = new EventSource('/api/v1/live');
  const take = ({ data }) => Object.assign(window.heard, JSON.parse(data));
  for (const kind of ['state', 'change']) stream.addEventListener(kind, take);
})()";

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
    browser.drag_from(&format!("{} td.mono", row(&job))).await;
    browser.drag_over(&name("mini-pc")).await;
    browser.shows("No: libx265 is not in its ffmpeg").await;
    browser.drag_over(&name("atelier")).await;
    browser.shows("Yes: 0 of 2 slots busy").await;
    browser.picture("drag").await;
    browser.drop_on(&name("mini-pc")).await;

    browser.drag_from(&format!("{} td.mono", row(&job))).await;
    browser.drag_over(&name("atelier")).await;
    browser.shows("Yes: 0 of 2 slots busy").await;
    assert_eq!(moved(&mut browser).await, "0", "the row moved");
    browser.drop_on(&name("atelier")).await;
    browser.shows("Assigned to atelier: 1 job").await;
    until_job(&monitor, &job, "the job to wait for atelier", |record| {
        record.queue().to_string() == "on_atelier"
    })
    .await;
    browser.shows("on_atelier").await;
    assert!(!browser.text().await.contains("Assigned to mini-pc"));
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
    browser.evaluate(HEAR).await;
    let mut jobs_now = jobs.len();
    let place = row(&jobs[1]);
    for width in [1440, 1000, 700, 500] {
        browser.resize(width, 1000).await;
        browser.evaluate("scrollTo(0, 0)").await;
        watch_place(&mut browser, &place).await;
        browser.click(&format!("{place} input")).await;
        browser.shows("1 job").await;
        browser.picture(&format!("chosen-{width}")).await;
        browser.click(".jobs thead input").await;
        browser.shows("Select all 6").await;
        browser.click(".jobs thead input").await;
        browser.shows("No job selected").await;
        browser.picture(&format!("none-chosen-{width}")).await;

        browser.drag_from(&format!("{place} th")).await;
        browser.shows("Yes: 0 of 2 slots busy").await;
        // Changes that arrive during a drag are shown after the drop.
        let new = format!("0-new-{width}.mkv");
        monitor.enqueue(&new, "libx265").await;
        jobs_now += 1;
        let late = format!("late-{width}");
        let late = farm::heartbeat(&late, 1, Vec::new(), &[("libx265", 9.0)]);
        monitor.broker.heartbeat(&late).await.expect("heard");
        let heard = format!(
            "heard.workers?.some((row) => row.name === '{}') && heard.listing?.states[0][1] === {jobs_now}",
            late.name
        );
        browser.until("the page to hear what is new", &heard).await;
        browser.evaluate(TWO_FRAMES).await;
        browser.drag_over(".target:has([title='mini-pc'])").await;
        browser
            .shows("mini-pc: No: libx265 is not in its ffmpeg")
            .await;
        assert_eq!(moved(&mut browser).await, "0", "the row moved at {width}");
        browser.drop_on(".target:has([title='mini-pc'])").await;
        browser.shows(&new).await;
        browser.shows(late.name.as_str()).await;
        browser.click(".actions [data-verb='none']").await;
    }
    drop(browser);
    monitor.stop().await;
}
