//! Results that are made in a bucket and downloaded.

use std::path::{Path, PathBuf};
use std::process::Command;

use harness::farm::{Farm, copy_into};
use harness::faults::proxy::{NetworkConditions, Protocol, Proxy};
use harness::outside::media::Media;
use harness::process::{self, Daemon, Ran, Signal};
use harness::programs::Worker;
use harness::servers::store::TestStore;
use harness::{outside, paths, poll};

/// So slow that a test can stop any download in the middle.
const SLOW: NetworkConditions = NetworkConditions {
    rate: 20_000,
    ..NetworkConditions::GOOD
};

/// A farm whose one worker reaches the bucket and no folder of this machine.
struct RemoteFarm {
    farm: Farm,
    store: TestStore,
    /// The producer's network to the store.
    proxy: Proxy,
    _worker: Worker,
}

impl RemoteFarm {
    async fn start() -> Self {
        let farm = Farm::start().await;
        let store = TestStore::start(farm.folder()).await;
        let proxy = Proxy::start(Protocol::Http, store.port());
        let setup = farm.worker("w").encoders("libx264").roots(&[]);
        let worker = farm.join(setup.environment(store.environment())).await;
        Self {
            farm,
            store,
            proxy,
            _worker: worker,
        }
    }

    fn command(&self, line: &[&str]) -> Command {
        let mut command = self.farm.producer_command();
        command
            .envs(self.store.environment())
            .env("AWS_ENDPOINT", self.proxy.http_url())
            .args(line);
        command
    }

    async fn producer(&self, line: &[&str]) -> Ran {
        process::run(self.command(line)).await
    }

    /// Enqueues `in`, to be downloaded to `out`.
    async fn enqueue(&self, further: &[&str]) -> Ran {
        let line = ["enqueue", "in", "-o", "out", "--store", "s3://media"];
        let how = ["--encoder", "libx264", "--encoder-preset", "ultrafast"];
        self.producer(&[&line[..], &how, further].concat()).await
    }

    fn path(&self, name: &str) -> PathBuf {
        self.farm.folder().join(name)
    }

    fn copies(&self, folder: &str, clips: &[&str]) {
        let clips: Vec<PathBuf> = clips.iter().map(|name| paths::media(name)).collect();
        copy_into(&self.path(folder), &clips);
    }
}

/// All names in a folder, also hidden ones.
fn all_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn is_hidden(name: &str) -> bool {
    name.starts_with(".ffmpeg-easy-download-")
}

/// Waits until a result is partly downloaded, under a name that is not in `before`.
async fn half_way(folder: &Path, before: &[String]) {
    poll::until("a result to be on its way", async || {
        let is_new = |name: &String| is_hidden(name) && !before.contains(name);
        let mut hidden = all_names(folder).into_iter().filter(is_new);
        let begun = |name: String| {
            folder
                .join(name)
                .metadata()
                .is_ok_and(|file| file.len() > 0)
        };
        hidden.any(begun).then_some(())
    })
    .await;
}

