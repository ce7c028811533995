//! Subtitle tracks that become files beside the output.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::process::Ran;
use harness::{outside, paths, process, programs};

const CUES: &str =
    "1\n00:00:00,200 --> 00:00:00,600\nHello\n\n2\n00:00:01,000 --> 00:00:01,400\nBye\n\n";

/// A short film with English subtitles.
fn film(folder: &Path, name: &str) {
    std::fs::create_dir_all(folder).unwrap();
    let text = folder.with_file_name("words.srt");
    std::fs::write(&text, CUES).unwrap();
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"])
        .arg("testsrc2=size=64x36:rate=25:duration=2")
        .arg("-i")
        .arg(&text)
        .args([
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-pix_fmt",
            "yuv420p",
        ])
        .args(["-c:s", "srt", "-metadata:s:s:0", "language=eng"])
        .arg(folder.join(name))
        .status()
        .unwrap();
    assert!(made.success());
}

async fn producer(folder: &Path, line: &str) -> Ran {
    let mut command = programs::command("producer", folder);
    command.args(line.split(' '));
    process::run(command).await
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<PathBuf> = outside::names(folder);
    names.sort();
    let names = names.iter().map(|name| name.display().to_string());
    names.collect()
}

#[tokio::test]
async fn subtitles_become_files_beside_the_output_and_no_file_is_replaced() {
    let place = paths::test_folder();
    let at = |name: &str| place.path().join(name);
    film(&at("in"), "film.mkv");
    let line = "encode in --video copy --container mp4 --extract-subtitles -o";
    producer(place.path(), &format!("{line} out"))
        .await
        .succeeded();
    assert_eq!(names(&at("out")), ["film.en.srt", "film.mp4"]);
    let written = std::fs::read_to_string(at("out/film.en.srt")).unwrap();
    assert_eq!(written, CUES);

    // A file that lies there is spared, and the job says so.
    std::fs::create_dir(at("taken")).unwrap();
    std::fs::write(at("taken/film.en.srt"), "mine").unwrap();
    let told = producer(place.path(), &format!("{line} taken")).await;
    assert_ne!(told.code, Some(0), "{told:?}");
    let said = format!("{}{}", told.stdout, told.stderr);
    assert!(said.contains("film.en.srt"), "{said}");
    assert_eq!(names(&at("taken")), ["film.en.srt"]);
    let spared = std::fs::read_to_string(at("taken/film.en.srt")).unwrap();
    assert_eq!(spared, "mine");

    // Joined parts have one file.
    film(&at("in"), "later.mkv");
    let line = "merge in/film.mkv in/later.mkv -o joined/both.mkv --extract-subtitles";
    producer(place.path(), line).await.succeeded();
    assert_eq!(names(&at("joined")), ["both.en.srt", "both.mkv"]);
    let both = std::fs::read_to_string(at("joined/both.en.srt")).unwrap();
    assert_eq!(
        (both.matches("Hello").count(), both.matches("Bye").count()),
        (2, 2)
    );
    assert!(
        both.contains("00:00:03,000 --> 00:00:03,400\nBye"),
        "{both}"
    );
}
