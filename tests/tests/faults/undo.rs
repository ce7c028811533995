//! A worker that is killed while it puts a replaced source back.

use common::broker::SteerResult;
use common::job::run::RunState;
use harness::farm::Farm;
use harness::faults::proxy::{Fate, Protocol, Proxy};
use harness::{paths, poll};

/// Kills the worker of an undo before it answers. The source is back by then, and the record of the undo is lost or
/// written. Another worker must end the undo long before the 15 minutes are over that an answer is awaited.
async fn killed(fate: Fate) {
    let farm = Farm::start().await;
    let films = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let before = std::fs::read(films.join("h264.mp4")).expect("the source");
    let proxy = Proxy::start(Protocol::Nats, farm.broker.port());
    let setup = farm.worker("a-victim").encoders("libx264").roots(&[&films]);
    let mut victim = farm.join(setup.option("--nats", proxy.nats_url())).await;
    let done = farm
        .producer([
            "enqueue",
            "films",
            "--replace",
            "--wait",
            "--json",
            "--encoder",
            "libx264",
        ])
        .await
        .succeeded()
        .json();
    let job = done["jobs"][0]["job"].as_str().expect("an id");
    let job = job.parse().expect("an id");
    // The first in the list of workers is asked first.
    let heir = farm.worker("heir").encoders("libx264").roots(&[&films]);
    let _heir = farm.join(heir).await;

    let run = format!("$KV.runs.{job}.all");
    let mut held = proxy.hold(move |request| request.subject == run);
    let undo = async {
        tokio::time::timeout(poll::PATIENCE, farm.view.undo(&job, false))
            .await
            .expect("the undo ends soon after its worker")
            .expect("the broker answers")
    };
    let kill = async {
        held.caught("the record of the undo").await;
        victim.process.kill();
        held.decide(fate);
    };
    let (undone, ()) = tokio::join!(undo, kill);
    let SteerResult::Done(run) = undone else {
        panic!("{undone:?}");
    };
    assert_eq!(run.state, RunState::Cancelled);
    assert_eq!(
        std::fs::read(films.join("h264.mp4")).expect("the source"),
        before
    );
    assert!(!films.join("h264.mkv").exists(), "the output is gone");
}

#[tokio::test]
async fn an_undo_goes_on_when_its_worker_is_killed_before_it_is_recorded() {
    killed(Fate::Lost).await;
}

#[tokio::test]
async fn an_undo_counts_although_its_worker_is_killed_before_it_answers() {
    killed(Fate::Passed).await;
}
