//! Libraries that cannot be as they are wanted.

use std::path::Path;

use harness::farm::Farm;
use harness::{paths, poll};

use common::library::file::FileStateKind;

use super::{add, jobs_of, library, reaches, record, scan};

#[tokio::test]
async fn what_cannot_be_a_library_is_refused_with_a_word() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let text = |path: &Path| path.display().to_string();
    let (films, out) = (text(&folder), text(&farm.out()));
    let own = text(&folder.join("out"));
    let above = text(farm.folder());
    let file = text(&folder.join("h264.mp4"));
    for (place, more, words) in [
        (&films, vec!["-o", films.as_str()], "are the same folder"),
        (
            &films,
            vec!["-o", own.as_str()],
            "taken for files of the library",
        ),
        (
            &films,
            vec!["-o", above.as_str()],
            "taken for files of the library",
        ),
        (&films, vec![], "say where the results go"),
        (&file, vec!["-o", out.as_str()], "not a folder"),
        (
            &"ftp://host/films".to_owned(),
            vec!["-o", out.as_str()],
            "unknown scheme",
        ),
        (
            &films,
            vec!["-o", out.as_str(), "--schedule", "25-7"],
            "no working hours",
        ),
        (
            &films,
            vec!["-o", out.as_str(), "--exclude", "**"],
            "leaves out every file",
        ),
        (
            &films,
            vec!["-o", out.as_str(), "--exclude", "[a"],
            "no pattern",
        ),
        (
            &films,
            vec!["-o", out.as_str(), "--every", "0s"],
            "between two scans",
        ),
        (
            &films,
            vec!["-o", out.as_str(), "--rendition", "720p,480p"],
            "one output",
        ),
        (
            &"s3://media/films".to_owned(),
            vec!["-o", out.as_str()],
            "disks of the workers",
        ),
    ] {
        let line = ["library", "add", "films", place, "--codec", "h264"];
        let refused = farm.producer(line.iter().copied().chain(more)).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(
            refused.stderr.contains(words),
            "{words}: {}",
            refused.stderr
        );
    }
    assert!(farm.view.libraries().await.unwrap().is_empty());

    // No worker reaches it: it is added, and waits.
    let added = add(&farm, &folder, &[]).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    assert!(added.stderr.contains("no live worker reaches"), "{added:?}");
    let again = add(&farm, &folder, &[]).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(
        again.stderr.contains("there is a library 'films' already"),
        "{again:?}"
    );

    // One folder belongs to one library, whatever it is called.
    let link = farm.folder().join("link");
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    let roundabout = farm.folder().join("films/../films");
    let below = farm.folder_of("films/sub", &[]);
    for place in [
        &folder,
        &link,
        &roundabout,
        &below,
        &farm.folder().to_owned(),
    ] {
        let place = text(place);
        let elsewhere = text(&std::env::temp_dir().join("elsewhere"));
        let line = [
            "library", "add", "more", &place, "-o", &elsewhere, "--codec", "h264",
        ];
        let refused = farm.producer(line).await;
        assert_eq!(refused.code, Some(2), "{place}: {refused:?}");
        assert!(
            refused.stderr.contains("'films' keeps"),
            "{place}: {refused:?}"
        );
    }
    let unknown = farm.producer(["library", "show", "movies"]).await;
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("one of films"), "{unknown:?}");
    let edited = library(&farm, "edit", &["-o", &films]).await;
    assert_eq!(edited.code, Some(2), "{edited:?}");
    let edited = library(&farm, "edit", &["--every", "1h", "--again"]).await;
    assert_eq!(edited.code, Some(2), "an unknown option: {edited:?}");
    let edited = library(&farm, "edit", &["--every", "1h", "--quality", "40"]).await;
    assert_eq!(edited.code, Some(0), "{edited:?}");
    let stored = farm.view.libraries().await.unwrap().remove(0).library;
    assert_eq!(stored.every, 3600);
    assert!(
        stored.recipe.to_string().contains("libx264"),
        "{}",
        stored.recipe
    );
}

#[tokio::test]
async fn folders_that_are_one_by_a_link_are_found_by_the_scanner() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let added = add(&farm, &folder, &[]).await;
    assert_eq!(added.code, Some(0), "{added:?}");
    // The producer does not see this link: it is made later, as it would be on another machine.
    let link = farm.folder().join("other");
    let (link_text, out) = (link.display().to_string(), farm.folder().join("out2"));
    let out = out.display().to_string();
    let line = [
        "library", "add", "more", &link_text, "-o", &out, "--codec", "h264",
    ];
    let second = farm.producer(line.iter().chain(&["--every", "1s"])).await;
    assert_eq!(second.code, Some(0), "{second:?}");
    std::os::unix::fs::symlink(&folder, &link).unwrap();
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let more = "more".parse().unwrap();
    let problem = poll::until("the scanner to tell", async || {
        farm.view.scan(&more).await.ok()??.problem
    })
    .await;
    assert!(problem.contains("'films' keeps"), "{problem}");
    assert!(scan(&farm).await.unwrap().problem.is_none());
    // Once the other library is elsewhere, its old folder is free, though no scan has looked there yet.
    library(&farm, "pause", &[]).await.succeeded();
    let elsewhere = farm.folder_of("elsewhere", &[]);
    let elsewhere = elsewhere.display().to_string();
    let moved = library(&farm, "edit", &["--location", &elsewhere]).await;
    moved.succeeded();
    poll::until("the folder to be free", async || {
        let scan = farm.view.scan(&more).await.ok()??;
        (scan.problem.is_none() && scan.last.is_some()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_library_whose_disk_is_not_mounted_forgets_nothing() {
    let farm = Farm::start().await;
    let folder = farm.folder_of("films", &[paths::media("h264.mp4")]);
    add(&farm, &folder, &[]).await.succeeded();
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;
    reaches(&farm, "h264.mp4", FileStateKind::Done).await;
    // An empty folder is what is left of a mount point.
    let mounted = farm.folder().join("mounted");
    std::fs::rename(&folder, &mounted).unwrap();
    std::fs::create_dir(&folder).unwrap();
    let problem = poll::until("the scanner to tell", async || scan(&farm).await?.problem).await;
    assert!(
        problem.contains("holds no media any more, and held 1"),
        "{problem}"
    );
    assert!(record(&farm, "h264.mp4").await.is_some());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);

    std::fs::remove_dir(&folder).unwrap();
    std::fs::rename(&mounted, &folder).unwrap();
    poll::until("the library to be well", async || {
        scan(&farm).await?.problem.is_none().then_some(())
    })
    .await;
    reaches(&farm, "h264.mp4", FileStateKind::Done).await;
    assert_eq!(jobs_of(&farm, "h264.mp4").await, 1);
}
