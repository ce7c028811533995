//! The button of the page that undoes the replacements of a batch's jobs.

use harness::browser::Browser;
use harness::farm::Farm;
use harness::paths;
use harness::programs::monitor::TestMonitor;
use serde_json::Value;

use super::{batch_in, names, seen};

/// Clicks a button, and answers the question that follows with yes.
async fn undo(browser: &mut Browser, button: &str) {
    let ready = format!(
        "(() => {{ const one = document.querySelector({}); return !!one && !one.hidden && !one.disabled; }})()",
        Value::from(button)
    );
    browser.until("a way to undo", &ready).await;
    browser.click(button).await;
    browser
        .shows("The originals come back from the trash")
        .await;
    browser.click("dialog.question button[value=yes]").await;
}

#[tokio::test]
async fn the_page_undoes_the_replacements_of_a_batch() {
    let farm = Farm::start().await;
    let clips = ["h264.mp4", "tracks.mkv"].map(paths::media);
    let films = farm.folder_of("films", &clips);
    let before = seen(&films);
    let setup = farm.worker("w").encoders("libx264").roots(&[&films]);
    let _worker = farm.join(setup).await;
    let store = films.to_str().unwrap();
    let monitor =
        TestMonitor::start_with(&farm, &farm.broker.url_for("monitor"), &["--store", store]).await;
    let recipe = ["--encoder", "libx264", "--encoder-preset", "ultrafast"];
    let replace = ["enqueue", store, "--replace", "--wait", "--json"];
    let ran = farm.producer([&replace[..], &recipe].concat()).await;
    ran.succeeded();
    assert_eq!(names(&films), ["h264.mkv", "tracks.mkv"]);
    let batch = batch_in(&films);

    // A batch: all of its jobs are selected.
    let address = format!("{}/#/jobs?batch={batch}", monitor.url());
    let mut browser = Browser::open(&address, farm.folder()).await;
    let rows = "document.querySelectorAll('.sheet.jobs tbody tr').length === 2";
    browser.until("both jobs", rows).await;
    browser
        .click(".sheet.jobs thead input[type=checkbox]")
        .await;
    undo(&mut browser, ".actions [data-verb=undo]").await;
    browser.shows("cancelled").await;
    harness::poll::until("the originals", async || {
        (seen(&films) == before).then_some(())
    })
    .await;
}
