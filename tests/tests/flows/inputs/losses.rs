//! What is kept, converted and lost: listed before the encode and after it, and refused on request.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::job::changes::{Fate, Kind};
use common::job::run::RunState;
use harness::browser::Browser;
use harness::farm::Farm;
use harness::programs::monitor::TestMonitor;
use harness::{outside, paths, process, programs};

/// A short film with an attached font, which mp4 cannot hold.
fn film_with_font(folder: &Path) -> PathBuf {
    std::fs::create_dir_all(folder).unwrap();
    let font = folder.join("a.ttf");
    std::fs::write(&font, "no font, but nobody draws with it").unwrap();
    let film = folder.join("font.mkv");
    let made = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-y", "-i"])
        .arg(paths::media("h264.mp4"))
        .args(["-map", "0", "-c", "copy", "-attach"])
        .arg(&font)
        .args(["-metadata:s:t", "mimetype=application/x-truetype-font"])
        .arg(&film)
        .status()
        .unwrap();
    assert!(made.success());
    std::fs::remove_file(font).unwrap();
    film
}

fn order<'a>(folder: &'a Path, further: &[&'a str]) -> Vec<&'a str> {
    let mut line = vec!["enqueue", folder.to_str().unwrap(), "-o", "out"];
    line.extend(["--encoder", "libx264", "--container", "mp4"]);
    line.extend(further);
    line
}

#[tokio::test]
async fn a_loss_is_reported_before_and_after_the_encode_and_refused_on_request() {
    let farm = Farm::start().await;
    let folder = farm.folder().join("in");
    film_with_font(&folder);
    let nobody = farm.producer(order(&folder, &["--dry-run"])).await;
    assert!(nobody.stdout.contains("unknown: "), "{nobody:?}");
    let _worker = farm.join(farm.worker("w").encoders("libx264")).await;

    let told = farm.producer(order(&folder, &["--dry-run"])).await;
    let told = told.succeeded().stdout;
    for words in [
        "font.mp4",
        "lost: attachment of track",
        "only mkv holds attachments",
        "kept: ",
        "1 file would be encoded",
        "1 file loses an attachment",
        "size of 1 output not known",
    ] {
        assert!(told.contains(words), "no {words} in: {told}");
    }
    let told = farm
        .producer(order(&folder, &["--dry-run", "--json"]))
        .await;
    let told = told.succeeded().json();
    assert_eq!(told[0]["would"], "encode", "{told:#}");
    let plan = [
        "plan",
        folder.to_str().unwrap(),
        "--encoder",
        "libx264",
        "--container",
        "mp4",
    ];
    let plan = farm.producer(plan).await.succeeded().stdout;
    assert!(plan.contains("1 file loses an attachment"), "{plan}");
    let strict = ["--refuse-loss", "attachment"];
    let refused = farm
        .producer(order(&folder, &[&strict[..], &["--dry-run"]].concat()))
        .await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    let words = "it would lose attachment of track";
    assert!(refused.stdout.contains(words), "{refused:?}");
    assert_eq!(farm.queued().await, 0, "nothing was enqueued");
    assert!(outside::names(&farm.out()).is_empty());

    // The loss is refused for each job: it fails once, and nothing is published.
    let refused = farm
        .producer(order(&folder, &[&strict[..], &["--wait"]].concat()))
        .await;
    assert!(!refused.stdout.contains("completed"), "{refused:?}");
    let runs = farm.view.runs().await.unwrap();
    assert_eq!((runs.len(), runs[0].attempt), (1, 1), "{runs:?}");
    let RunState::Failed { failure } = &runs[0].state else {
        panic!("it was made: {runs:?}");
    };
    assert!(failure.message.starts_with(words), "{failure}");
    assert!(outside::names(&farm.out()).is_empty());

    let done = farm.producer(order(&folder, &["--wait"])).await.succeeded();
    assert!(
        done.stdout.contains("1 file loses an attachment"),
        "{done:?}"
    );
    let runs = farm.view.runs().await.unwrap();
    let mut reports = runs.iter().filter_map(|run| match &run.state {
        RunState::Completed { report } => Some((run.job.id, report)),
        _ => None,
    });
    let (id, report) = reports.next_back().expect("one was made");
    let lost = report
        .changes
        .iter()
        .filter(|change| change.fate == Fate::Lost);
    assert_eq!(
        lost.map(|change| change.kind).collect::<Vec<_>>(),
        [Kind::Attachment]
    );
    let job = farm.producer(["job", &id.to_string()]).await.succeeded();
    assert!(job.stdout.contains("change    lost: attachment"), "{job:?}");
    assert!(job.stdout.contains("change    kept: track"), "{job:?}");
    let again = farm.producer(order(&folder, &["--dry-run"])).await;
    let again = again.succeeded().stdout;
    assert!(
        again.contains("skipped:") && again.contains("completed already"),
        "{again}"
    );

    // The completed job tells what the next one will make and take.
    let anew = farm
        .producer(order(&folder, &["--again", "--dry-run", "--json"]))
        .await;
    let estimate = &anew.succeeded().json()[0]["estimate"];
    assert_eq!(estimate["bytes"], report.output_size, "{estimate}");
    assert_eq!(estimate["by"]["jobs"], 1, "{estimate}");
    let seconds = estimate["seconds"].as_f64().expect("known");
    assert!((seconds - report.total_seconds).abs() < 0.01, "{estimate}");
    let anew = farm
        .producer(order(&folder, &["--again", "--dry-run"]))
        .await;
    let anew = anew.succeeded().stdout;
    assert!(anew.contains("as in 1 completed job; about "), "{anew}");

    let monitor = TestMonitor::start(&farm).await;
    let url = format!("{}/#/jobs/{id}", monitor.url());
    let mut browser = Browser::open(&url, farm.folder()).await;
    browser.shows("Kept, converted, lost").await;
    browser.shows("only mkv holds attachments").await;
}

#[tokio::test]
async fn encode_without_a_farm_reports_losses_too() {
    let machine = paths::test_folder();
    let folder = machine.path().join("in");
    film_with_font(&folder);
    let mut command = programs::command("producer", machine.path());
    command.args(["encode", "in", "-o", "out", "--encoder", "libx264"]);
    command.args(["--container", "mp4", "--dry-run"]);
    let told = process::run(command).await.succeeded();
    assert!(told.stdout.contains("lost: attachment"), "{told:?}");
    assert!(!machine.path().join("out").exists());
    assert!(outside::processes_of(machine.path()).is_empty());
}
