//! Mistakes of people: each gives a clear message and the right exit code, leaves the source as it is, and leaves no
//! partial output.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use harness::farm::{Farm, copy_into};
use harness::faults::disk::SmallDisk;
use harness::process::{self, Ran};
use harness::servers::store::{BUCKET, TestStore};
use harness::{outside, paths, programs};
use tempfile::TempDir;

const FAILED: i32 = 1;
const USAGE: i32 = 2;
const OUT_OF_REACH: i32 = 3;

/// An address on which no server listens.
const NOWHERE: &str = "127.0.0.1:9";

/// A folder with a film in `in/`.
fn place() -> TempDir {
    let place = paths::test_folder();
    copy_into(&place.path().join("in"), &[paths::media("h264.mp4")]);
    place
}

/// A command line, and its expected result.
struct Case {
    verb: &'static str,
    arguments: Vec<String>,
    code: i32,
    words: &'static str,
}

fn case(verb: &'static str, arguments: &[&str], code: i32, words: &'static str) -> Case {
    Case {
        verb,
        arguments: arguments.iter().map(ToString::to_string).collect(),
        code,
        words,
    }
}

async fn check(place: &Path, mut command: Command, case: &Case) {
    let before = outside::files(&place.join("in"));
    command.arg(case.verb).args(&case.arguments);
    let ran = process::run(command).await;
    let Case {
        verb,
        arguments,
        code,
        words,
    } = case;
    assert_eq!(ran.code, Some(*code), "{verb} {arguments:?}: {ran:?}");
    assert!(
        ran.stderr.contains(words),
        "{verb} {arguments:?} does not say '{words}': {ran:?}"
    );
    let lines = ran.stderr.lines().filter(|line| line.starts_with("error"));
    assert!(lines.count() <= 1, "one line says it all: {ran:?}");
    assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    assert_eq!(
        outside::files(&place.join("in")),
        before,
        "{verb} {arguments:?} touched the source"
    );
    assert_eq!(
        outside::names(&place.join("out")),
        Vec::<&Path>::new(),
        "{verb} {arguments:?}"
    );
}

#[tokio::test]
async fn senseless_commands_are_refused_before_anything_starts() {
    let place = place();
    let farm = Farm::start().await;
    std::fs::create_dir(place.path().join("empty")).unwrap();
    std::fs::write(
        place.path().join("hostile.json"),
        r#"{"video":{"encode":{"with":{"encoder":"libx264"},"filters":"movie=/etc/passwd"}}}"#,
    )
    .unwrap();
    let hostile_filter = "movie=/etc/passwd";
    let senseless: [(&[&str], &str); 14] = [
        (&["in", "--encoder", "libx256"], "libx264"),
        (&["in", "--codec", "h246"], "h264"),
        (&["in", "--encoder", "libx264", "--bitrate", "abc"], "4M"),
        (&["in", "--encoder", "libx264", "--crf", "99"], "51"),
        (&["in", "--encoder", "libx264", "--priority", "11"], "10"),
        (&["in", "--encoder", "libx264", "--scale", "721x3"], "even"),
        (
            &["in", "--encoder", "libx264", "--container", "webm"],
            "webm cannot hold",
        ),
        (
            &["in", "--encoder", "libx264", "--filter", hostile_filter],
            "not allowed",
        ),
        (
            &[
                "in",
                "--encoder",
                "libx264",
                "--argument",
                "passlogfile=/etc/passwd",
            ],
            "not allowed",
        ),
        (
            &[
                "in",
                "--encoder",
                "libx264",
                "--argument",
                "x264-params=stats=/etc/x",
            ],
            "not allowed",
        ),
        (&["in", "--preset", "hostile.json"], "not allowed"),
        (&["missing.mp4", "--encoder", "libx264"], "does not exist"),
        (&["empty", "--encoder", "libx264"], "no media"),
        (&["in", "--nonsense"], "--nonsense"),
    ];
    for verb in ["encode", "enqueue"] {
        for (arguments, words) in &senseless {
            let mut case = case(verb, arguments, USAGE, words);
            case.arguments.extend(["-o", "out"].map(str::to_owned));
            let mut command = programs::command("producer", place.path());
            if verb == "enqueue" {
                command.env("NATS_URL", farm.broker.url_for("producer"));
            }
            check(place.path(), command, &case).await;
        }
        let onto_itself = case(
            verb,
            &["in", "-o", "in", "--encoder", "libx264"],
            USAGE,
            "in",
        );
        check(
            place.path(),
            programs::command("producer", place.path()),
            &onto_itself,
        )
        .await;
    }
    assert_eq!(farm.queued().await, 0);
}

