//! Several inputs of one job: `producer merge`.

use std::path::{Path, PathBuf};

use harness::farm::{Farm, copy_into};
use harness::outside::media::Media;
use harness::process::Ran;
use harness::servers::receiver::Receiver;
use harness::servers::store::TestStore;
use harness::{outside, paths, process, programs};

async fn producer(folder: &Path, line: &[&str]) -> Ran {
    let mut command = programs::command("producer", folder);
    command.args(line);
    process::run(command).await
}

/// A folder with two alike parts of a recording and a clip of another kind.
fn place() -> tempfile::TempDir {
    let place = paths::test_folder();
    let input = place.path().join("in");
    copy_into(
        &input,
        &[paths::media("h264.mp4"), paths::media("tracks.mkv")],
    );
    let film = input.join("h264.mp4");
    std::fs::copy(&film, input.join("GX020001.MP4")).expect("copied");
    std::fs::rename(&film, input.join("GX010001.MP4")).expect("renamed");
    place
}

const PARTS: [&str; 3] = ["merge", "in/GX010001.MP4", "in/GX020001.MP4"];

#[tokio::test]
async fn files_are_joined_without_a_server_and_a_second_run_finds_them_joined() {
    let place = place();
    let line = [&PARTS[..], &["-o", "out/ride.mp4", "--json"]].concat();
    let outcome = producer(place.path(), &line).await.succeeded().json();
    assert_eq!(outcome["added"], 1, "{outcome:#}");
    let out = place.path().join("out");
    assert_eq!(outside::names(&out), [PathBuf::from("ride.mp4")]);
    let (made, part) = (
        Media::of(&out.join("ride.mp4")),
        Media::of(&paths::media("h264.mp4")),
    );
    assert_eq!(made.frames(), 2 * part.frames());
    assert_eq!(made.film().codec, part.film().codec, "copied");
    let which = outside::which(&out.join("ride.mp4"));
    let again = producer(place.path(), &line).await.succeeded().json();
    assert_eq!(
        (&again["added"], &again["done"]),
        (&0.into(), &1.into()),
        "{again:#}"
    );
    assert_eq!(outside::which(&out.join("ride.mp4")), which);

    // A film after itself.
    let twice = ["merge", PARTS[1], PARTS[1], "-o", "out/twice.mp4"];
    producer(place.path(), &twice).await.succeeded();
    let made = Media::of(&out.join("twice.mp4"));
    assert_eq!(made.frames(), 2 * part.frames());

    // In another order it is another film, and the first one is not replaced.
    let turned = [
        "merge",
        "in/GX020001.MP4",
        "in/GX010001.MP4",
        "-o",
        "out/ride.mp4",
    ];
    let told = producer(place.path(), &turned).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert_eq!(outside::which(&out.join("ride.mp4")), which);
}

#[tokio::test]
async fn recordings_that_a_camera_has_cut_are_offered_and_joined_if_a_person_says_so() {
    let place = place();
    let line = ["encode", "in", "-o", "out", "--video", "copy", "--dry-run"];
    let told = producer(place.path(), &line).await;
    let offer = "2 files look like one recording (GoPro): `producer merge ";
    assert!(told.stderr.contains(offer), "{told:?}");
    let line = [
        "merge",
        "--camera",
        "in",
        "-o",
        "joined",
        "--container",
        "mp4",
    ];
    producer(place.path(), &line).await.succeeded();
    let joined = place.path().join("joined");
    assert_eq!(outside::names(&joined), [PathBuf::from("GX010001.mp4")]);

    // With a hole, nothing is joined.
    let (second, third) = ("in/GX020001.MP4", "in/GX030001.MP4");
    std::fs::rename(place.path().join(second), place.path().join(third)).expect("renamed");
    let line = ["merge", "--camera", "in", "-o", "whole"];
    let told = producer(place.path(), &line).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.stderr.contains("lacks its part 2 (GoPro)"), "{told:?}");
    assert!(!place.path().join("whole").exists());
}

#[tokio::test]
async fn what_cannot_be_joined_is_refused_with_its_reason() {
    let place = place();
    for (line, code, words) in [
        (
            &["merge", "in/GX010001.MP4", "-o", "x.mkv"][..],
            2,
            "two files at least",
        ),
        (&["merge", "in", "-o", "x.txt"], 2, "x.txt"),
        (&["merge", "in", "-o", "in"], 2, "names no file"),
        (
            &["merge", "in", "-o", "x.mkv", "--set", "container=mp4"],
            2,
            "end it with .mp4",
        ),
        (
            &["merge", "in", "-o", "x.mkv", "--external-subtitles"],
            2,
            "leave --external-subtitles out",
        ),
        (
            &[
                "merge",
                "in/GX010001.MP4",
                "in/tracks.mkv",
                "-o",
                "out/x.mkv",
                "--video",
                "copy",
            ],
            1,
            "tracks cannot follow GX010001 by copy, because it has 2 audio tracks, not 1",
        ),
        (
            &[
                "merge",
                "in/GX010001.MP4",
                "in/GX020001.MP4",
                "-o",
                "in/GX010001.MP4",
                "--container",
                "mp4",
            ],
            2,
            "would be a source",
        ),
    ] {
        let told = producer(place.path(), line).await;
        assert_eq!(told.code, Some(code), "{line:?}: {told:?}");
        let all = format!("{}{}", told.stdout, told.stderr);
        assert!(all.contains(words), "{line:?}: {told:?}");
    }
}

#[tokio::test]
async fn a_farm_joins_files_that_are_uploaded_and_brings_the_film_home() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let setup = farm.worker("w").encoders("libx265").roots(&[]);
    let _worker = farm.join(setup.environment(store.environment())).await;
    let part = paths::media("h264.mp4");
    copy_into(&farm.folder().join("in"), std::slice::from_ref(&part));
    let second = farm.folder().join("in/two.mp4");
    std::fs::copy(&part, second).expect("copied");
    let merge = async || {
        let mut command = farm.producer_command();
        command.envs(store.environment());
        command.args(["merge", "in/h264.mp4", "in/two.mp4", "-o", "home/film.mkv"]);
        command.args(["--store", "s3://media", "--json"]);
        process::run(command).await
    };
    let outcome = merge().await.succeeded().json();
    assert_eq!(outcome["added"], 1, "{outcome:#}");
    let film = farm.folder().join("home/film.mkv");
    assert_eq!(Media::of(&film).frames(), 2 * Media::of(&part).frames());
    let again = merge().await.succeeded().json();
    assert_eq!(
        (&again["added"], &again["done"]),
        (&0.into(), &1.into()),
        "{again:#}"
    );
}

#[tokio::test]
async fn a_hook_is_told_of_the_joined_file() {
    let place = place();
    let receiver = Receiver::start().await;
    let url = receiver.url();
    let line = [&PARTS[..], &["-o", "out/ride.mp4", "--notify", &url]].concat();
    producer(place.path(), &line).await.succeeded();
    let [message] = &receiver.received()[..] else {
        panic!("one message: {:?}", receiver.received());
    };
    assert_eq!(message.json()["data"]["completed"], 1);
    let dry = [&line[..], &["--dry-run"]].concat();
    let refused = producer(place.path(), &dry).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
}
