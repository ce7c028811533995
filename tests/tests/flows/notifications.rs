//! Hooks as people use them: saved, tried, told of what happens.

use std::io::Write;
use std::process::{Command, Stdio};

use common::testing;
use harness::farm::Farm;
use harness::process::{Ran, run};
use harness::programs::monitor::TestMonitor;
use harness::servers::receiver::{Received, Receiver, Reply};
use harness::{paths, poll};
use serde_json::Value;

const SECRET: &str = "a secret of more than sixteen bytes";

async fn hooks(farm: &Farm, line: &[&str]) -> Ran {
    farm.producer(["hooks"].iter().chain(line)).await
}

/// Files to encode: one that can be, and one that breaks off before its index.
fn films(farm: &Farm) -> std::path::PathBuf {
    let folder = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let whole = std::fs::read(paths::media("h264.mp4")).unwrap();
    std::fs::write(folder.join("broken.mp4"), &whole[..2000]).unwrap();
    folder
}

/// The words of the documentation between two fences, of the block that holds `part`.
fn documented(part: &str) -> String {
    let page = std::fs::read_to_string(paths::repository().join("docs/LIBRARIES.md")).unwrap();
    let mut blocks = page.split("```").skip(1).step_by(2);
    let block = blocks.find(|block| block.contains(part));
    let block = block.unwrap_or_else(|| panic!("no example holds {part}"));
    block.split_once('\n').unwrap().1.to_owned()
}