#[tokio::test]
async fn the_error_names_the_server_that_is_out_of_reach() {
    let place = place();
    let farm = Farm::start().await;
    let x264 = ["in", "-o", "out", "--encoder", "libx264"];
    let old = place.path().join("old-nats-server");
    std::fs::write(&old, "#!/bin/sh\necho nats-server: v2.9.10\n").unwrap();
    std::fs::set_permissions(&old, PermissionsExt::from_mode(0o755)).unwrap();

    let nats = format!("nats://{NOWHERE}");
    let with = |further: &[&'static str]| [&x264[..], further].concat();
    for verb in ["encode", "enqueue"] {
        let mut line = x264.to_vec();
        line.extend(["--nats", &nats]);
        let case = case(verb, &line, OUT_OF_REACH, NOWHERE);
        check(
            place.path(),
            programs::command("producer", place.path()),
            &case,
        )
        .await;
    }
    for (server, words) in [
        ("/nowhere/nats-server", "nats-server"),
        (old.to_str().unwrap(), "too old"),
    ] {
        let mut line = x264.to_vec();
        line.extend(["--nats-server", server]);
        let case = case("encode", &line, OUT_OF_REACH, words);
        check(
            place.path(),
            programs::command("producer", place.path()),
            &case,
        )
        .await;
    }
    let absent = case(
        "encode",
        &x264,
        OUT_OF_REACH,
        "nats-server is not installed",
    );
    let mut command = programs::command("producer", place.path());
    command.env("PATH", "/nowhere");
    check(place.path(), command, &absent).await;

    // A store without a server, as target and as source.
    for line in [
        with(&["--store", "s3://media"]),
        vec!["s3://media/a.mp4", "-o", "out", "--encoder", "libx264"],
    ] {
        let case = case("enqueue", &line, OUT_OF_REACH, "s3://media");
        let mut command = farm.producer_command();
        command
            .current_dir(place.path())
            .env("AWS_ENDPOINT", format!("http://{NOWHERE}"))
            .env("AWS_ALLOW_HTTP", "true")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "k")
            .env("AWS_SECRET_ACCESS_KEY", "s");
        check(place.path(), command, &case).await;
    }
    assert_eq!(farm.queued().await, 0);
}

#[tokio::test]
async fn a_missing_key_is_named() {
    let place = place();
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let key = format!("s3://{BUCKET}/films/missing.mp4");
    let case = case(
        "enqueue",
        &[&key, "-o", "out", "--encoder", "libx264"],
        USAGE,
        "missing.mp4 does not exist",
    );
    let mut command = farm.producer_command();
    command.current_dir(place.path()).envs(store.environment());
    check(place.path(), command, &case).await;
}

/// The same command, run by a user who must obey permissions.
fn as_plain_user(command: &Command) -> Command {
    let mut plain = Command::new("setpriv");
    plain
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => plain.env(name, value),
            None => plain.env_remove(name),
        };
    }
    plain
}

#[tokio::test]
async fn a_folder_that_may_not_be_read_is_named() {
    let place = place();
    let farm = Farm::start().await;
    // The tests may run as root, who may read everything.
    std::fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let locked = place.path().join("locked");
    copy_into(&locked, &[paths::media("h264.mp4")]);
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o000)).unwrap();
    for verb in ["encode", "enqueue"] {
        let mut command = programs::command("producer", place.path());
        if verb == "enqueue" {
            command.env("NATS_URL", farm.broker.url_for("producer"));
        }
        let is_root = rustix::process::geteuid().is_root();
        let command = if is_root {
            as_plain_user(&command)
        } else {
            command
        };
        let case = case(
            verb,
            &["locked", "-o", "out", "--encoder", "libx264"],
            USAGE,
            "locked",
        );
        check(place.path(), command, &case).await;
    }
    std::fs::set_permissions(&locked, PermissionsExt::from_mode(0o755)).unwrap();
}

