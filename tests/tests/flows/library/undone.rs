//! A library leaves alone what a person has taken back.

use common::library::file::FileStateKind;
use harness::farm::Farm;
use harness::paths;
use harness::poll;
use harness::programs::monitor::TestMonitor;

use super::{jobs_of, library, reaches, record, scanned};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_undone_stays_cancelled_until_it_is_retried() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let setup = farm.worker("w").encoders("libx264").roots(&[&folder]);
    let _worker = farm.join(setup).await;
    let usual = ["--every", "1s", "--settle", "1s", "--encoder", "libx264"];
    let line = ["library".as_ref(), "add".as_ref(), "films".as_ref()]
        .into_iter()
        .chain([folder.as_os_str(), "--replace".as_ref()])
        .chain(usual.map(std::ffi::OsStr::new));
    farm.producer(line).await.succeeded();
    let original = std::fs::read(paths::media("h264.mp4")).unwrap();
    let made = reaches(&farm, "h264.mkv", FileStateKind::Done).await;
    let job = *made.state.job().expect("a job made it");

    let undone = farm.producer(["undo", &job.to_string()]).await;
    undone.succeeded();
    let back = reaches(&farm, "h264.mp4", FileStateKind::Cancelled).await;
    assert_eq!(back.state.job(), Some(&job));
    for _ in 0..3 {
        scanned(&farm).await;
    }
    let now = record(&farm, "h264.mp4").await.expect("it is known");
    assert_eq!(now.state.kind(), FileStateKind::Cancelled);
    assert_eq!(std::fs::read(folder.join("h264.mp4")).unwrap(), original);
    assert!(!folder.join("h264.mkv").exists());
    assert_eq!(jobs_of(&farm, "h264.mp4").await, 1, "no job was added");
    let shown = library(&farm, "files", &["--state", "cancelled"]).await;
    assert!(shown.stdout.contains("h264.mp4"), "{shown:?}");
    let monitor = TestMonitor::start(&farm).await;
    let path = "/api/v1/libraries/films/files?state=cancelled";
    poll::until("the page to show it", async || {
        let answer = monitor.get(path).await?;
        let answer: serde_json::Value = serde_json::from_str(&answer).ok()?;
        (answer["files"][0]["path"] == "h264.mp4" && answer["total"] == 1).then_some(())
    })
    .await;

    let retried = farm.producer(["retry", &job.to_string()]).await;
    retried.succeeded();
    let again = reaches(&farm, "h264.mkv", FileStateKind::Done).await;
    assert_eq!(again.state.job(), Some(&job));
}
