//! Of all workers that reach a library, one scans it.

use common::library::file::FileStateKind;
use harness::farm::Farm;
use harness::outside::media::Media;
use harness::servers::store::TestStore;
use harness::{paths, poll};

use super::{add, jobs_of, reaches, scan};

#[tokio::test]
async fn a_bucket_is_kept_like_a_folder() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let setup = farm.worker("w").encoders("libx264").roots(&[]);
    let _worker = farm.join(setup.environment(store.environment())).await;
    store
        .put(&paths::media("h264.mp4"), "films/sub/h264.mp4")
        .await;
    store
        .put(&paths::media("h264.mp4"), "films/.hidden/h264.mp4")
        .await;
    store
        .put(&paths::media("h264.mp4"), "elsewhere/other.mp4")
        .await;
    let line = [
        "library",
        "add",
        "films",
        "s3://media/films",
        "-o",
        "s3://media/small",
    ];
    let usual = ["--encoder", "libx264", "--settle", "1s", "--every", "1s"];
    let added = farm.producer(line.iter().chain(&usual)).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    reaches(&farm, "h264.mp4", FileStateKind::Done).await;
    assert!(store.get("small/sub/h264.mkv").await.is_some());
    assert_eq!(super::records(&farm).await.len(), 1);
    store.remove("films/sub/h264.mp4").await;
    poll::until("the record of a removed object to go", async || {
        super::records(&farm).await.is_empty().then_some(())
    })
    .await;
    assert!(
        store.get("small/sub/h264.mkv").await.is_some(),
        "results stay"
    );
}

#[tokio::test]
async fn another_worker_carries_on_when_the_scanner_is_killed() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let mut workers = vec![
        farm.join(farm.worker("a").encoders("libx264")).await,
        farm.join(farm.worker("b").encoders("libx264")).await,
    ];
    let added = add(&farm, &folder, &[]).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    reaches(&farm, "h264.mp4", FileStateKind::Done).await;
    let scanner = scan(&farm).await.expect("it was scanned").worker;
    let at = workers
        .iter()
        .position(|worker| worker.name == scanner.as_str());
    let mut dying = workers.swap_remove(at.expect("one of them scans"));
    // The files arrive while the scanner dies.
    let names: Vec<String> = (0..6).map(|nth| format!("film-{nth}.webm")).collect();
    for name in &names {
        std::fs::copy(paths::media("vp9.webm"), folder.join(name)).unwrap();
    }
    poll::until("some of them to be seen", async || {
        let seen = super::records(&farm).await.len() > 1;
        let arriving = scan(&farm).await?.last?.arriving > 0;
        (seen || arriving).then_some(())
    })
    .await;
    dying.process.kill();

    for name in &names {
        reaches(&farm, name, FileStateKind::Done).await;
        assert_eq!(jobs_of(&farm, name).await, 1, "nothing is doubled");
    }
    assert_eq!(jobs_of(&farm, "h264.mp4").await, 1);
    let heir = scan(&farm).await.expect("it is scanned").worker;
    assert_ne!(heir, scanner);
    let frames = Media::of(&paths::media("vp9.webm")).frames();
    for nth in 0..6 {
        let output = farm.out().join(format!("film-{nth}.mkv"));
        assert_eq!(Media::of(&output).frames(), frames);
    }
}
