//! The monitor's page, in a real browser.

use harness::browser::Browser;
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn};
use harness::programs::monitor::TestMonitor;
use harness::servers::store::TestStore;
use harness::{outside, paths, poll};
use serde_json::Value;

#[tokio::test]
async fn the_page_shows_queues_workers_and_jobs() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
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

    // The page updates itself.
    let next = farm.job(&paths::media("hevc.mkv"), "libx264");
    farm.enqueue(&next).await;
    shows("the page to show a new job", &["hevc.mkv"]).await;

    // The page of the job shows how it runs, as its worker has recorded it.
    browser
        .evaluate(&format!("location.hash = '#/jobs/{id}'"))
        .await;
    browser.shows("ffmpeg command line").await;
    let command = browser
        .evaluate("document.querySelector('.command').textContent")
        .await;
    assert!(command.contains("-progress pipe:1"), "{command}");
    assert!(command.contains("libx264"), "{command}");
    assert!(command.contains("h264.mp4"), "{command}");
}

/// Both files of a job are shown side by side. The monitor has no access to their store, so it asks the workers.
#[tokio::test]
async fn a_jobs_files_are_seen_side_by_side() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    store.put(&paths::media("ten-bit.mkv"), "in/film.mkv").await;
    let job = store.job("in/film.mkv", "out/film.mkv", "libx264").await;
    farm.enqueue(&job).await;
    let monitor = TestMonitor::start(&farm).await;
    let mut browser = Browser::open(
        &format!("{}/#/jobs/{}", monitor.url(), job.id),
        farm.folder(),
    )
    .await;
    browser.shows("no worker is there to look").await;

    let worker = farm.worker("mill").encoders("libx264");
    let mut worker = worker.environment(store.environment()).spawn();
    farm.ready(&mut worker).await;
    farm.completed(&job.id).await;
    browser.shows("hevc, 480×270, 25 fps, 10 bit").await;
    browser.shows("h264, 480×270, 25 fps, 10 bit").await;
    let all_are_there = "(() => {
      const pictures = [...document.querySelectorAll('.stills img')];
      return pictures.length === 6 && pictures.every((one) => one.complete && one.naturalWidth === 480);
    })()";
    browser.until("six pictures", all_are_there).await;
    browser.picture("files").await;
    let words = "[...document.querySelectorAll('.stills img')].map((one) => one.alt).join()";
    let words = browser.evaluate(words).await;
    assert!(words.starts_with("The input at 0:0"), "{words}");
    // Different times give different pictures, and both sides show the same pictures.
    let differences = "(async () => {
      const bytes = (one) => {
        const canvas = Object.assign(document.createElement('canvas'), { width: 48, height: 27 });
        const context = canvas.getContext('2d');
        context.drawImage(one, 0, 0, 48, 27);
        return context.getImageData(0, 0, 48, 27).data;
      };
      const seen = [...document.querySelectorAll('.stills img')].map(bytes);
      const apart = (a, b) => a.reduce((sum, value, nth) => sum + Math.abs(value - b[nth]), 0) / a.length;
      return [apart(seen[0], seen[2]), apart(seen[0], seen[3]), apart(seen[2], seen[5])].join();
    })()";
    let differences = browser.evaluate(differences).await;
    let apart: Vec<f64> = differences
        .split(',')
        .map(|one| one.parse().expect("a number"))
        .collect();
    assert!(
        apart[1] < apart[0] / 2.0 && apart[2] < apart[0] / 2.0,
        "{apart:?}"
    );

    // Another file with that name is not shown as the output of the job.
    store.put(&paths::media("vp9.webm"), "out/film.mkv").await;
    let path = format!("/api/v1/jobs/{}/still?side=output&at=0.25", job.id);
    let (status, words) = monitor.refusal(&path).await;
    assert_eq!(status, 502, "{words}");
    assert!(words.contains("is not what the job made"), "{words}");
    // A time after the end has no picture.
    let path = format!("/api/v1/jobs/{}/still?side=input&at=86400", job.id);
    let (status, words) = monitor.refusal(&path).await;
    assert_eq!(status, 502, "{words}");
    // A busy worker may still make a picture that the page no longer waits for.
    poll::until("an empty scratch folder", async || {
        outside::scratch_files(&farm.scratch())
            .is_empty()
            .then_some(())
    })
    .await;
}
