//! What a library would do is told before it does anything.

use common::library::file::FileStateKind;
use harness::farm::Farm;
use harness::process::Ran;
use harness::{outside, paths};

use super::{add, library, reaches};

/// What would be done with a file, with the reason.
fn would(ran: &Ran, name: &str) -> (String, String) {
    let answer = ran.json();
    let files = answer.as_array().expect("a list");
    let of_name = |file: &&serde_json::Value| {
        file["input"]
            .as_str()
            .is_some_and(|input| input.ends_with(name))
    };
    let file = files.iter().find(of_name);
    let file = file.unwrap_or_else(|| panic!("{name} is in {answer}"));
    let text = |field: &str| file[field].as_str().unwrap_or_default().to_owned();
    (text("would"), text("why"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_what_a_library_would_do_and_does_nothing() {
    let farm = Farm::start().await;
    let sources = ["h264.mp4", "vp9.webm", "tracks.mkv"].map(paths::media);
    let folder = farm.folder_of("films", &sources);
    let extras = farm.folder_of("films/Extras", &[paths::media("h264.mp4")]);
    std::fs::rename(extras.join("h264.mp4"), extras.join("scene.mp4")).unwrap();
    std::fs::write(folder.join("broken.mkv"), b"no media at all").unwrap();
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let before = outside::files(&folder);

    let rules = ["--skip-if", "video.codec = vp9", "--exclude", "Extras/**"];
    let line = [&rules[..], &["--dry-run", "--json"]].concat();
    let told = add(&farm, &folder, &line).await;
    assert_eq!(would(&told, "/h264.mp4").0, "encode", "{told:?}");
    let (kept, why) = would(&told, "vp9.webm");
    assert_eq!(kept, "keep", "{told:?}");
    assert!(why.contains("video.codec = vp9"), "{why}");
    let (skipped, why) = would(&told, "scene.mp4");
    assert_eq!(skipped, "skip", "{told:?}");
    assert!(why.contains("Extras/**"), "{why}");
    assert!(farm.view.libraries().await.unwrap().is_empty());
    assert!(farm.view.jobs(true).await.unwrap().is_empty());
    assert!(!farm.out().exists() || outside::names(&farm.out()).is_empty());
    assert_eq!(outside::files(&folder), before);
    // In words, with what is lost and with sums.
    let words = add(&farm, &folder, &[&rules[..], &["--dry-run"]].concat()).await;
    assert!(words.stdout.contains("would be kept"), "{words:?}");
    assert!(words.stdout.contains("would be encoded"), "{words:?}");

    // What cannot be is refused as it would be without --dry-run.
    let inside = folder.join("small");
    let refused = farm
        .producer([
            "library".as_ref(),
            "add".as_ref(),
            "films".as_ref(),
            folder.as_os_str(),
            "-o".as_ref(),
            inside.as_os_str(),
            "--encoder".as_ref(),
            "libx264".as_ref(),
            "--dry-run".as_ref(),
        ])
        .await;
    assert_eq!(refused.code, Some(2), "{refused:?}");

    // Once the library stands, a change of it is looked at in the same way.
    std::fs::remove_file(folder.join("broken.mkv")).unwrap();
    let added = add(&farm, &folder, &rules).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    reaches(&farm, "h264.mp4", FileStateKind::Done).await;
    let stored = farm.view.libraries().await.unwrap();
    let line = ["--exclude", "none", "--dry-run", "--json"];
    let told = library(&farm, "edit", &line).await;
    assert_eq!(would(&told, "scene.mp4").0, "encode", "{told:?}");
    assert_eq!(would(&told, "/h264.mp4").0, "skip", "it is done: {told:?}");
    assert_eq!(farm.view.libraries().await.unwrap(), stored);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_of_watch_tells_and_ends() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let out = farm.out();
    let told = farm
        .producer([
            "watch".as_ref(),
            folder.as_os_str(),
            "-o".as_ref(),
            out.as_os_str(),
            "--encoder".as_ref(),
            "libx264".as_ref(),
            "--dry-run".as_ref(),
            "--json".as_ref(),
        ])
        .await;
    assert_eq!(told.code, Some(0), "{told:?}");
    assert_eq!(would(&told, "h264.mp4").0, "encode", "{told:?}");
    assert!(farm.view.jobs(true).await.unwrap().is_empty());
}
