//! A worker that dies, or is stopped for longer than its lease, at each step of a job's life; and a broker that dies
//! during a write that counts.

use common::job::Job;
use common::names::digest::Digest;
use futures::future::join_all;
use harness::farm::Farm;
use harness::faults::proxy::Fate;
use harness::faults::victim::{Reached, Step, Victim};
use harness::outside::audit::{Acknowledged, Auditor, OutputPlace, Tally};
use harness::process::Signal;
use harness::programs::Worker;
use harness::servers::store::TestStore;
use harness::{paths, poll};
use jiff::Timestamp;
use tempfile::TempDir;

/// A store that several farms share, with one input.
async fn store() -> (TestStore, TempDir) {
    let folder = paths::test_folder();
    let store = TestStore::start(folder.path()).await;
    store.put(&input(), "in/h264.mp4").await;
    (store, folder)
}

fn input() -> std::path::PathBuf {
    paths::media("h264.mp4")
}

/// The name of a case's output.
fn name(blow: &str, step: Step) -> String {
    format!("{blow}-{step:?}.mkv")
}

/// The key of a case's output.
fn key(name: &str) -> String {
    format!("out-{name}/{name}")
}

/// A farm with one job, and the worker that the fault will hit.
struct Case<'a> {
    farm: Farm,
    victim: Victim,
    job: Job,
    store: &'a TestStore,
    name: String,
}

impl<'a> Case<'a> {
    async fn new(store: &'a TestStore, blow: &str, step: Step) -> Self {
        let farm = Farm::start().await;
        let victim = Victim::join(&farm, store, "victim").await;
        let name = name(blow, step);
        let job = store.job("in/h264.mp4", &key(&name), "libx264").await;
        Self {
            farm,
            victim,
            job,
            store,
            name,
        }
    }

    async fn heir(&self) -> Worker {
        let setup = self.farm.worker("heir").encoders("libx264");
        self.farm
            .join(setup.environment(self.store.environment()))
            .await
    }

    async fn output(&self) -> (Option<String>, i64) {
        self.store.version(&key(&self.name)).await
    }

    /// Whether the store still has an incomplete upload of the output.
    async fn is_pending(&self) -> bool {
        self.store.uploads().await.contains(&key(&self.name))
    }

    /// Delivers the victim's last message, and then continues the victim, which finds that the job is not its own any
    /// more.
    async fn wake(&mut self, reached: Option<Reached>) {
        if let Some(reached) = reached {
            reached.decide(Fate::Passed);
        }
        let woken = Timestamp::now();
        self.victim.worker.process.signal(Signal::CONT);
        self.victim.recover();
        poll::until("the victim to let go of the job", async || {
            let heartbeat = self.farm.heartbeat("victim").await?;
            (heartbeat.at > woken && heartbeat.running.is_empty()).then_some(())
        })
        .await;
    }

    /// The job ended once and well, and nothing else is left of it.
    async fn assert_settled(&self) {
        let completed = self.tally().await.completed;
        assert_eq!(completed, 1, "{}", self.name);
    }

    /// How the job ended, after everything else of it is gone.
    async fn tally(&self) -> Tally {
        let auditor = Auditor::connect(self.farm.url()).await;
        let job = Acknowledged::new(self.job.id, &self.name, &input());
        let place = OutputPlace::Bucket(self.store, format!("out-{}/", self.name));
        let scratch = self.farm.scratch();
        auditor.settled(&[job], &place, &scratch).await
    }
}

/// The worker is killed, and its last message is lost.
async fn killed(store: &TestStore, step: Step) {
    let mut case = Case::new(store, "killed", step).await;
    let held = case.victim.hold_at(step);
    case.farm.enqueue(&case.job).await;
    let reached = held.reached(&case.farm).await;
    case.victim.worker.process.kill();
    let _heir = case.heir().await;
    case.farm.completed(&case.job.id).await;
    drop(reached);
    // Only the worker itself sweeps its scratch folder.
    case.victim.restart(&case.farm, store).await;
    case.assert_settled().await;
}

/// The worker is killed while a companion of its output appears, and its last message is lost.
async fn killed_beside_its_output(store: &TestStore) {
    let mut case = Case::new(store, "beside", Step::Committing).await;
    let recipe = case.job.recipe.clone();
    let edited = recipe.edit(|draft| draft.companions.contact_sheet = true);
    case.job.recipe = edited.expect("a sound recipe");
    let held = case.victim.hold_at(Step::Committing);
    case.farm.enqueue(&case.job).await;
    let reached = held.reached(&case.farm).await;
    case.victim.worker.process.kill();
    let _heir = case.heir().await;
    let (_, report) = case.farm.completed(&case.job.id).await;
    drop(reached);
    let mut keys = store.keys().await;
    keys.retain(|key| key.starts_with("out-beside"));
    let output = key(&case.name);
    let (folder, name) = output.split_once('/').expect("a folder");
    let companion = format!("{folder}/{}", name.replace(".mkv", ".contact.jpg"));
    assert_eq!(keys, [companion.clone(), output.clone()]);
    assert!(!store.uploads().await.contains(&companion), "not aborted");
    let sheet = store.get(&companion).await.expect("it is there");
    assert_eq!(report.companions[0].digest, Digest::of(&sheet));
}

