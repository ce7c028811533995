//! The strip of a split job, which fills chunk by chunk.

use common::job::part::Part;

use crate::pages::{keep_alive, open, tab_to};
use crate::split::{SplitJob, progress};
use crate::{Monitor, farm};

/// The number of segments that match a selector.
fn count(selector: &str) -> String {
    format!("String(document.querySelectorAll('.strip .segment{selector}').length)")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_film_fills_and_every_chunk_tells_who_makes_it() {
    let monitor = Monitor::start().await;
    let job = SplitJob::begin(&monitor, "Napoléon.mkv").await;
    let first = job.claim(&monitor, Part::Chunk(0), "north").await;
    job.complete(&monitor, &first).await;
    let second = job.claim(&monitor, Part::Chunk(1), "south").await;
    let third = job.claim(&monitor, Part::Chunk(2), "north").await;
    let rest = job.claim(&monitor, Part::Rest, "west").await;
    let beats = [("north", &third), ("south", &second), ("west", &rest)];
    let beats = beats
        .map(|(worker, run)| farm::heartbeat(worker, 1, vec![run.job.id], &[("libx265", 61.0)]));
    let _alive = keep_alive(&monitor, beats.to_vec()).await;
    let (mut browser, _folder) = open(&monitor, "").await;
    browser.shows("1 of 5 parts done · 3 running").await;
    progress(&monitor, &second, 0.6, 24.0).await;
    browser.shows("24 fps").await;
    browser.shows("on 3 workers").await;
    let list = "document.querySelectorAll('#running .rows > li').length === 1";
    browser.until("one row for the job", list).await;
    // Chunks are as wide as they have frames, and full where they are done.
    let widths = "(() => { const [a, , c] = [...document.querySelectorAll('.segment')].map((one) => one.offsetWidth); return String(Math.round((10 * a) / c)); })()";
    assert_eq!(browser.evaluate(widths).await, "33");
    let full = "document.querySelector('.segment .fill').style.width === '100%'";
    browser.until("a full chunk", full).await;
    let filling = "parseFloat(document.querySelectorAll('.segment .fill')[1].style.width) > 30";
    browser.until("a chunk that fills", filling).await;
    browser.picture("split-overview-light").await;

    // The same worker has the same colour and letter everywhere; others have others.
    let colours = "[...document.querySelectorAll('.segment')].map((one) => one.dataset.colour ?? '-').join('')";
    let colours = browser.evaluate(colours).await;
    let [a, b, c, waiting, rest]: [char; 5] = colours
        .chars()
        .collect::<Vec<char>>()
        .try_into()
        .expect("five segments");
    assert_eq!((a, waiting), (c, '-'), "{colours}");
    assert!(a != b && b != rest && a != rest, "{colours}");
    for scheme in ["light", "dark"] {
        browser.scheme(scheme).await;
        let barriers = browser.barriers().await;
        assert!(barriers.is_empty(), "{scheme}: {barriers:#?}");
    }

    // By keyboard: one stop for the strip, and arrows from chunk to chunk.
    tab_to(&mut browser, ".segment").await;
    browser
        .shows("Chunk 0 (0:00–0:20), 500 frames: done by north in 16 s")
        .await;
    browser.press("ArrowRight").await;
    browser
        .shows("Chunk 1 (0:20–0:32), 300 frames: running on south for")
        .await;
    for _ in 0..3 {
        browser.press("ArrowRight").await;
    }
    browser.shows("Other tracks: running on west").await;

    // On its own page, up to the end and beyond it.
    browser.click("#running .job-link").await;
    browser.shows("1 of 5 parts done · 3 running").await;
    job.complete(&monitor, &third).await;
    browser.shows("2 of 5 parts done · 2 running").await;
    assert_eq!(
        browser.evaluate(&count("[data-state=completed]")).await,
        "2"
    );
    browser.picture("split-job-dark").await;
    job.finish(&monitor).await;
    browser.shows("5 of 5 parts done").await;
    let full =
        "[...document.querySelectorAll('.strip .fill')].every((one) => one.style.width === '100%')";
    browser.until("a full strip", full).await;
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    drop(browser);
    monitor.stop().await;
}
