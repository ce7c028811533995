//! `producer encode --replace` on one machine, without a farm.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use harness::outside::media::Media;
use harness::process::{Daemon, Ran, Signal};
use harness::{outside, paths, poll, process, programs};
use tempfile::TempDir;

use super::{batch_in, names, seen};

pub(super) struct Machine(pub(super) TempDir);

impl Machine {
    /// A folder `films` with a film that keeps its name and one that gets another one, both old.
    pub(super) fn new() -> Self {
        let machine = Self(paths::test_folder());
        harness::farm::copy_into(&machine.films(), &[paths::media("tracks.mkv")]);
        harness::farm::copy_into(&machine.films().join("sub"), &[paths::media("h264.mp4")]);
        for name in ["tracks.mkv", "sub/h264.mp4"] {
            machine.make_old(name);
        }
        machine
    }

    pub(super) fn films(&self) -> PathBuf {
        self.0.path().join("films")
    }

    fn make_old(&self, name: &str) {
        let old = SystemTime::UNIX_EPOCH + Duration::from_nanos(981_158_400_123_456_789);
        let file = std::fs::File::options()
            .write(true)
            .open(self.films().join(name));
        file.unwrap().set_modified(old).unwrap();
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = programs::command("producer", self.0.path());
        command.args(arguments);
        command
    }

    pub(super) async fn run(&self, arguments: &[&str]) -> Ran {
        process::run(self.command(arguments)).await
    }

    pub(super) fn encode(&self) -> Vec<&'static str> {
        let line = "encode films --replace --encoder libx264 --encoder-preset ultrafast";
        line.split(' ').collect()
    }
}

#[tokio::test]
async fn originals_are_replaced_and_come_back_bit_by_bit() {
    let machine = Machine::new();
    let before = seen(&machine.films());
    machine.run(&machine.encode()).await.succeeded();
    let after = ["sub/h264.mkv", "tracks.mkv"];
    assert_eq!(names(&machine.films()), after);
    for (name, source) in after.iter().zip(["h264.mp4", "tracks.mkv"]) {
        let (made, source) = (Media::of(&machine.films().join(name)), paths::media(source));
        assert_eq!(made.frames(), Media::of(&source).frames(), "{name}");
    }
    let replaced = seen(&machine.films());
    let old = before[Path::new("tracks.mkv")].1;
    for name in after {
        assert_eq!(
            replaced[Path::new(name)].1,
            old,
            "{name} is as old as its original"
        );
    }

    // What was replaced is not replaced again.
    machine.run(&machine.encode()).await.succeeded();
    assert_eq!(seen(&machine.films()), replaced);

    let batch = batch_in(&machine.films());
    let listed = machine
        .run(&["trash", "films", "--json"])
        .await
        .succeeded()
        .json();
    assert_eq!(
        (&listed[0]["files"], &listed[0]["batch"]),
        (&2.into(), &batch.as_str().into())
    );
    machine
        .run(&["undo", &batch, "--dry-run"])
        .await
        .succeeded();
    assert_eq!(
        seen(&machine.films()),
        replaced,
        "a dry run changes nothing"
    );
    machine.run(&["undo", &batch[..13]]).await.succeeded();
    assert_eq!(seen(&machine.films()), before);
    // There is nothing left to undo.
    let again = machine.run(&["undo", &batch]).await;
    assert_eq!(again.code, Some(2), "{again:?}");

    // The same command does it again.
    machine.run(&machine.encode()).await.succeeded();
    assert_eq!(names(&machine.films()), after);
    machine
        .run(&["undo", &batch_in(&machine.films())])
        .await
        .succeeded();
    assert_eq!(seen(&machine.films()), before);
}

#[tokio::test]
async fn a_trash_on_another_disk_holds_copies_and_can_be_emptied() {
    let machine = Machine::new();
    let before = seen(&machine.films());
    let shm = tempfile::tempdir_in("/dev/shm").unwrap();
    let trash = shm.path().to_str().unwrap();
    let mut encode = machine.encode();
    encode.extend(["--trash", trash]);
    machine.run(&encode).await.succeeded();
    assert_eq!(names(&machine.films()), ["sub/h264.mkv", "tracks.mkv"]);
    let batch = batch_in(shm.path());
    machine.run(&["undo", &batch]).await.succeeded();
    assert_eq!(seen(&machine.films()), before);
    assert!(seen(shm.path()).is_empty());

    machine.run(&encode).await.succeeded();
    let (batch, replaced) = (batch_in(shm.path()), seen(&machine.films()));
    machine
        .run(&["trash", trash, "--empty", &batch])
        .await
        .succeeded();
    assert!(seen(shm.path()).is_empty());
    let refused = machine.run(&["undo", &batch]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("does not hold the original"),
        "{refused:?}"
    );
    assert_eq!(seen(&machine.films()), replaced, "the outputs stay");
}

