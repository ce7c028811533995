//! Text of strangers that would drive a terminal, forge a line or turn one around: in names of files, in keys, and in what
//! a worker says of itself. No program prints or logs it as it is.

#![cfg(unix)]

use common::farm::queue::{Lane, Priority};
use common::names::location::Location;
use harness::farm::{Farm, copy_into};
use harness::programs::monitor::TestMonitor;
use harness::{paths, poll};

/// A title for the terminal, colours, a line of its own, a C1 control, and a mark that turns the direction.
const HOSTILE: &str = "a\u{1b}]0;title\u{7}\u{1b}[31m\r\nERROR forged\u{9b}2J\u{202e}b";

/// Fails if a terminal would obey a part of the text, or if a line of it was forged.
fn assert_harmless(text: &str, whose: &str) {
    let is_obeyed = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert!(!text.contains(is_obeyed), "{whose}: {text:?}");
    let forged = text
        .lines()
        .find(|line| line.trim_start().starts_with("ERROR forged"));
    assert_eq!(forged, None, "{whose}: {text}");
}

#[tokio::test]
async fn no_program_prints_or_logs_what_a_terminal_would_obey() {
    let farm = Farm::start().await;
    let monitor = TestMonitor::start(&farm).await;
    let worker = farm.join(farm.worker("w").encoders("libx264")).await;

    let input = farm.folder().join("in");
    let film = paths::media("h264.mp4");
    copy_into(&input, std::slice::from_ref(&film));
    let [good, broken] = ["", "broken"].map(|part| input.join(format!("{HOSTILE}{part}.mp4")));
    std::fs::copy(&film, &good).expect("copied");
    std::fs::write(&broken, "no film").expect("written");
    // A worker that lies about its ffmpeg, and an object whose key is no name of a file.
    let mut liar = farm.heartbeat("w").await.expect("alive");
    liar.name = "liar".parse().expect("a name");
    liar.card.ffmpeg.version = HOSTILE.to_owned();
    farm.view.heartbeat(&liar).await.expect("sent");
    let mut odd = farm.job(&film, "libx264");
    odd.input.location = Location::from_argument(&format!("s3://media/{HOSTILE}.mp4"))
        .unwrap_or_else(|_| Location::file(&broken).expect("an absolute path"));
    let lane = Lane {
        priority: Priority::try_from(9).expect("a priority"),
        queue: odd.recipe.queue(),
    };
    farm.view
        .enqueue(&[(odd, lane)], |_| {})
        .await
        .expect("enqueued");

    let folder = input.to_str().expect("plain").to_owned();
    let (good, broken) = (good.to_str().expect("text"), broken.to_str().expect("text"));
    let encoder = ["--encoder", "libx264", "--encoder-preset", "ultrafast"];
    let with = |first: &[&str]| -> Vec<String> {
        first
            .iter()
            .chain(&encoder)
            .map(|word| (*word).to_owned())
            .collect()
    };
    let mut commands = vec![
        with(&["enqueue", &folder, good, broken, "-o", "out", "--wait"]),
        with(&["enqueue", &folder, "-o", "out2", "--dry-run"]),
        with(&["plan", good, broken]),
        with(&["encode", good, broken, "-o", "here"]),
    ];
    for command in [
        "jobs",
        "jobs --json",
        "batches",
        "batches --json",
        "workers",
        "workers --json",
    ] {
        commands.push(command.split(' ').map(str::to_owned).collect());
    }
    let mut printed = String::new();
    for command in &commands {
        let ran = farm.producer(command).await;
        assert_harmless(&ran.stdout, &format!("{command:?}"));
        assert_harmless(&ran.stderr, &format!("{command:?}"));
        printed += &ran.stdout;
        printed += &ran.stderr;
    }
    let jobs = farm.view.jobs(true).await;
    for job in jobs.expect("listed") {
        let id = job.job().id.to_string();
        for command in ["job", "why", "logs"] {
            let ran = farm.producer([command, &id]).await;
            assert_harmless(&ran.stdout, command);
            assert_harmless(&ran.stderr, command);
        }
    }
    for path in ["/api/v1/state", "/api/v1/jobs", "/metrics"] {
        poll::until(path, async || monitor.get(path).await).await;
    }
    // The names were really there.
    assert!(
        printed.contains("\\u{1b}]0;title") && printed.contains("\\u{202e}"),
        "{printed}"
    );
    assert!(
        worker.process.log().contains("forged"),
        "{}",
        worker.process.log()
    );
    assert_harmless(&worker.process.log(), "the worker's log");
    assert_harmless(&monitor.process.log(), "the monitor's log");
}