#[tokio::test]
async fn results_of_a_bucket_are_downloaded_whole_and_under_their_names() {
    let remote = RemoteFarm::start().await;
    remote.copies("in", &["h264.mp4"]);
    remote.copies("in/sub", &["vp9.webm"]);
    let outcome = remote
        .enqueue(&["--wait", "--json"])
        .await
        .succeeded()
        .json();
    for (count, expected) in [("added", 2), ("done", 2), ("downloaded", 2), ("pending", 0)] {
        assert_eq!(outcome[count], expected, "{count}: {outcome:#}");
    }
    let out = remote.farm.out();
    let names = ["h264.mkv", "sub/vp9.mkv"].map(PathBuf::from);
    assert_eq!(outside::names(&out), names);
    assert_eq!(all_names(&out), ["h264.mkv", "sub"]);
    let source = Media::of(&paths::media("h264.mp4"));
    assert_eq!(Media::of(&out.join("h264.mkv")).frames(), source.frames());
    let brought = std::fs::read(out.join("h264.mkv")).expect("there");
    let keys = remote.store.keys().await;
    let made = keys.iter().find(|key| key.ends_with("/h264.mkv"));
    let made = remote
        .store
        .get(made.expect("it stays in the bucket"))
        .await;
    assert_eq!(made, Some(brought));

    // A dry run knows the results, too, by the copies in the bucket.
    let foretold = remote.enqueue(&["--dry-run", "--json"]).await;
    for file in foretold.succeeded().json().as_array().expect("files") {
        let why = &file["why"];
        assert_eq!(why, "its job is completed already", "{file:#}");
    }

    // The same command again finds all results, and makes only the missing ones.
    let modified = |name: &PathBuf| out.join(name).metadata().expect("there").modified().ok();
    let before = names.each_ref().map(modified);
    let again = remote
        .enqueue(&["--wait", "--json"])
        .await
        .succeeded()
        .json();
    assert_eq!(
        (&again["added"], &again["downloaded"]),
        (&0.into(), &2.into())
    );
    assert_eq!(names.each_ref().map(modified), before);
    std::fs::remove_file(out.join("h264.mkv")).expect("removed");
    remote.enqueue(&["--wait"]).await.succeeded();
    assert_eq!(outside::names(&out), names);
    assert_eq!(modified(&names[1]), before[1]);
    assert_eq!(remote.farm.view.runs().await.expect("an answer").len(), 2);

    // A stranger's file is left alone, before and after the encode.
    remote.copies("in", &["hevc.mkv"]);
    std::fs::write(out.join("hevc.mkv"), "mine").expect("written");
    let told = remote.enqueue(&["--wait"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.stderr.contains("hevc.mkv: the output exists"),
        "{told:?}"
    );
    std::fs::write(out.join("h264.mkv"), "mine").expect("written");
    let told = remote.enqueue(&["--wait", "--json"]).await;
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(
        told.stderr
            .contains("another file has the name of the result"),
        "{told:?}"
    );
    for name in ["h264.mkv", "hevc.mkv"] {
        assert_eq!(std::fs::read(out.join(name)).expect("there"), b"mine");
    }
    remote.enqueue(&["--wait", "--overwrite"]).await.succeeded();
    assert_ne!(std::fs::read(out.join("hevc.mkv")).expect("there"), b"mine");

    // An input in a bucket cannot have its output on the disk of a worker.
    let line = [
        "enqueue",
        "s3://media/in",
        "-o",
        "elsewhere",
        "--encoder",
        "libx264",
    ];
    let scattered = remote.producer(&line).await;
    assert_eq!(scattered.code, Some(2), "{scattered:?}");
    assert!(scattered.stderr.contains("--store s3://"), "{scattered:?}");
    let line = ["watch", "in", "-o", "out", "--store", "s3://media"];
    let line = [&line[..], &["--encoder", "libx264"]].concat();
    let watched = remote.producer(&line).await;
    assert_eq!(watched.code, Some(2), "{watched:?}");
}

#[tokio::test]
async fn a_batch_is_downloaded_later_although_the_program_was_killed_and_interrupted() {
    let remote = RemoteFarm::start().await;
    remote.copies("in", &["h264.mp4", "vp9.webm"]);
    remote.copies("in/sub", &["tracks.mkv"]);
    std::fs::write(remote.path("in/broken.mp4"), b"\0\0\0\x18ftypisom").expect("written");
    let ordered = remote
        .enqueue(&["--attempts", "1", "--json"])
        .await
        .succeeded();
    let hint = "downloads them";
    assert!(ordered.stderr.contains(hint), "{ordered:?}");
    let batch = ordered.json()["batch"]
        .as_str()
        .expect("a batch")
        .to_owned();
    assert!(!remote.farm.out().exists());
    poll::until("all jobs to end", async || {
        let runs = remote.farm.view.runs().await.ok()?;
        let ended = runs.iter().filter(|run| run.state.is_terminal());
        (ended.count() == 4).then_some(())
    })
    .await;

    // Killed, and then interrupted, in the middle of a download.
    let home = remote.path("home");
    remote.proxy.set(SLOW);
    let line = ["download", &batch[..13], "home"];
    let log = remote.path("download.log");
    let mut killed = Daemon::start("download", remote.command(&line), &log);
    half_way(&home, &[]).await;
    killed.kill();
    let left = all_names(&home);
    assert!(left.iter().any(|name| is_hidden(name)), "{left:?}");
    let mut interrupted = Daemon::start("download", remote.command(&line), &log);
    half_way(&home, &left).await;
    interrupted.signal(Signal::INT);
    assert_eq!(interrupted.wait().await.code(), Some(130));
    assert!(interrupted.log().contains("run the same command again"));

    remote.proxy.set(NetworkConditions::GOOD);
    std::fs::create_dir_all(home.join("sub")).expect("made");
    std::fs::write(home.join("sub/tracks.mkv"), "mine").expect("written");
    let some = remote.producer(&[&line[..], &["--json"]].concat()).await;
    assert_eq!(some.code, Some(1), "{some:?}");
    let outcome = some.json();
    for (count, expected) in [
        ("downloaded", 2),
        ("there", 0),
        ("missing", 1),
        ("failed", 1),
    ] {
        assert_eq!(outcome[count], expected, "{count}: {outcome:#}");
    }
    assert_eq!(
        std::fs::read(home.join("sub/tracks.mkv")).expect("there"),
        b"mine"
    );
    assert_eq!(
        all_names(&home),
        ["h264.mkv", "sub", "vp9.mkv"],
        "nothing hidden is left"
    );
    std::fs::remove_file(home.join("sub/tracks.mkv")).expect("removed");
    let outcome = remote
        .producer(&[&line[..], &["--json"]].concat())
        .await
        .json();
    assert_eq!(
        (&outcome["downloaded"], &outcome["there"]),
        (&1.into(), &2.into())
    );
    let tracks = Media::of(&home.join("sub/tracks.mkv"));
    let source = Media::of(&paths::media("tracks.mkv"));
    assert_eq!(tracks.streams.len(), source.streams.len());

    // The object in the bucket is not the job's own output any more.
    let keys = remote.store.keys().await;
    let made = keys
        .iter()
        .find(|key| key.ends_with("/vp9.mkv"))
        .expect("there");
    remote.store.put(&home.join("h264.mkv"), made).await;
    let changed = remote.producer(&["download", &batch, "other"]).await;
    assert_eq!(changed.code, Some(1), "{changed:?}");
    assert!(
        changed.stderr.contains("not the one that the job made"),
        "{changed:?}"
    );
    assert_eq!(all_names(&remote.path("other")), ["h264.mkv", "sub"]);

    // A batch whose results are in a folder has nothing to download, and an unknown batch is an error.
    let line = [
        "enqueue",
        "in/h264.mp4",
        "-o",
        "shared",
        "--encoder",
        "libx264",
        "--json",
    ];
    let shared = remote.producer(&line).await.succeeded().json();
    for (batch, words) in [
        (
            shared["batch"].as_str().expect("a batch"),
            "not in a bucket",
        ),
        ("01a214f4-f162-73cf-85e9-45b3f6b2423a", "has no jobs"),
    ] {
        let refused = remote.producer(&["download", batch, "home"]).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(words), "{refused:?}");
    }
}
