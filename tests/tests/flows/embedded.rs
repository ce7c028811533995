//! `producer encode`: it needs no server and no worker, and leaves nothing behind.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use harness::faults::disk::SmallDisk;
use harness::outside::media::Media;
use harness::process::{Daemon, Ran, Signal};
use harness::{outside, paths, poll, process, programs};
use tempfile::TempDir;

/// A machine without a farm.
struct Machine(TempDir);

impl Machine {
    fn with(clips: &[&str]) -> Self {
        let machine = Self(paths::test_folder());
        let files: Vec<_> = clips.iter().map(|name| paths::media(name)).collect();
        harness::farm::copy_into(&machine.path("in"), &files);
        machine
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, preset: &str) -> Command {
        let mut command = programs::command("producer", self.0.path());
        command.args(["encode", "in", "-o", "out", "--encoder", "libx264"]);
        command.args(["--encoder-preset", preset]);
        command
    }

    async fn encode(&self) -> Ran {
        process::run(self.command("ultrafast")).await
    }

    /// A producer in the middle of a long encode.
    async fn long_encode(&self) -> Daemon {
        std::fs::copy(paths::clip("bigbuckbunny.mp4"), self.path("in/long.mp4")).unwrap();
        let log = self.path("producer.log");
        let producer = Daemon::start("producer", self.command("placebo"), &log);
        poll::until("ffmpeg to start", async || {
            let encodes = outside::encodes_in(self.0.path());
            encodes
                .iter()
                .any(|process| process.command.contains("placebo"))
                .then_some(())
        })
        .await;
        producer
    }

