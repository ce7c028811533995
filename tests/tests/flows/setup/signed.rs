//! A farm that `producer setup` makes, with a worker that takes only what the users of the farm have signed.

use std::time::Duration;

use common::broker::Broker;
use common::farm::queue::Lane;
use common::job::id::BatchId;
use common::job::run::RunState;
use common::job::{Job, record::JobRecord};
use common::names::location::Location;
use common::program::farm_file::{FarmFile, Program};
use common::store::local_input;
use harness::farm::{copy_into, recipe};
use harness::process::{Daemon, run};
use harness::servers::ports::free_ports;
use harness::{paths, poll, programs};
use serde_json::{Value, json};

use super::made::MadeFarm;

#[tokio::test]
async fn jobs_of_the_producer_the_page_and_a_library_run_where_signatures_are_required() {
    let farm = MadeFarm::nothing();
    let (home, store) = (farm.home(), farm.folder().join("store"));
    farm.setup(&["--store", store.to_str().unwrap()])
        .await
        .succeeded();
    let file = FarmFile::read(&MadeFarm::file(&home)).unwrap();
    // Admin, monitor, and those that any machine may be.
    assert_eq!(file.worker.signers.len(), 4, "{:?}", file.worker.signers);
    let _worker = MadeFarm::worker(&home, &["--require-signature", "farm"]);
    poll::until("a worker", async || {
        farm.workers().await.filter(|names| names.len() == 1)
    })
    .await;

    copy_into(&store.join("in"), &[paths::media("h264.mp4")]);
    let place = |name: &str| store.join(name).to_str().unwrap().to_owned();
    let (input, output) = (place("in"), place("out"));
    let order = [
        "enqueue",
        &input,
        "-o",
        &output,
        "--encoder",
        "libx264",
        "--wait",
    ];
    MadeFarm::producer(&home, &order).await.succeeded();

    let monitor = Monitor::start(&farm).await;
    copy_into(&store.join("page"), &[paths::media("hevc.mkv")]);
    let wanted = json!({
        "files": ["page/hevc.mkv"],
        "output": "page-out",
        "recipe": recipe("libx264"),
    });
    monitor.post("/api/v1/jobs", &wanted).await;
    poll::until("the output of the page's job", async || {
        let made = harness::outside::names(&store.join("page-out"));
        let is_it = |file: &std::path::PathBuf| file.ends_with("hevc.mkv");
        made.iter().any(is_it).then_some(())
    })
    .await;

    copy_into(&store.join("films"), &[paths::media("vp9.webm")]);
    let (films, kept) = (place("films"), place("kept"));
    let library = [
        "library",
        "add",
        "films",
        &films,
        "-o",
        &kept,
        "--encoder",
        "libx264",
        "--settle",
        "0s",
        "--every",
        "1s",
        "--verify-per-day",
        "10",
    ];
    MadeFarm::producer(&home, &library).await.succeeded();
    appears(&store.join("kept/vp9.mkv")).await;
    // Who pauses a library and has it go on does not order anything.
    for verb in ["pause", "resume"] {
        MadeFarm::producer(&home, &["library", verb, "films"])
            .await
            .succeeded();
    }
    copy_into(&store.join("films"), &[paths::media("h264.mp4")]);
    appears(&store.join("kept/h264.mkv")).await;

    // The worker's own user may publish jobs, and nobody takes them.
    let view = Broker::connect(&file.connect(Program::Worker, None, None, "test"))
        .await
        .unwrap();
    let metadata = std::fs::metadata(store.join("in/h264.mp4")).unwrap();
    let location = Location::file(&store.join("in/h264.mp4")).unwrap();
    let job = Job::new(
        BatchId::new(),
        local_input(location, &metadata),
        Location::file(&store.join("stolen.mkv")).unwrap(),
        recipe("libx264"),
        None,
    );
    let lane = Lane::from_consumer("libx264_p5").unwrap();
    view.enqueue(&[(job.clone(), lane)], |_| {}).await.unwrap();
    let failure = poll::until("the job to be refused", async || {
        match view.job(&job.id).await.ok()?? {
            JobRecord::Run(run) => match run.state {
                RunState::Failed { failure } => Some(failure),
                _ => None,
            },
            _ => None,
        }
    })
    .await;
    assert!(failure.message.contains("not signed"), "{failure}");
    assert!(!store.join("stolen.mkv").exists());
    let failed = MadeFarm::producer(&home, &["jobs", "--state", "failed", "--json"]).await;
    assert_eq!(
        failed.json().as_array().map(Vec::len),
        Some(1),
        "{failed:?}"
    );
}

