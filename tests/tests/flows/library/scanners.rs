//! Of all workers that reach a library, one scans it.

use common::library::file::FileStateKind;
use harness::farm::Farm;
use harness::outside::media::Media;
use harness::{paths, poll};

use super::{add, jobs_of, reaches, scan};

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