/// Whether the check that the documentation shows finds the signature right: openssl's HMAC, not ours.
fn is_signed(message: &Received, secret: &str) -> bool {
    let header = |name: &str| message.headers.get(name).cloned().unwrap_or_default();
    let mut check = Command::new("bash")
        .args(["-c", &documented("openssl dgst")])
        .env("SECRET", secret)
        .env("ID", header("webhook-id"))
        .env("TIMESTAMP", header("webhook-timestamp"))
        .env("SIGNATURE", header("webhook-signature"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut body = check.stdin.take().unwrap();
    body.write_all(message.body.as_bytes()).unwrap();
    drop(body);
    check.wait().unwrap().success()
}

#[tokio::test]
async fn a_hook_is_saved_tried_listed_and_removed_and_shows_no_secret() {
    let farm = Farm::start().await;
    let receiver = Receiver::start().await;
    let key = farm.folder().join("key");
    std::fs::write(&key, format!("{SECRET}\n")).unwrap();
    let url = format!("{}/TOKEN", receiver.url());
    let add = [
        "add",
        "ci",
        &url,
        "--secret-file",
        "key",
        "--on",
        "batch-done,job-failed",
    ];
    let saved = hooks(&farm, &add).await.succeeded();
    assert!(
        saved.stdout.contains("is told of batch-done, job-failed"),
        "{saved:?}"
    );
    let twice = hooks(&farm, &add).await;
    assert_eq!(twice.code, Some(1), "{twice:?}");

    receiver.reply([Reply::Status(500, "out of \u{1b}[31morder".to_owned())]);
    let failed = hooks(&farm, &["test", "ci"]).await;
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stdout.contains("answered 500"), "{failed:?}");
    assert!(
        failed.stdout.contains("out of \\u{1b}[31morder"),
        "{failed:?}"
    );
    let listed = hooks(&farm, &[]).await.succeeded();
    assert!(listed.stdout.contains("answered 500"), "{listed:?}");
    hooks(&farm, &["test", "ci"]).await.succeeded();
    let received = receiver.received();
    assert_eq!(received.len(), 2);
    for message in &received {
        assert_eq!(message.json()["type"], "test");
        assert_eq!(
            (message.method.as_str(), message.path.as_str()),
            ("POST", "/TOKEN")
        );
        assert!(is_signed(message, SECRET), "{message:?}");
        assert!(
            !is_signed(message, "another secret of such a length"),
            "{message:?}"
        );
    }
    let json = hooks(&farm, &["list", "--json"]).await.succeeded();
    assert_eq!(json.json()[0]["failing"], false);
    assert_eq!(json.json()[0]["signed"], true);
    for shown in [&saved, &listed, &json, &failed] {
        let all = format!("{}{}", shown.stdout, shown.stderr);
        assert!(!all.contains("TOKEN") && !all.contains(SECRET), "{all}");
    }

    hooks(&farm, &["remove", "ci"]).await.succeeded();
    let gone = hooks(&farm, &["test", "ci"]).await;
    assert_eq!(gone.code, Some(2), "{gone:?}");
    assert!(gone.stderr.contains("there is no hook 'ci'"), "{gone:?}");
}

#[tokio::test]
async fn what_could_not_work_is_refused_when_it_is_saved() {
    let farm = Farm::start().await;
    let own = farm.folder().join("own.toml");
    std::fs::write(&own, "body = '{\"a\": \"{titel}\"}'").unwrap();
    std::fs::write(farm.folder().join("short"), "short").unwrap();
    for (line, words) in [
        (vec!["htps://SECRET"], "did you mean https?"),
        (
            vec!["https://h", "--on", "batch-dome"],
            "did you mean batch-done?",
        ),
        (
            vec!["https://h", "--template", "sonar"],
            "did you mean sonarr?",
        ),
        (
            vec!["https://h", "--template", "./own.toml"],
            "did you mean title?",
        ),
        (vec!["https://h", "--template", "radarr"], "needs a key"),
        (
            vec!["https://h", "--secret-file", "short"],
            "shorter than 16",
        ),
        (
            vec!["https://h", "--secret-file", "missing"],
            "missing cannot be read",
        ),
        (
            vec!["https://h", "--on", "worker-lost", "--only", "films"],
            "cannot be limited",
        ),
    ] {
        let refused = hooks(&farm, &[&["add", "x"], &line[..]].concat()).await;
        assert_eq!(refused.code, Some(2), "{line:?}: {refused:?}");
        assert!(refused.stderr.contains(words), "{line:?}: {refused:?}");
        assert!(!refused.stderr.contains("SECRET"), "{line:?}: {refused:?}");
    }
    let none = hooks(&farm, &["--json"]).await.succeeded().json();
    assert_eq!(none, serde_json::json!([]));
}

#[tokio::test]
async fn two_monitors_tell_of_a_batch_and_of_its_failed_job_once() {
    let farm = Farm::start().await;
    let receiver = Receiver::start().await;
    std::fs::write(farm.folder().join("key"), SECRET).unwrap();
    let url = receiver.url();
    hooks(&farm, &["add", "ours", &url, "--secret-file", "key"])
        .await
        .succeeded();
    let others = [
        "add",
        "others",
        &format!("{url}/others"),
        "--only",
        "another batch",
    ];
    hooks(&farm, &others).await.succeeded();
    let _first = TestMonitor::start(&farm).await;
    let _second = TestMonitor::start(&farm).await;
    let _worker = farm.join(farm.worker("mill").encoders("libx264")).await;
    let films = films(&farm);
    let line = [
        "enqueue",
        films.to_str().unwrap(),
        "-o",
        "out",
        "--encoder",
        "libx264",
        "--wait",
        "--json",
    ];
    let done = farm.producer(line).await;
    assert_eq!(done.code, Some(1), "{done:?}");

    receiver.wait_for(2).await;
    // A second one would have come with the next look of the other monitor.
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    let received = receiver.received();
    let kinds: Vec<Value> = received
        .iter()
        .map(|message| message.json()["type"].clone())
        .collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    let of = |kind: &str| {
        received
            .iter()
            .find(|message| message.json()["type"] == kind)
            .expect(kind)
    };
    let batch = of("batch-done").json();
    assert_eq!(batch["data"]["batch"], done.json()["batch"]);
    assert_eq!(
        (&batch["data"]["completed"], &batch["data"]["failed"]),
        (&1.into(), &1.into())
    );
    assert_eq!(batch["title"], "Done: films");
    let failed = of("job-failed");
    assert!(
        failed.json()["data"]["input"]
            .as_str()
            .unwrap()
            .ends_with("/films/broken.mp4")
    );
    assert_eq!(
        failed.json()["id"].as_str(),
        failed.headers.get("webhook-id").map(String::as_str)
    );
    assert!(received.iter().all(|message| is_signed(message, SECRET)));
    // The documented example has the fields of a real message.
    let example: Value = serde_json::from_str(&documented("\"type\": \"batch-done\"")).unwrap();
    let fields = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect::<Vec<_>>()
    };
    assert_eq!(fields(&example), fields(&batch));
    assert_eq!(fields(&example["data"]), fields(&batch["data"]));
}