#[tokio::test]
async fn who_is_added_later_is_known_to_the_workers_of_this_machine_and_to_lines_from_then_on() {
    let farm = MadeFarm::nothing();
    farm.setup(&[]).await.succeeded();
    let home = farm.home();
    let keys = |home: &std::path::Path| {
        let file = FarmFile::read(&MadeFarm::file(home)).unwrap();
        file.worker.signers
    };
    let before = keys(&home);
    let add = ["setup", "add", "producer", "desk", "--json"];
    MadeFarm::producer(&home, &add).await.succeeded();
    let after = keys(&home);
    assert_eq!(after.len(), before.len() + 1);
    let listed = MadeFarm::producer(&home, &["setup", "list", "--json"]).await;
    let listed: Value = listed.succeeded().json();
    let desk = listed["desk"]["key"].as_str().unwrap();
    assert!(after.iter().any(|key| key.to_string() == desk));

    let add = ["setup", "add", "worker", "attic", "--json"];
    let added = MadeFarm::producer(&home, &add).await.succeeded().json();
    let token = added["line"]
        .as_str()
        .unwrap()
        .strip_prefix("worker --join ");
    let attic = farm.other_home("attic");
    let _worker = MadeFarm::worker(&attic, &["--join", token.unwrap()]);
    poll::until("the farm file of the attic", async || {
        MadeFarm::file(&attic).exists().then_some(())
    })
    .await;
    assert_eq!(keys(&attic), after);

    // A farm file of before, or of another make.
    let elsewhere = farm.other_home("elsewhere");
    let mut command = programs::command("worker", &elsewhere);
    command.args([
        "--nats",
        "nats://127.0.0.1:9",
        "--require-signature",
        "farm",
    ]);
    let ran = run(command).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("producer setup add worker"), "{ran:?}");
    let mut command = programs::command("worker", &elsewhere);
    command.args(["--require-signature", "hunter2"]);
    let ran = run(command).await;
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no public key"), "{ran:?}");
}

async fn appears(file: &std::path::Path) {
    poll::until(&format!("{} to appear", file.display()), async || {
        file.is_file().then_some(())
    })
    .await;
}

/// The monitor of the machine that has made the farm.
struct Monitor {
    _process: Daemon,
    url: String,
}

impl Monitor {
    async fn start(farm: &MadeFarm) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listen = format!("127.0.0.1:{}", free_ports(1)[0]);
        let mut command = programs::command("monitor", &farm.home());
        command.args(["--listen", &listen]);
        let log = farm.home().join("monitor.log");
        let monitor = Self {
            _process: Daemon::start("monitor", command, &log),
            url: format!("http://{listen}"),
        };
        poll::until("the monitor to be healthy", async || {
            let answer = reqwest::get(format!("{}/healthz", monitor.url)).await;
            answer.ok()?.status().is_success().then_some(())
        })
        .await;
        monitor
    }

    async fn post(&self, path: &str, body: &Value) {
        let request = reqwest::Client::new()
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/json")
            .body(body.to_string());
        let answer = request
            .timeout(Duration::from_secs(20))
            .send()
            .await
            .unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{status}: {text}");
    }
}
