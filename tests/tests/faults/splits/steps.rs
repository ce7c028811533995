//! A worker that dies, or is stopped for longer than its lease, at each step between the parts of a split job.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use common::job::Job;
use common::job::split::Split;
use futures::future::join_all;
use harness::farm::Farm;
use harness::faults::proxy::{Fate, Held, Protocol, Proxy};
use harness::outside;
use harness::poll;
use harness::process::Signal;
use harness::programs::Worker;
use jiff::Timestamp;

use super::{assert_settled, film, job, output, parts, reference};

/// A step of a split job, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The plan is stored without its state.
    Planning,
    /// The plan stands, and no part is enqueued.
    Enqueueing,
    /// The parts are enqueued, and the job is not written as split.
    Splitting,
    /// The run of a part is completed, and the part is not marked as done.
    Marking,
    /// All parts are done, and the pieces are joined: the fence is not written.
    Fencing,
    /// The output is there, and the run of the job is not completed.
    Completing,
    /// The run of the job is completed, and nothing is removed.
    Clearing,
    /// All is removed, and the message of the job is not acknowledged.
    Acknowledging,
}

impl Step {
    const ALL: [Self; 8] = [
        Self::Planning,
        Self::Enqueueing,
        Self::Splitting,
        Self::Marking,
        Self::Fencing,
        Self::Completing,
        Self::Clearing,
        Self::Acknowledging,
    ];

    /// Holds the request of a job's worker that ends the step.
    fn hold(self, proxy: &Proxy, job: &Job) -> Held {
        let run = format!("$KV.runs.{}.all", job.id);
        let state = format!("$KV.plans.{}.state", job.id);
        let completed = AtomicBool::new(false);
        proxy.hold(move |request| {
            let of_run = request.subject == run;
            let is_completed = of_run && request.says("{\"completed\":");
            match self {
                Self::Planning => request.subject == state,
                Self::Enqueueing => {
                    request.subject.starts_with("jobs.") && request.subject.contains("chunk")
                }
                Self::Splitting => of_run && request.says("{\"split\":{\"since\""),
                Self::Marking => request.subject == state && request.says("\"chunks\""),
                Self::Fencing => of_run && request.says("\"publishing\""),
                Self::Completing => is_completed,
                Self::Clearing | Self::Acknowledging if is_completed => {
                    completed.store(true, Ordering::Relaxed);
                    false
                }
                Self::Clearing => {
                    completed.load(Ordering::Relaxed)
                        && (request.subject.contains("PURGE") || request.subject == state)
                }
                // An empty payload is an acknowledgement.
                Self::Acknowledging => {
                    completed.load(Ordering::Relaxed)
                        && request.subject.starts_with("$JS.ACK.")
                        && request.body.is_empty()
                }
            }
        })
    }
}

/// A farm with one split job, and the worker that the fault will hit.
struct Case {
    farm: Farm,
    reference: String,
    proxy: Proxy,
    victim: Worker,
    job: Job,
}

impl Case {
    async fn new() -> Self {
        let farm = Farm::start().await;
        let film = film(farm.folder(), "film.mkv", 4).await;
        let reference = reference(&farm, &film).await;
        let proxy = Proxy::start(Protocol::Nats, farm.broker.port());
        let setup = farm.worker("victim").encoders("libx264");
        let victim = farm.join(setup.option("--nats", proxy.nats_url())).await;
        let job = job(&farm, &film, "film.mkv", Split::Every(1));
        Self {
            farm,
            reference,
            proxy,
            victim,
            job,
        }
    }

    /// Enqueues the job, and waits until the victim is at the step.
    async fn reach(&self, step: Step) -> Held {
        let mut held = step.hold(&self.proxy, &self.job);
        self.farm.enqueue(&self.job).await;
        held.caught(&format!("{step:?}")).await;
        held
    }

    async fn heir(&self) -> Worker {
        self.farm
            .join(self.farm.worker("heir").encoders("libx264"))
            .await
    }
}

/// The worker is killed, and its last message is lost or arrives.
async fn killed(step: Step, fate: Fate) {
    let mut case = Case::new().await;
    let held = case.reach(step).await;
    case.victim.process.kill();
    held.decide(fate);
    let _heir = case.heir().await;
    let (_, report) = case.farm.completed(&case.job.id).await;
    let again = parts(&report).iter().filter(|part| part.attempt > 1);
    assert!(again.count() <= 1, "{step:?}: {report:#?}");
    // Only the worker itself sweeps its scratch folder.
    let setup = case.farm.worker("victim").encoders("libx264");
    let _victim = case.farm.join(setup).await;
    assert_settled(&case.farm, std::slice::from_ref(&case.job), &case.reference).await;
}

/// The worker is stopped until another worker has finished the job, and then goes on.
async fn frozen(step: Step) {
    let case = Case::new().await;
    let held = case.reach(step).await;
    case.victim.process.signal(Signal::STOP);
    let _heir = case.heir().await;
    let (run, _) = case.farm.completed(&case.job.id).await;
    let published = outside::which(&output(&case.job));
    held.decide(Fate::Passed);
    let woken = Timestamp::now();
    case.victim.process.signal(Signal::CONT);
    poll::until("the victim to let go of the job", async || {
        let heartbeat = case.farm.heartbeat("victim").await?;
        (heartbeat.at > woken && heartbeat.running.is_empty()).then_some(())
    })
    .await;
    assert_settled(&case.farm, std::slice::from_ref(&case.job), &case.reference).await;
    assert_eq!(outside::which(&output(&case.job)), published, "{step:?}");
    assert_eq!(case.farm.run(&case.job.id).await, Some(run), "{step:?}");
    assert_eq!(outside::names(&case.farm.out()), [Path::new("film.mkv")]);
}

#[tokio::test]
async fn a_worker_killed_between_the_parts_of_a_job_loses_nothing() {
    join_all(Step::ALL.map(|step| Box::pin(killed(step, Fate::Lost)))).await;
}

#[tokio::test]
async fn a_worker_killed_right_after_each_write_between_the_parts_loses_nothing() {
    join_all(Step::ALL.map(|step| Box::pin(killed(step, Fate::Passed)))).await;
}

#[tokio::test]
async fn a_worker_frozen_between_the_parts_of_a_job_doubles_nothing() {
    join_all(Step::ALL.map(|step| Box::pin(frozen(step)))).await;
}
