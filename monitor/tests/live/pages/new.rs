//! A new job, from the files to the queue.

use super::{keep_alive, open};
use crate::create::with_films;
use crate::farm;

#[tokio::test(flavor = "multi_thread")]
async fn a_film_is_chosen_planned_and_enqueued() {
    let (monitor, _films) = with_films().await;
    let beat = farm::heartbeat("atelier", 2, Vec::new(), &[("libx265", 61.0)]);
    let _alive = keep_alive(&monitor, vec![beat]).await;
    let (mut browser, _folder) = open(&monitor, "").await;
    browser.shows("atelier").await;
    browser.click(".sections a[href='#/new']").await;
    browser.click(".entries li:first-child button").await;
    browser.shows("Nosferatu.avi").await;
    browser.click(".entries li:last-child input").await;
    browser.shows("1 file, 4 B").await;
    browser.shows("score").await;
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");

    // What cannot be is said at once, and cannot be sent.
    let choose = |name: &str, value: &str| {
        format!(
            "(() => {{ const field = document.querySelector('.order [name={name}]');
              field.value = '{value}';
              field.dispatchEvent(new Event('change', {{ bubbles: true }})); return ''; }})()"
        )
    };
    browser.evaluate(&choose("container", "webm")).await;
    browser.shows("webm cannot hold hevc").await;
    browser
        .until(
            "no way to send it",
            "document.querySelector('.order [type=submit]').disabled",
        )
        .await;
    browser.evaluate(&choose("container", "mp4")).await;
    browser
        .until(
            "a way to send it",
            "!document.querySelector('.order [type=submit]').disabled",
        )
        .await;
    browser.picture("new").await;
    browser.click(".order button[type='submit']").await;
    browser.shows("Enqueued: 1 job").await;
    browser.shows("1–1 of 1 job").await;
    let (waiting, _) = monitor.broker.queued(None, 1, 10).await.expect("an answer");
    let output = waiting[0].job.output.key();
    assert!(output.ends_with("/encoded/films/Nosferatu.mp4"), "{output}");
    drop(browser);
    monitor.stop().await;
}
