//! The first steps of a new user: `producer setup`, `worker`, `producer enqueue`; then the line for another machine.

use std::os::unix::fs::PermissionsExt;

use harness::farm::copy_into;
use harness::process::run;
use harness::{paths, poll, programs};

use super::made::MadeFarm;

#[tokio::test]
async fn one_command_makes_a_farm_that_works_with_nothing_else_set() {
    let farm = MadeFarm::nothing();
    let home = farm.home();
    let store = farm.folder().join("store");
    let ran = farm
        .setup(&["--store", store.to_str().unwrap()])
        .await
        .succeeded();
    for line in [
        "worker --join ffmpeg-easy-1.",
        "producer join ffmpeg-easy-1.",
        "monitor --join ",
    ] {
        assert!(ran.stdout.contains(line), "{ran:?}");
    }
    // Nothing is hidden: the folder is new, and the broker of this test listens for this machine alone.
    for words in ["Made the folder", "No other machine reaches 127.0.0.1"] {
        assert!(ran.stdout.contains(words), "{ran:?}");
    }
    let file = MadeFarm::file(&home);
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&file), 0o600, "it holds keys");
    let (users, log) = (farm.of_broker("users"), farm.of_broker("nats-server.log"));
    let is_closed = || {
        assert_eq!(mode(users.parent().unwrap()), 0o700);
        assert_eq!((mode(&users), mode(&log)), (0o700, 0o600));
    };
    is_closed();
    // As earlier programs have left them.
    for (path, open) in [(&users, 0o755), (&log, 0o644)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(open)).unwrap();
    }

    copy_into(&store.join("in"), &[paths::media("h264.mp4")]);
    let _worker = MadeFarm::worker(&home, &[]);
    let (input, output) = (store.join("in"), store.join("out"));
    let order = [
        "enqueue",
        input.to_str().unwrap(),
        "-o",
        output.to_str().unwrap(),
        "--encoder",
        "libx264",
        "--wait",
    ];
    // The first worker proves its encoder first.
    poll::until("a worker", async || {
        farm.workers().await.filter(|names| names.len() == 1)
    })
    .await;
    MadeFarm::producer(&home, &order).await.succeeded();
    assert!(output.join("h264.mkv").is_file());

    // Once more: nothing that exists changes, and what runs goes on.
    let state = |name: &str| std::fs::read(farm.of_broker(name)).unwrap();
    let names = [
        "nats-server.conf",
        "users.conf",
        "ca.pem",
        "server.pem",
        "nats-server.pid",
    ];
    let before = (std::fs::read(&file).unwrap(), names.map(state));
    farm.setup(&["--store", store.to_str().unwrap()])
        .await
        .succeeded();
    assert_eq!((std::fs::read(&file).unwrap(), names.map(state)), before);
    is_closed();

    // It comes back after a stop, with its data.
    MadeFarm::producer(&home, &["setup", "stop"])
        .await
        .succeeded();
    let ran = MadeFarm::producer(&home, &["jobs"]).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    farm.setup(&[]).await.succeeded();
    let jobs = MadeFarm::producer(&home, &["jobs", "--json"])
        .await
        .succeeded()
        .json();
    assert_eq!(jobs.as_array().map(Vec::len), Some(1), "{jobs:#}");
}

#[tokio::test]
async fn a_machine_joins_by_one_line_and_is_cut_off_when_its_user_is_removed() {
    let farm = MadeFarm::nothing();
    let store = farm.folder().join("store");
    farm.setup(&["--store", store.to_str().unwrap()])
        .await
        .succeeded();
    let home = farm.home();
    let added = ["setup", "add", "worker", "attic", "--json"];
    let added = MadeFarm::producer(&home, &added).await.succeeded().json();
    let line = added["line"].as_str().unwrap();
    let token = line.strip_prefix("worker --join ").unwrap();

    let attic = farm.other_home("attic");
    for (wrong, told) in [
        (&token[..token.len() - 5], "not whole"),
        ("farm", "not a join token"),
    ] {
        let mut command = programs::command("worker", &attic);
        command.args(["--join", wrong]);
        let ran = run(command).await;
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(told), "{ran:?}");
        assert!(!MadeFarm::file(&attic).exists());
    }

    let worker = MadeFarm::worker(&attic, &["--join", token]);
    let is_there = async |wanted: bool| {
        let what = format!("the worker attic to be there: {wanted}");
        poll::until(&what, async || {
            let names = farm.workers().await?;
            (names.contains(&"attic".to_owned()) == wanted).then_some(())
        })
        .await;
    };
    is_there(true).await;
    let command = std::fs::read(format!("/proc/{}/cmdline", worker.id())).unwrap();
    assert!(
        !String::from_utf8_lossy(&command).contains("ffmpeg-easy-1."),
        "everyone sees it"
    );
    drop(worker);
    is_there(false).await;

    // From now on, no token is needed.
    let mut worker = MadeFarm::worker(&attic, &[]);
    is_there(true).await;
    MadeFarm::producer(&home, &["setup", "remove", "attic"])
        .await
        .succeeded();
    is_there(false).await;
    worker.kill();
    let mut command = programs::command("worker", &attic);
    command.env("WORKER_ENCODERS", "libx264");
    let ran = run(command).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("refuses"), "{ran:?}");
}
