//! Tests of the harness itself, on whose parts other tests rely.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::process::Command;

use harness::faults::stand_in::{Fault, STARTED, StandIn};
use harness::library::{Expected, Kind, Library};
use harness::outside::media::Media;
use harness::servers::store::TestStore;
use harness::{paths, process};

#[tokio::test]
async fn the_store_keeps_objects_when_it_is_killed() {
    let folder = paths::test_folder();
    let mut store = TestStore::start(folder.path()).await;
    let clip = paths::media("h264.mp4");
    store.put(&clip, "in/two words.mp4").await;
    assert_eq!(
        store.input("in/two words.mp4").await.size,
        clip.metadata().unwrap().len()
    );
    store.kill();
    store.restart().await;
    assert_eq!(store.keys().await, ["in/two words.mp4"]);
    assert_eq!(
        store.get("in/two words.mp4").await.unwrap(),
        std::fs::read(&clip).unwrap()
    );
    assert_eq!(store.get("missing").await, None);
}

/// The command line of a job's encode, as a worker starts it.
fn encode(ffmpeg: &StandIn, folder: &std::path::Path) -> Command {
    let mut command = Command::new(ffmpeg.program());
    command
        .args(["-v", "error", "-progress", "pipe:1", "-i"])
        .arg(format!("file:{}", paths::media("ten-bit.mkv").display()))
        .args([
            "-c:v:0",
            "hevc_nvenc",
            "-preset",
            "p5",
            "-rc",
            "vbr",
            "-cq",
            "23",
            "-b:v",
            "0",
        ])
        .args(["-pix_fmt:v:0", "p010le", "-f", "matroska"])
        .arg(format!("file:{}", folder.join("out.mkv").display()));
    command
}

#[tokio::test]
async fn the_stand_in_encodes_in_software_under_a_hardware_encoders_name() {
    let folder = paths::test_folder();
    let ffmpeg = StandIn::new(&folder.path().join("ffmpeg"))
        .with_encoder("hevc_nvenc", "libx265")
        .with_stamp();
    let mut list = Command::new(ffmpeg.program());
    list.args(["-hide_banner", "-encoders"]);
    assert!(
        process::run(list)
            .await
            .succeeded()
            .stdout
            .contains("hevc_nvenc")
    );

    process::run(encode(&ffmpeg, folder.path()))
        .await
        .succeeded();
    let output = Media::of(&folder.path().join("out.mkv"));
    assert_eq!(
        (output.film().codec.as_str(), output.frames()),
        ("hevc", 40)
    );
    assert_eq!(output.film().pixel_format, "yuv420p10le");
    assert!(output.tag(STARTED).unwrap().parse::<u128>().is_ok());

    let mut large = Command::new(ffmpeg.program());
    large.args([
        "-f",
        "lavfi",
        "-i",
        "color=s=3840x2160",
        "-c:v",
        "hevc_nvenc",
        "-f",
        "null",
        "-",
    ]);
    assert_eq!(process::run(large).await.code, Some(1));
}

#[tokio::test]
async fn the_stand_in_fails_as_told() {
    let folder = paths::test_folder();
    let mut ffmpeg =
        StandIn::new(&folder.path().join("ffmpeg")).with_encoder("hevc_nvenc", "libx265");
    let output = folder.path().join("out.mkv");
    let run = async |ffmpeg: &StandIn| {
        let _ = std::fs::remove_file(&output);
        process::run(encode(ffmpeg, folder.path())).await
    };
    ffmpeg.set_fault(Fault::Short { frames: 25 });
    assert_eq!(run(&ffmpeg).await.code, Some(0));
    assert_eq!(Media::of(&output).frames(), 25);
    ffmpeg.set_fault(Fault::Crash { after_frames: 10 });
    assert_eq!(run(&ffmpeg).await.code, None);
    ffmpeg.set_fault(Fault::Garbage);
    assert!(run(&ffmpeg).await.succeeded().stdout.len() > 100_000);
    ffmpeg.set_fault(Fault::Torn);
    run(&ffmpeg).await.succeeded();
    let torn = output.metadata().unwrap().len();
    ffmpeg.recover();
    run(&ffmpeg).await.succeeded();
    assert!(torn < output.metadata().unwrap().len() * 6 / 10);
}

#[test]
fn a_library_has_films_of_all_kinds_that_differ_from_each_other() {
    let folder = paths::test_folder();
    let library = Library::make(&folder.path().join("films"), Kind::ALL.len());
    for film in &library.films {
        let path = library.folder.join(&film.path);
        match film.kind.expected() {
            Expected::Failed if film.kind != Kind::TwoNames => continue,
            _ => assert!(Media::of(&path).frames() > 0, "{}", path.display()),
        }
    }
    let mut films = library.films.iter();
    let named_twice = films.find(|film| film.kind == Kind::TwoNames);
    let named_twice = library.folder.join(&named_twice.unwrap().path);
    assert_eq!(
        std::os::unix::fs::MetadataExt::nlink(&named_twice.metadata().unwrap()),
        2
    );
    let again = Library::make(&folder.path().join("others"), 2 * Kind::ALL.len());
    let digests: BTreeSet<String> = again
        .films
        .iter()
        .map(|film| again.originals[&film.path].digest.to_string())
        .collect();
    assert_eq!(
        digests.len(),
        again.films.len(),
        "no two films are the same file"
    );
    assert_eq!(again.present(), again.originals);
}
