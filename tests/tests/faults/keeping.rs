//! A worker that dies, or is stopped for longer than its lease, while a copy of an original appears in place of an
//! output.

use common::job::Job;
use common::job::run::RunState;
use common::names::digest::Digest;
use common::rules::{Original, Rules};
use futures::future::join_all;
use harness::farm::Farm;
use harness::faults::proxy::Fate;
use harness::faults::victim::{Step, Victim};
use harness::process::Signal;
use harness::servers::store::TestStore;
use harness::{paths, poll};

/// The steps at which the copy is on its way.
const STEPS: [Step; 4] = [
    Step::Uploading,
    Step::Fencing,
    Step::Committing,
    Step::Acknowledging,
];

/// A job whose input is kept by a rule, and copied.
async fn job(store: &TestStore, name: &str) -> Job {
    let job = store
        .job("in/h264.mp4", &format!("{name}/film.mkv"), "libx264")
        .await;
    let mut work = job.work();
    work.rules = Rules {
        skip_if: Some("video.codec = h264".parse().expect("a condition")),
        original: Original::Copy,
        ..Rules::default()
    };
    Job::of(job.batch, work, None)
}

/// The worker is killed or stopped at a step. Another one ends the job, with one whole copy of the original.
async fn struck(store: &TestStore, step: Step, is_killed: bool) {
    let blow = if is_killed { "killed" } else { "frozen" };
    let name = format!("kept-{blow}-{step:?}");
    let farm = Farm::start().await;
    let mut victim = Victim::join(&farm, store, "victim").await;
    let job = job(store, &name).await;
    let held = victim.hold_at(step);
    farm.enqueue(&job).await;
    let reached = held.reached(&farm).await;
    match is_killed {
        true => victim.worker.process.kill(),
        false => victim.worker.process.signal(Signal::STOP),
    }
    let setup = farm.worker("heir").encoders("libx264");
    let _heir = farm.join(setup.environment(store.environment())).await;
    let run = farm.ended(&job.id).await;
    let RunState::Kept { report } = &run.state else {
        panic!("{name}: {:?}", run.state);
    };
    let copy = format!("{name}/film.mp4");
    assert_eq!(report.copy, Some(job.output.sibling("film.mp4")), "{name}");
    let original = std::fs::read(paths::media("h264.mp4")).unwrap();
    let is_whole = async || {
        let copied = store.get(&copy).await.expect("the copy is there");
        assert_eq!(Digest::of(&copied), Digest::of(&original), "{name}");
    };
    is_whole().await;
    let published = store.version(&copy).await;
    if is_killed {
        drop(reached);
    } else {
        reached.decide(Fate::Passed);
        victim.worker.process.signal(Signal::CONT);
        victim.recover();
        poll::until("the victim to let go of the job", async || {
            let heartbeat = farm.heartbeat("victim").await?;
            heartbeat.running.is_empty().then_some(())
        })
        .await;
        assert_eq!(
            store.version(&copy).await,
            published,
            "{name}: written again"
        );
        is_whole().await;
    }
    let mut keys = store.keys().await;
    keys.retain(|key| key.starts_with(&format!("{name}/")));
    assert_eq!(keys, [copy], "{name}");
    assert_eq!(
        farm.run(&job.id).await,
        Some(run),
        "{name}: the run was written again"
    );
}

#[tokio::test]
async fn a_copy_of_an_original_appears_once_and_whole_whenever_its_worker_dies_or_stops() {
    let folder = paths::test_folder();
    let store = TestStore::start(folder.path()).await;
    store.put(&paths::media("h264.mp4"), "in/h264.mp4").await;
    let cases = STEPS
        .iter()
        .flat_map(|step| [(*step, true), (*step, false)]);
    join_all(cases.map(|(step, is_killed)| Box::pin(struck(&store, step, is_killed)))).await;
}