#[tokio::test]
async fn what_must_not_be_replaced_is_left_with_a_clear_word() {
    let machine = Machine::new();
    let films = machine.films();
    std::fs::hard_link(
        films.join("tracks.mkv"),
        machine.0.path().join("seeded.mkv"),
    )
    .unwrap();
    let read_only = std::os::unix::fs::PermissionsExt::from_mode(0o444);
    std::fs::set_permissions(films.join("sub/h264.mp4"), read_only).unwrap();
    let before = seen(&films);
    let ran = machine.run(&machine.encode()).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    let told = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        told.contains("hard links") && told.contains("read-only"),
        "{told}"
    );
    assert_eq!(seen(&films), before);

    // A file of a stranger has the name that an output would get.
    std::fs::write(films.join("sub/h264.mkv"), "a stranger's").unwrap();
    let before = seen(&films);
    let refused = machine.run(&machine.encode()).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert_eq!(seen(&films), before);

    for wrong in [
        vec!["encode", "films", "--replace", "-o", "out"],
        vec!["encode", "films", "--replace", "--overwrite"],
        vec!["encode", "films", "--trash", "x", "-o", "out"],
        vec![
            "encode",
            "films",
            "--replace",
            "--trash",
            "s3://media/trash",
        ],
        vec![
            "encode",
            "films",
            "--replace",
            "--rendition",
            "720p",
            "--rendition",
            "360p",
        ],
        vec!["encode", "films/.ffmpeg-easy-trash", "--replace"],
        vec!["encode", "films"],
    ] {
        let refused = machine.run(&wrong).await;
        assert_eq!(refused.code, Some(2), "{wrong:?}: {refused:?}");
        assert_eq!(seen(&films), before, "{wrong:?}");
    }
}

#[tokio::test]
async fn an_output_that_was_changed_since_is_not_undone() {
    let machine = Machine::new();
    machine.run(&machine.encode()).await.succeeded();
    let batch = batch_in(&machine.films());
    let edited = machine.films().join("tracks.mkv");
    std::fs::write(&edited, "edited by a person").unwrap();
    let ran = machine.run(&["undo", &batch]).await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("not what the job made"), "{ran:?}");
    assert_eq!(std::fs::read(&edited).unwrap(), b"edited by a person");
    // The other film is back.
    assert_eq!(names(&machine.films()), ["sub/h264.mp4", "tracks.mkv"]);
}

/// All processes are killed at once while originals are replaced, again and again, at other moments each time.
#[tokio::test]
async fn kills_at_any_moment_lose_no_film() {
    let machine = Machine::new();
    let sub = machine.films().join("sub");
    std::fs::rename(sub.join("h264.mp4"), sub.join("clip.mp4")).unwrap();
    for number in 0..6 {
        harness::farm::copy_into(&machine.films(), &[paths::media("h264.mp4")]);
        let film = machine.films().join("h264.mp4");
        let named = |end: &str| machine.films().join(format!("film{number} x264{end}"));
        std::fs::rename(film, named(".mp4")).unwrap();
        // Its sidecars get its new name.
        for end in [".en.srt", ".nfo", "-poster.jpg"] {
            std::fs::write(named(end), format!("{end} of film {number}")).unwrap();
        }
    }
    let encode = [&machine.encode()[..], &["--name", "{stem-without-codec}"]].concat();
    let new_name = |name: &Path| -> PathBuf {
        let name = name.to_str().unwrap().replace(" x264", "");
        name.replace(".mp4", ".mkv").into()
    };
    let before = seen(&machine.films());
    let records = || {
        let all = seen(&machine.films()).into_keys();
        all.filter(|path| path.extension().is_some_and(|end| end == "json"))
            .count()
    };
    for round in 0_usize..20 {
        let known = records();
        let log = machine.0.path().join("producer.log");
        let mut producer = Daemon::start("producer", machine.command(&encode), &log);
        let is_over = poll::until(
            "a replacement to begin, or the end",
            async || match producer.ended() {
                Some(_) => Some(true),
                None => (records() > known).then_some(false),
            },
        )
        .await;
        if is_over {
            break;
        }
        tokio::time::sleep(Duration::from_millis(round as u64 * 3 % 17)).await;
        for signal in [Signal::STOP, Signal::KILL] {
            for process in outside::processes_of(machine.0.path()) {
                process.signal(signal);
            }
        }
        producer.wait().await;
        let now = seen(&machine.films());
        for (name, original) in &before {
            let kept = now.values().any(|(bytes, ..)| *bytes == original.0);
            let is_there = now.contains_key(name) || now.contains_key(&new_name(name));
            assert!(
                kept && is_there,
                "round {round}: {} is lost",
                name.display()
            );
        }
    }
    let last = machine.run(&encode).await.succeeded();
    let mut expected: Vec<PathBuf> = before.keys().map(|name| new_name(name)).collect();
    expected.sort();
    let films = names(&machine.films());
    let films: Vec<PathBuf> = films.into_iter().map(PathBuf::from).collect();
    assert_eq!(films, expected, "{last:?}");
    // Each command was a batch of its own.
    let trash = machine.films().join(".ffmpeg-easy-trash");
    for batch in std::fs::read_dir(trash).unwrap().flatten() {
        let batch = batch.file_name().into_string().unwrap();
        if batch != "ffmpeg-easy.mark" {
            machine.run(&["undo", &batch]).await.succeeded();
        }
    }
    let back: Vec<_> = seen(&machine.films()).into_iter().collect();
    assert_eq!(back, before.into_iter().collect::<Vec<_>>());
}