/// Files that are no film, whatever their names are, and a part of each error.
const BAD_MEDIA: [(&str, &str); 5] = [
    ("empty.mp4", "is empty"),
    ("notes.mp4", "text, no video"),
    ("truncated.mp4", "no media that ffmpeg can read"),
    ("truncated-faststart.mp4", "damaged"),
    ("audio-only.m4a", "video"),
];

fn check_bad_media(ran: &Ran, out: &Path) {
    assert_eq!(ran.code, Some(FAILED), "{ran:?}");
    let said = format!("{}\n{}", ran.stdout, ran.stderr);
    for (name, words) in BAD_MEDIA {
        assert!(
            said.lines()
                .any(|line| line.contains(name) && line.contains(words)),
            "{name} is not said to have failed for '{words}':\n{said}"
        );
    }
    assert_eq!(
        outside::names(out),
        [Path::new("h264.mkv")],
        "only the good film became one"
    );
}

#[tokio::test]
async fn every_bad_file_fails_for_a_reason_of_its_own() {
    let place = place();
    let input = place.path().join("in");
    let bad: Vec<PathBuf> = BAD_MEDIA
        .iter()
        .map(|(name, _)| paths::media("bad").join(name))
        .collect();
    copy_into(&input, &bad);
    let before = outside::files(&input);
    let mut line: Vec<String> = before
        .keys()
        .map(|name| format!("in/{}", name.display()))
        .collect();
    line.extend(["-o", "out", "--encoder", "libx264", "--attempts", "1"].map(str::to_owned));

    let mut command = programs::command("producer", place.path());
    command.arg("encode").args(&line);
    check_bad_media(&process::run(command).await, &place.path().join("out"));
    assert_eq!(outside::files(&input), before);
    std::fs::remove_dir_all(place.path().join("out")).unwrap();

    let farm = Farm::start().await;
    let setup = farm.worker("w").encoders("libx264");
    let _worker = farm.join(setup.roots(&[place.path()])).await;
    let mut command = farm.producer_command();
    command
        .current_dir(place.path())
        .arg("enqueue")
        .args(&line)
        .arg("--wait");
    check_bad_media(&process::run(command).await, &place.path().join("out"));
    assert_eq!(outside::files(&input), before);
    // The other files were refused before jobs were made.
    assert_eq!(farm.dead_letters().await, 2);
    assert_eq!(outside::scratch_files(&farm.scratch()), Vec::<&Path>::new());
}

#[tokio::test]
async fn names_that_break_careless_programs_are_only_names() {
    let place = place();
    let input = place.path().join("in");
    copy_into(
        &input,
        &outside::names(&paths::media("names"))
            .iter()
            .map(|name| paths::media("names").join(name))
            .collect::<Vec<_>>(),
    );
    let before = outside::files(&input);
    let expected: BTreeSet<PathBuf> = before
        .keys()
        .map(|name| name.with_extension("mkv"))
        .collect();
    let mut command = programs::command("producer", place.path());
    command.args([
        "encode",
        "in",
        "-o",
        "out",
        "--encoder",
        "libx264",
        "--encoder-preset",
        "ultrafast",
    ]);
    process::run(command).await.succeeded();
    let made: BTreeSet<PathBuf> = outside::names(&place.path().join("out"))
        .into_iter()
        .collect();
    assert_eq!(made, expected);
    assert_eq!(outside::files(&input), before);
    let pwned = outside::names(place.path())
        .into_iter()
        .find(|name| name.ends_with("pwned"));
    assert_eq!(pwned, None);

    // A name that begins with a dash is no option, also when it is given alone.
    let mut command = programs::command("producer", place.path());
    command.current_dir(&input);
    command.args([
        "encode",
        "-o",
        "../out-of-one",
        "--encoder",
        "libx264",
        "--",
        "-dash.mp4",
    ]);
    process::run(command).await.succeeded();
    assert_eq!(
        outside::names(&place.path().join("out-of-one")),
        [Path::new("-dash.mkv")]
    );
}

#[tokio::test]
async fn a_full_scratch_disk_is_named() {
    let place = place();
    let Some(_disk) = SmallDisk::mount(&place.path().join("scratch"), 512) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    let line = [
        "in",
        "-o",
        "out",
        "--encoder",
        "ffv1",
        "--attempts",
        "1",
        "--scratch",
        "scratch",
    ];
    let case = case("encode", &line, FAILED, "No space left");
    check(
        place.path(),
        programs::command("producer", place.path()),
        &case,
    )
    .await;
}
