//! The monitor's page, in a real browser.

use harness::browser::Browser;
use harness::farm::Farm;
use harness::monitor::TestMonitor;
use harness::stand_in::{Fault, StandIn};
use harness::{paths, poll};
use serde_json::Value;

#[tokio::test]
async fn the_page_shows_queues_workers_and_jobs() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.befall(Fault::Held);
    let worker = farm
        .join(farm.worker("mill").encoders("libx264").ffmpeg(&ffmpeg))
        .await;
    let running = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&running).await;
    farm.encoding(&running.id, &worker).await;
    let waiting = farm.job(&paths::media("vp9.webm"), "hevc_nvenc");
    farm.enqueue(&waiting).await;

    let monitor = TestMonitor::start(&farm).await;
    let page = monitor.get("/").await.unwrap();
    assert!(page.to_lowercase().starts_with("<!doctype html>"), "{page}");
    let id = running.id.to_string();
    poll::until("the state to tell of the running job", async || {
        let state: Value = serde_json::from_str(&monitor.get("/api/v1/state").await?).unwrap();
        let is_running = state["running"].to_string().contains(&id);
        let waits = state["queues"].to_string().contains("hevc_nvenc");
        (is_running && waits && state["workers"].to_string().contains("mill")).then_some(())
    })
    .await;

    let mut browser = Browser::open(monitor.url(), farm.folder()).await;
    let mut shows = async |what: &str, words: &[&str]| {
        poll::until(what, async || {
            let text = browser.text().await;
            words.iter().all(|words| text.contains(words)).then_some(())
        })
        .await;
    };
    shows(
        "the page to show the farm",
        &["mill", "libx264", "hevc_nvenc", "h264.mp4"],
    )
    .await;

    // The page follows by itself.
    let next = farm.job(&paths::media("hevc.mkv"), "libx264");
    farm.enqueue(&next).await;
    shows("the page to show a new job", &["hevc.mkv"]).await;

    // All about the job: how it is run, as its worker has recorded it.
    browser
        .evaluate(&format!("location.hash = '#/jobs/{id}'"))
        .await;
    browser.shows("ffmpeg's command line").await;
    let command = browser
        .evaluate("document.querySelector('.command').textContent")
        .await;
    assert!(command.contains("-progress pipe:1"), "{command}");
    assert!(command.contains("libx264"), "{command}");
    assert!(command.contains("h264.mp4"), "{command}");
}
