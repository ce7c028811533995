//! Ladders for HLS and DASH: renditions by several workers, and the master files last.

use std::path::{Path, PathBuf};

use common::names::subject;
use harness::farm::{Farm, copy_into};
use harness::faults::proxy::{Protocol, Proxy};
use harness::process::Ran;
use harness::{outside, paths, poll, process, programs};

/// The options of a ladder of three renditions.
const LADDER: &[&str] = &[
    "--encoder",
    "libx264",
    "--encoder-preset",
    "ultrafast",
    "--container",
    "cmaf",
    "--segment",
    "1s",
    "--rendition",
    "96p,64p,48p",
];

async fn encode(folder: &Path, further: &[&str]) -> Ran {
    let mut command = programs::command("producer", folder);
    command.args(["encode", "in", "-o", "out"]);
    command.args(LADDER).args(further);
    process::run(command).await
}

fn place() -> tempfile::TempDir {
    let place = paths::test_folder();
    copy_into(&place.path().join("in"), &[paths::media("h264.mp4")]);
    place
}

/// The outputs, without the playlists and the sound beside them.
fn masters_and_renditions(out: &Path) -> Vec<PathBuf> {
    let mut names = outside::names(out);
    names.retain(|name| name.to_string_lossy().split('.').count() == 2);
    names
}

fn whole() -> Vec<PathBuf> {
    let names = [
        "h264-48p.mp4",
        "h264-64p.mp4",
        "h264-96p.mp4",
        "h264.m3u8",
        "h264.mpd",
    ];
    names.map(PathBuf::from).to_vec()
}

/// The frames that ffmpeg decodes of the first variant of a master playlist.
async fn frames(playlist: &Path) -> u64 {
    let mut command = std::process::Command::new("ffprobe");
    command.args([
        "-v",
        "error",
        "-allowed_extensions",
        "ALL",
        "-select_streams",
        "v:0",
        "-count_frames",
    ]);
    command.args(["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"]);
    command.arg(playlist);
    let told = process::run(command).await.succeeded();
    let line = told.stdout.lines().find(|line| !line.trim().is_empty());
    line.expect("a count")
        .trim_matches(',')
        .trim()
        .parse()
        .expect("a number")
}

#[tokio::test]
async fn one_command_makes_a_ladder_and_the_same_command_makes_only_what_is_missing() {
    let place = place();
    let out = place.path().join("out");
    let told = encode(place.path(), &["--json"]).await.succeeded().json();
    assert_eq!(told["added"], 3, "{told:#}");
    assert_eq!(told["ladders"][0]["is_there"], true, "{told:#}");
    assert_eq!(masters_and_renditions(&out), whole());
    let master = std::fs::read_to_string(out.join("h264.m3u8")).expect("there");
    for rendition in ["h264-96p", "h264-64p", "h264-48p"] {
        assert!(master.contains(rendition), "{master}");
    }
    let source = outside::media::Media::of(&paths::media("h264.mp4"));
    assert_eq!(frames(&out.join("h264.m3u8")).await, source.frames());

    // Nothing is left to do.
    let which = || outside::files(&out);
    let before = which();
    let told = encode(place.path(), &["--json"]).await.succeeded().json();
    assert_eq!(
        (&told["added"], &told["done"]),
        (&0.into(), &3.into()),
        "{told:#}"
    );
    assert!(which() == before, "the same files");

    // A master file that is missing is made again, and no rendition.
    std::fs::remove_file(out.join("h264.m3u8")).expect("ours");
    let told = encode(place.path(), &["--json"]).await.succeeded().json();
    assert_eq!(told["added"], 0, "{told:#}");
    assert!(which() == before, "the same files");
}

#[tokio::test]
async fn a_ladder_beside_strangers_files_is_not_begun() {
    let place = place();
    let out = place.path().join("out");
    std::fs::create_dir(&out).expect("room");
    std::fs::write(out.join("h264.mpd"), "a stranger's").expect("room");
    let told = encode(place.path(), &[]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.stderr.contains("a master file of its ladder"),
        "{told:?}"
    );
    assert_eq!(outside::names(&out), [PathBuf::from("h264.mpd")]);
    let dry = encode(place.path(), &["--dry-run"]).await;
    assert!(
        dry.stdout.contains("a master file of its ladder"),
        "{dry:?}"
    );

    // A rendition that cannot be made keeps the others back.
    std::fs::remove_file(out.join("h264.mpd")).expect("ours");
    std::fs::write(out.join("h264-64p.mp4"), "a stranger's").expect("room");
    let told = encode(place.path(), &[]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.stderr
            .contains("another rendition of it cannot be made"),
        "{told:?}"
    );
    assert_eq!(outside::names(&out), [PathBuf::from("h264-64p.mp4")]);

    let told = encode(place.path(), &["--overwrite"]).await;
    told.succeeded();
    assert_eq!(masters_and_renditions(&out), whole());
}

/// Two workers share the renditions. The one that completes the last is killed before it writes the master files.
#[tokio::test]
async fn another_worker_writes_the_master_files_of_one_that_was_killed_before() {
    let farm = Farm::start().await;
    let input = farm.folder_of("in", &[paths::media("h264.mp4")]);
    let port = farm
        .url()
        .rsplit(':')
        .next()
        .and_then(|port| port.parse().ok());
    let proxy = Proxy::start(Protocol::Nats, port.expect("a port"));
    let prefix = subject::kv(subject::OUTPUTS, "master.");
    let mut announcing = proxy.hold(move |request| request.subject.starts_with(&prefix));
    let setup = farm.worker("dying").encoders("libx264");
    let mut dying = farm.join(setup.option("--nats", proxy.nats_url())).await;
    let out = farm.out();
    let mut submit = farm.producer_command();
    submit
        .arg("enqueue")
        .arg(&input)
        .arg("-o")
        .arg(&out)
        .args(LADDER)
        .arg("--json");
    let told = process::run(submit).await.succeeded().json();
    assert_eq!(told["added"], 3, "{told:#}");
    let job = told["jobs"][0]["job"].as_str().expect("an id").to_owned();

    announcing.caught("the record of the master files").await;
    assert!(!out.join("h264.m3u8").exists(), "not before its record");
    let shown = async || {
        let told = farm.producer(&["job", &job, "--json"]).await;
        told.succeeded().json()["ladder"].clone()
    };
    let ladder = shown().await;
    assert_eq!(ladder["is_there"], false, "{ladder:#}");
    assert_eq!(ladder["progress"], "about to be written", "{ladder:#}");
    dying.process.kill();
    drop(announcing);

    let _heir = farm.join(farm.worker("heir").encoders("libx264")).await;
    poll::until("the master files", async || {
        (shown().await["is_there"] == true).then_some(())
    })
    .await;
    assert_eq!(masters_and_renditions(&out), whole());
    poll::until("the queue to be empty", async || {
        (farm.queued().await == 0).then_some(())
    })
    .await;
    let batch = told["batch"].as_str().expect("an id");
    let told = farm.producer(&["batch", batch]).await.succeeded();
    assert!(
        told.stdout.contains("1 of 1 have their master files"),
        "{told:?}"
    );
}
