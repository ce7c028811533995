//! A broker whose users have the rights of the shipped roles and no more.

use std::path::Path;

use async_nats::{Client, ConnectOptions, jetstream};
use common::names::subject;
use futures::TryStreamExt;
use harness::farm::{Farm, copy_into};
use harness::process::{Ran, run};
use harness::programs::monitor::TestMonitor;
use harness::servers::broker::TestBroker;
use harness::{paths, poll, programs};

/// The producer as this user, run to its end.
pub(super) async fn producer(
    broker: &TestBroker,
    home: &Path,
    role: &str,
    arguments: &[&str],
) -> Ran {
    let mut command = programs::command("producer", home);
    command
        .env("NATS_URL", broker.url_for(role))
        .args(arguments);
    run(command).await
}

/// A plain client of the broker as this user.
async fn client(broker: &TestBroker, role: &str) -> Client {
    let options = ConnectOptions::new()
        .user_and_password(role.into(), role.into())
        .custom_inbox_prefix(format!("_INBOX.{role}"));
    options.connect(broker.url()).await.unwrap()
}

/// The streams of the broker, by the word of its admin.
async fn streams(broker: &TestBroker) -> Vec<String> {
    let names = jetstream::new(client(broker, "admin").await).stream_names();
    names.try_collect().await.unwrap()
}

/// Waits until the broker has refused a message of this user.
pub(super) async fn refuses(farm: &Farm, role: &str, subject: &str) {
    let client = client(&farm.broker, role).await;
    client
        .publish(subject.to_owned(), "{}".into())
        .await
        .unwrap();
    client.flush().await.unwrap();
    poll::until("the broker to refuse the message", async || {
        let refused = violations(farm.folder());
        refused
            .iter()
            .any(|line| line.contains(&format!("\"{subject}\"")))
            .then_some(())
    })
    .await;
}

/// What the broker's log says that it refused.
pub(super) fn violations(home: &Path) -> Vec<String> {
    let log = std::fs::read_to_string(home.join("broker/log")).unwrap();
    let refused = log.lines().filter(|line| line.contains("Violation"));
    refused.map(str::to_owned).collect()
}

#[test]
fn the_design_names_the_users_of_the_shipped_roles() {
    let read = |path: &str| std::fs::read_to_string(paths::repository().join(path)).unwrap();
    let design = read("docs/DESIGN.md");
    let (_, table) = design.split_once("**Broker.**").expect("the section");
    let table = table.lines().take_while(|line| !line.starts_with("## "));
    let documented: Vec<&str> = table
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let shipped = read("nats/roles.conf");
    let shipped: Vec<&str> = shipped
        .lines()
        .filter_map(|line| line.trim().strip_prefix("{ user: ")?.split(',').next())
        .collect();
    assert_eq!(documented, shipped);
}

#[tokio::test]
async fn looking_at_a_broker_without_a_farm_says_so_and_makes_nothing() {
    let folder = paths::test_folder();
    let broker = TestBroker::start(folder.path()).await;
    copy_into(&folder.path().join("in"), &[paths::media("h264.mp4")]);
    for arguments in [
        &["jobs"][..],
        &["workers"],
        &["batches"],
        &["presets"],
        &["plan", "--encoder", "libx264"],
        &["pause", "--queue", "libx264"],
        &[
            "enqueue",
            "in",
            "-o",
            "out",
            "--dry-run",
            "--encoder",
            "libx264",
        ],
    ] {
        let mut command = programs::command("producer", folder.path());
        command.env("NATS_URL", broker.url()).args(arguments);
        let ran = run(command).await;
        assert_eq!(ran.code, Some(3), "{arguments:?}: {ran:?}");
        assert!(
            ran.stderr.contains("there is no farm on the broker"),
            "{arguments:?}: {ran:?}"
        );
    }
    let client = async_nats::connect(broker.url()).await.unwrap();
    let account = jetstream::new(client).query_account().await.unwrap();
    assert_eq!(account.streams, 0, "a look made something");
}

#[tokio::test]
async fn each_role_does_its_part_with_its_own_rights_and_a_reader_changes_nothing() {
    let folder = paths::test_folder();
    let home = folder.path().to_owned();
    let broker = TestBroker::start_with_roles(&home).await;
    let ran = producer(&broker, &home, "reader", &["jobs"]).await;
    assert!(ran.stderr.contains("there is no farm"), "{ran:?}");
    assert_eq!(streams(&broker).await, Vec::<String>::new());
    producer(&broker, &home, "admin", &["setup"])
        .await
        .succeeded();
    let made = streams(&broker).await;
    assert!(made.contains(&subject::JOBS.to_owned()), "{made:?}");

    let farm = Farm::with_roles(broker, folder).await;
    let worker = farm.worker("w").encoders("libx264");
    let worker = worker.option("--nats", farm.broker.url_for("worker"));
    let _worker = farm.join(worker).await;
    let monitor = TestMonitor::start_on(&farm, &farm.broker.url_for("monitor")).await;
    let folder = farm.folder_of("in", &["h264.mp4", "hevc.mkv"].map(paths::media));
    let enqueue = [
        "enqueue",
        folder.to_str().unwrap(),
        "-o",
        "out",
        "--encoder",
        "libx264",
        "--wait",
    ];
    producer(&farm.broker, &home, "producer", &enqueue)
        .await
        .succeeded();
    let runs = farm.view.runs().await.unwrap();
    assert_eq!(runs.len(), 2);
    for run in &runs {
        farm.completed(&run.job.id).await;
    }
    poll::until("the page to show them", async || {
        let state = monitor.get("/api/v1/jobs?state=completed").await?;
        runs.iter()
            .all(|run| state.contains(&run.job.id.to_string()))
            .then_some(())
    })
    .await;
    let allowed = violations(&home);
    assert_eq!(allowed, Vec::<String>::new(), "rights are missing");

    let job = runs[0].job.id.to_string();
    for arguments in [&["jobs"][..], &["why", &job], &["workers"], &["batches"]] {
        producer(&farm.broker, &home, "reader", arguments)
            .await
            .succeeded();
    }
    let allowed = violations(&home);
    assert_eq!(allowed, Vec::<String>::new(), "a reader may look");

    let before = farm.view.last_run_sequence().await.unwrap();
    let pause = ["pause", "--queue", "libx264"];
    let ran = producer(&farm.broker, &home, "reader", &pause).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let foreign = farm.job(&paths::media("h264.mp4"), "libx264");
    for subject in [
        subject::kv(subject::RUNS, &subject::run(&foreign.id)),
        format!("jobs.libx264.5.{}.all", foreign.id),
        subject::event(&foreign.id, "queued"),
        "$JS.API.STREAM.DELETE.JOBS".to_owned(),
        "$JS.API.STREAM.PURGE.JOBS".to_owned(),
        "$JS.API.STREAM.CREATE.FOREIGN".to_owned(),
    ] {
        refuses(&farm, "reader", &subject).await;
    }
    assert!(farm.view.orders().await.unwrap().iter().next().is_none());
    assert_eq!(farm.view.last_run_sequence().await.unwrap(), before);
    assert_eq!(farm.queued().await, 0);
    assert_eq!(streams(&farm.broker).await.len(), made.len());
}