    /// No process that was started still runs.
    async fn assert_quiet(&self) {
        poll::until("all that the command started to be gone", async || {
            outside::processes_of(self.0.path())
                .is_empty()
                .then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn encode_needs_no_server_and_leaves_nothing_running() {
    let machine = Machine::with(&["h264.mp4", "tracks.mkv"]);
    let before = outside::files(&machine.path("in"));
    machine.encode().await.succeeded();
    machine.assert_quiet().await;
    let out = machine.path("out");
    assert_eq!(
        outside::names(&out),
        [Path::new("h264.mkv"), Path::new("tracks.mkv")]
    );
    for (name, source) in [("h264.mkv", "h264.mp4"), ("tracks.mkv", "tracks.mkv")] {
        let (made, source) = (Media::of(&out.join(name)), Media::of(&paths::media(source)));
        assert_eq!(made.frames(), source.frames());
        assert_eq!(made.streams.len(), source.streams.len());
    }

    // A second run finds all outputs made.
    let made = outside::files(&out);
    let which = |name: &str| outside::which(&out.join(name));
    let first = [which("h264.mkv"), which("tracks.mkv")];
    let again = machine.encode().await.succeeded();
    assert_eq!([which("h264.mkv"), which("tracks.mkv")], first, "{again:?}");

    // A deleted output is made again, and no other.
    std::fs::remove_file(out.join("h264.mkv")).unwrap();
    machine.encode().await.succeeded();
    assert_eq!(
        outside::names(&out),
        made.keys().cloned().collect::<Vec<_>>()
    );
    assert_eq!(which("tracks.mkv"), first[1]);
    assert_eq!(
        outside::files(&machine.path("in")),
        before,
        "sources are never touched"
    );
    machine.assert_quiet().await;
}

#[tokio::test]
async fn outputs_are_as_old_and_as_private_as_their_inputs() {
    use std::os::unix::fs::PermissionsExt;

    let machine = Machine::with(&["h264.mp4", "tracks.mkv"]);
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(981_158_400);
    let set = |name: &str, mode: u32| {
        let file = std::fs::File::open(machine.path("in").join(name)).unwrap();
        file.set_modified(old).unwrap();
        let permissions = std::fs::Permissions::from_mode(mode);
        file.set_permissions(permissions).unwrap();
    };
    set("h264.mp4", 0o640);
    set("tracks.mkv", 0o4744);
    let mut command = machine.command("ultrafast");
    command.args(["--thumbnails", "1"]);
    process::run(command).await.succeeded();
    for (name, mode) in [
        ("h264.mkv", 0o640),
        ("h264.1.jpg", 0o640),
        ("tracks.mkv", 0o744),
        ("tracks.1.jpg", 0o744),
    ] {
        let metadata = machine.path("out").join(name).metadata().unwrap();
        assert_eq!(metadata.modified().unwrap(), old, "{name}");
        assert_eq!(metadata.permissions().mode() & 0o7777, mode, "{name}");
    }
    machine.assert_quiet().await;
}

#[tokio::test]
async fn one_bad_file_fails_alone() {
    let machine = Machine::with(&["h264.mp4", "bad/truncated.mp4"]);
    let ran = machine.encode().await;
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        format!("{}{}", ran.stdout, ran.stderr).contains("truncated.mp4"),
        "{ran:?}"
    );
    assert_eq!(
        outside::names(&machine.path("out")),
        [Path::new("h264.mkv")]
    );
    machine.assert_quiet().await;
}

#[tokio::test]
async fn ctrl_c_ends_everything_and_leaves_no_half_output() {
    let machine = Machine::with(&[]);
    let mut producer = machine.long_encode().await;
    producer.signal(Signal::INT);
    let status = producer.wait().await;
    assert_eq!(status.code(), Some(130), "{status}");
    machine.assert_quiet().await;
    assert_eq!(outside::names(&machine.path("out")), Vec::<&Path>::new());

    // There is a state from which a second run can continue, and none after that run.
    let states = machine.path("state/ffmpeg-easy");
    let folders = || std::fs::read_dir(&states).unwrap().flatten();
    let folders = || folders().filter(|entry| entry.path().is_dir()).count();
    assert_eq!(folders(), 1);
    std::fs::copy(paths::media("h264.mp4"), machine.path("in/long.mp4")).unwrap();
    machine.encode().await.succeeded();
    assert_eq!(folders(), 0);
    std::fs::remove_dir_all(machine.path("out")).unwrap();
    std::fs::remove_file(machine.path("in/long.mp4")).unwrap();
    machine.encode().await;
    assert_eq!(
        outside::names(&states).len(),
        1,
        "what was done is remembered"
    );
}

#[tokio::test]
async fn nothing_survives_a_producer_that_is_killed() {
    let machine = Machine::with(&[]);
    machine.long_encode().await.kill();
    machine.assert_quiet().await;
    assert_eq!(outside::names(&machine.path("out")), Vec::<&Path>::new());
}

#[tokio::test]
async fn nobody_else_may_use_its_broker() {
    let machine = Machine::with(&[]);
    let mut producer = machine.long_encode().await;
    let states = machine.path("state/ffmpeg-easy");
    let names = outside::names(&states);
    let named = |name: &str| {
        let found = names.iter().find(|path| path.ends_with(name));
        states.join(found.unwrap_or_else(|| panic!("{name} is not among {names:?}")))
    };
    let configuration = named("nats-server.conf");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o077;
    assert_eq!(mode(&configuration), 0, "others may read it");
    assert_eq!(mode(configuration.parent().unwrap()), 0);
    let text = std::fs::read_to_string(&configuration).unwrap();
    let password = text.split("password: \"").nth(1).unwrap();
    let (password, _) = password.split_once('"').unwrap();
    assert!(password.len() >= 32, "{password}");
    for process in outside::processes_of(machine.0.path()) {
        assert!(!process.command.contains(password), "{}", process.command);
    }
    // The server tells its port in a file of this folder.
    let ports = names.iter().find(|path| {
        path.extension()
            .is_some_and(|extension| extension == "ports")
    });
    let ports = std::fs::read(states.join(ports.unwrap())).unwrap();
    let ports: serde_json::Value = serde_json::from_slice(&ports).unwrap();
    let url = ports["nats"][0].as_str().unwrap();
    for url in [
        url.to_owned(),
        url.replace("nats://", "nats://farm:guessed@"),
    ] {
        let refused = async_nats::ConnectOptions::new().connect(&url).await;
        let refused = refused.expect_err("whoever knows the port gets in");
        assert_eq!(
            refused.kind(),
            async_nats::ConnectErrorKind::AuthorizationViolation,
            "{refused}"
        );
    }
    producer.signal(Signal::INT);
    producer.wait().await;
    machine.assert_quiet().await;
}

/// The size of a disk with room for the short clips, in kilobytes.
const OTHER_DISK: u32 = 64 << 10;

#[tokio::test]
async fn a_link_planted_where_scratch_files_once_went_is_not_followed() {
    let machine = Machine::with(&["h264.mp4"]);
    let out = machine.path("out");
    let Some(_disk) = SmallDisk::mount(&out, OTHER_DISK) else {
        return;
    };
    let film = machine.path("home/local/film.mkv");
    std::fs::create_dir_all(film.parent().unwrap()).unwrap();
    std::fs::write(&film, "film").unwrap();
    std::os::unix::fs::symlink(machine.path("home"), out.join(".ffmpeg-easy-scratch")).unwrap();
    machine.encode().await.succeeded();
    machine.assert_quiet().await;
    assert_eq!(
        outside::names(&machine.path("home")),
        [Path::new("local/film.mkv")]
    );
    assert_eq!(std::fs::read(&film).unwrap(), b"film");
    std::fs::remove_file(out.join(".ffmpeg-easy-scratch")).unwrap();
    let left: Vec<_> = std::fs::read_dir(&out).unwrap().flatten().collect();
    let left: Vec<_> = left.iter().map(std::fs::DirEntry::file_name).collect();
    assert_eq!(left, ["h264.mkv"], "nothing else is left, hidden or not");
}

#[tokio::test]
async fn the_next_command_removes_only_what_a_crash_left_beside_outputs() {
    let machine = Machine::with(&[]);
    let out = machine.path("out");
    let Some(_disk) = SmallDisk::mount(&out, OTHER_DISK) else {
        return;
    };
    let mut producer = machine.long_encode().await;
    // All processes at once, the guards included, so that nothing can clean up.
    for signal in [Signal::STOP, Signal::KILL] {
        for process in outside::processes_of(machine.0.path()) {
            process.signal(signal);
        }
    }
    producer.wait().await;
    machine.assert_quiet().await;
    let hidden = || -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(&out).unwrap().flatten();
        let paths = entries.map(|entry| entry.path());
        paths.filter(|path| path.is_dir()).collect()
    };
    let left = hidden();
    assert_eq!(left.len(), 1, "{left:?}");
    let mode = std::os::unix::fs::PermissionsExt::mode(&left[0].metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
    assert!(left[0].join("ffmpeg-easy-scratch-local").is_dir());

    std::fs::remove_file(machine.path("in/long.mp4")).unwrap();
    harness::farm::copy_into(&machine.path("in"), &[paths::media("h264.mp4")]);
    // It looks like a scratch folder of the producer, but no command of this user made it.
    let other = out.join(".ffmpeg-easy-scratch-9c1f3a52-8a0f-4f6e-9a55-2d2b8a6cf9ab");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("film.mkv"), "film").unwrap();
    machine.encode().await.succeeded();
    assert_eq!(hidden(), std::slice::from_ref(&other));
    assert_eq!(std::fs::read(other.join("film.mkv")).unwrap(), b"film");
}