/// The worker is stopped until another worker has finished its job. Its last message arrives before it continues, or
/// already while it still owns the job.
async fn frozen(store: &TestStore, step: Step, is_heard: bool) {
    let blow = if is_heard { "heard" } else { "frozen" };
    let mut case = Case::new(store, blow, step).await;
    let held = case.victim.hold_at(step);
    case.farm.enqueue(&case.job).await;
    let mut reached = Some(held.reached(&case.farm).await);
    case.victim.worker.process.signal(Signal::STOP);
    if let Some(reached) = reached.take_if(|_| is_heard) {
        reached.decide(Fate::Passed);
    }
    let _heir = case.heir().await;
    let (run, _) = case.farm.completed(&case.job.id).await;
    let published = case.output().await;
    if step == Step::Committing {
        assert!(!case.is_pending().await, "not aborted");
    }

    case.wake(reached).await;
    case.assert_settled().await;
    assert_eq!(case.output().await, published, "{step:?}: overwritten");
    let now = case.farm.run(&case.job.id).await;
    assert_eq!(now, Some(run), "{step:?}: the run was written again");
}

/// The worker is stopped during the commit of the last attempt. Its last message arrives after the job has failed.
async fn failed_meanwhile(store: &TestStore) {
    let mut case = Case::new(store, "buried", Step::Committing).await;
    case.job.attempts = 1;
    let held = case.victim.hold_at(Step::Committing);
    case.farm.enqueue(&case.job).await;
    let reached = held.reached(&case.farm).await;
    assert!(case.is_pending().await);
    case.victim.worker.process.signal(Signal::STOP);
    let _heir = case.heir().await;
    case.farm.ended(&case.job.id).await;
    poll::until("the heir to abort the upload", async || {
        (!case.is_pending().await).then_some(())
    })
    .await;

    case.wake(Some(reached)).await;
    assert_eq!(case.tally().await.failed, 1);
}

/// The broker is killed while the worker waits for an answer: before it has received the worker's request, or after.
async fn unanswered(store: &TestStore, step: Step, is_heard: bool) {
    let blow = if is_heard { "mute" } else { "deaf" };
    let mut case = Case::new(store, blow, step).await;
    let held = case.victim.hold_at(step);
    case.farm.enqueue(&case.job).await;
    let reached = held.reached(&case.farm).await;
    if is_heard {
        let before = case.farm.run(&case.job.id).await;
        reached.decide(Fate::CutShort(0));
        poll::until("the run to be written", async || {
            (case.farm.run(&case.job.id).await != before).then_some(())
        })
        .await;
        case.farm.broker.kill();
    } else {
        case.farm.broker.kill();
        drop(reached);
    }
    case.farm.broker.restart().await;
    case.assert_settled().await;
    let run = case.farm.run(&case.job.id).await.unwrap();
    // A fence that took longer than the lease protects nothing, so that attempt ends.
    let most = 1 + u32::from(step == Step::Fencing);
    assert!(run.attempt <= most, "{step:?}: {run:#?}");
}

#[tokio::test]
async fn a_worker_killed_at_any_moment_loses_and_doubles_nothing() {
    let (store, _folder) = store().await;
    join_all(Step::ALL.map(|step| Box::pin(killed(&store, step)))).await;
    // The store itself must expire an upload that no run names yet.
    let unnamed = [Step::Fencing, Step::Uploading];
    let left = unnamed.map(|step| key(&name("killed", step)));
    assert_eq!(store.uploads().await, left);
}

#[tokio::test]
async fn a_worker_killed_while_a_companion_appears_loses_and_doubles_nothing() {
    let (store, _folder) = store().await;
    killed_beside_its_output(&store).await;
}

#[tokio::test]
async fn a_worker_frozen_at_any_moment_loses_and_doubles_nothing() {
    let (store, _folder) = store().await;
    let late = Step::ALL.map(|step| Box::pin(frozen(&store, step, false)));
    let fence = [Box::pin(frozen(&store, Step::Fencing, true))];
    join_all(late.into_iter().chain(fence)).await;
}

#[tokio::test]
async fn a_commit_that_arrives_after_its_job_has_failed_publishes_nothing() {
    let (store, _folder) = store().await;
    failed_meanwhile(&store).await;
}

#[tokio::test]
async fn a_write_that_counts_is_repeated_after_its_broker_was_killed() {
    let (store, _folder) = store().await;
    let writes = [Step::Claiming, Step::Fencing, Step::Completing];
    let deaf = writes
        .into_iter()
        .chain([Step::Acknowledging])
        .map(|step| Box::pin(unanswered(&store, step, false)));
    let mute = writes.map(|step| Box::pin(unanswered(&store, step, true)));
    join_all(deaf.chain(mute)).await;
}