#[tokio::test]
async fn a_mail_reaches_its_server() {
    let farm = Farm::start().await;
    let server = Receiver::start_mail().await;
    let url = format!(
        "smtp://me:word@127.0.0.1:{}?from=farm@example.org&to=a@example.org,b@example.org",
        server.port
    );
    hooks(&farm, &["add", "mail", &url]).await.succeeded();
    let listed = hooks(&farm, &[]).await.succeeded();
    assert!(!listed.stdout.contains("word"), "{listed:?}");
    hooks(&farm, &["test", "mail"]).await.succeeded();
    let [mail] = &server.received()[..] else {
        panic!("one mail: {:?}", server.received());
    };
    // AUTH PLAIN is Base64 of "\0me\0word".
    assert!(
        mail.path.contains("AUTH PLAIN AG1lAHdvcmQ="),
        "{}",
        mail.path
    );
    assert!(
        mail.path.contains("RCPT TO:<b@example.org>"),
        "{}",
        mail.path
    );
    for part in [
        "From: ffmpeg-easy <farm@example.org>",
        "Subject: Test",
        "To: a@example.org, b@example.org",
        "This is a test of a hook",
    ] {
        assert!(mail.body.contains(part), "{part}: {}", mail.body);
    }
    drop(server);
    let away = hooks(&farm, &["test", "mail"]).await;
    assert_eq!(away.code, Some(1), "{away:?}");
}

#[tokio::test]
async fn a_command_tells_at_its_end_and_a_failure_to_tell_is_a_warning() {
    let farm = Farm::start().await;
    let receiver = Receiver::start().await;
    let _worker = farm.join(farm.worker("mill").encoders("libx264")).await;
    let clip = paths::media("h264.mp4");
    let line = [
        "enqueue",
        clip.to_str().unwrap(),
        "-o",
        "out",
        "--encoder",
        "libx264",
    ];
    let url = receiver.url();
    for (options, words) in [
        (
            vec!["--wait", "--notify", "htps://x"],
            "--notify: no service has the scheme",
        ),
        (vec!["--notify", &url], "they need --wait"),
        (
            vec!["--wait", "--dry-run", "--notify-desktop"],
            "they need --wait, and no --dry-run",
        ),
    ] {
        let refused = farm.producer(line.iter().copied().chain(options)).await;
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(refused.stderr.contains(words), "{refused:?}");
    }

    // A stand-in for the desktop's command writes down what it is given.
    let bin = farm.folder().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let shown = farm.folder().join("shown");
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > {}\n", shown.display());
    let program = bin.join("notify-send");
    testing::executable(&program, &script);
    let mut command = farm.producer_command();
    command
        .args(line)
        .args([
            "--wait",
            "--notify",
            &url,
            "--notify",
            "http://127.0.0.1:1/TOKEN",
            "--notify-desktop",
        ])
        .env(
            "PATH",
            format!(
                "{}:{}",
                bin.display(),
                paths::search_path().to_string_lossy()
            ),
        );
    let done = run(command).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(
        done.stderr
            .contains("warning: --notify: http://127.0.0.1:1 is out of reach"),
        "{done:?}"
    );
    assert!(!done.stderr.contains("TOKEN"), "{done:?}");
    let [message] = &receiver.received()[..] else {
        panic!("one message: {:?}", receiver.received());
    };
    assert_eq!(message.json()["data"]["completed"], 1);
    if cfg!(target_os = "linux") {
        let shown = std::fs::read_to_string(shown).unwrap();
        assert!(
            shown.contains("Done: h264.mp4\n") && shown.contains("is done: 1 completed (1 job)."),
            "{shown}"
        );
    }
}

/// Servers of media are asked as their documentation says; what they get is looked at from outside.
#[tokio::test]
async fn servers_of_media_are_asked_to_look_again() {
    let farm = Farm::start().await;
    let receiver = Receiver::start().await;
    let at = format!("127.0.0.1:{}", receiver.port);
    let services = [
        (
            "sonarr",
            "POST",
            "/api/v3/command",
            ("x-api-key", "KEY"),
            "RescanSeries",
        ),
        (
            "radarr",
            "POST",
            "/api/v3/command",
            ("x-api-key", "KEY"),
            "RescanMovie",
        ),
        (
            "jellyfin",
            "POST",
            "/Library/Refresh",
            ("authorization", "MediaBrowser Token=\"KEY\""),
            "",
        ),
        (
            "plex",
            "GET",
            "/library/sections/all/refresh",
            ("x-plex-token", "KEY"),
            "",
        ),
    ];
    for (service, method, path, (name, value), body) in services {
        hooks(&farm, &["add", service, &format!("{service}://KEY@{at}")])
            .await
            .succeeded();
        hooks(&farm, &["test", service]).await.succeeded();
        let sent = poll::until("the request", async || receiver.received().pop()).await;
        assert_eq!((sent.method.as_str(), sent.path.as_str()), (method, path));
        assert_eq!(
            sent.headers.get(name).map(String::as_str),
            Some(value),
            "{service}"
        );
        assert!(sent.body.contains(body), "{service}: {}", sent.body);
    }
    assert_eq!(receiver.received().len(), services.len());
}
