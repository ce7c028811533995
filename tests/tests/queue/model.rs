//! The life of a job against a model: any sequence of actions of workers and people must end on the real broker as the
//! model says.

use common::broker::{Broker, Claim, ClaimError, Lanes, SteerResult};
use common::farm::queue::{Lane, Queue};
use common::job::Job;
use common::job::failure::Failure;
use common::job::record::JobRecord;
use common::job::run::fence::Fence;
use common::job::state::JobState;
use common::testing;
use harness::servers::broker::TestBroker;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::{claim, claim_in_time, connect, job, lane, report};

/// The number of sequences, unless `PROPTEST_CASES` sets another.
const CASES: u32 = 24;
/// The queues between which the job is moved.
const QUEUES: [&str; 2] = ["libx264", "on_w2"];

/// The next action. A worker's action is about the claim that the worker has.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A worker polls both queues for the job.
    Look(usize),
    /// The worker begins to publish.
    Publish(usize),
    /// The worker has made sure that no output of an earlier attempt will appear.
    Settle(usize),
    /// The worker completes the job.
    Complete(usize),
    /// The attempt failed, and another may succeed.
    Fail(usize),
    /// The attempt failed by a passing fault.
    Pass(usize),
    /// The attempt failed, and no other would succeed.
    Refuse(usize),
    /// The worker releases the job.
    Release(usize),
    /// The worker's lease runs out, and the worker does not notice.
    Expire(usize),
    /// A person cancels the job.
    Cancel,
    /// A person moves the job to one of the queues.
    Move(usize),
    /// A person retries the job.
    Retry,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..2_usize).prop_map(Step::Look),
        2 => (0..2_usize).prop_map(Step::Publish),
        1 => (0..2_usize).prop_map(Step::Settle),
        2 => (0..2_usize).prop_map(Step::Complete),
        2 => (0..2_usize).prop_map(Step::Fail),
        1 => (0..2_usize).prop_map(Step::Pass),
        1 => (0..2_usize).prop_map(Step::Refuse),
        2 => (0..2_usize).prop_map(Step::Release),
        1 => (0..2_usize).prop_map(Step::Expire),
        1 => Just(Step::Cancel),
        2 => (0..2_usize).prop_map(Step::Move),
        2 => Just(Step::Retry),
    ]
}

/// The state of the model: far simpler than a run.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Model {
    /// The job waits, with so many attempts used up.
    Pending(u32),
    /// This worker owns the job, with so many attempts used up, this one included.
    Running(usize, u32),
    Completed,
    Failed,
    Cancelled,
}

impl Model {
    fn state(self) -> JobState {
        match self {
            Self::Pending(_) => JobState::Pending,
            Self::Running(..) => JobState::Running,
            Self::Completed => JobState::Completed,
            Self::Failed => JobState::Failed,
            Self::Cancelled => JobState::Cancelled,
        }
    }

    fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// The real job beside its model.
struct Pair {
    broker: Broker,
    lanes: Lanes,
    job: Job,
    /// The claims that each of the two workers believes it holds.
    claims: [Option<Claim>; 2],
    model: Model,
    /// Whether the owner has begun to publish: then people wait.
    is_publishing: bool,
    /// The fence that the next owner has to look at.
    fence: Option<Fence>,
}

const WORKERS: [&str; 2] = ["w1", "w2"];

impl Pair {
    async fn start(broker: &Broker, nth: &str) -> Self {
        let job = Job {
            // There are only two workers, so only the number of attempts ends the job.
            attempts: 3,
            ..job(nth)
        };
        broker
            .enqueue(&[(job.clone(), lane(5))], |_| {})
            .await
            .expect("enqueued");
        let mut lanes = Lanes::default();
        for queue in QUEUES {
            let queue: Queue = queue.parse().expect("a queue");
            broker
                .add_lane(&mut lanes, Lane { queue, ..lane(5) })
                .await
                .expect("a lane");
        }
        Self {
            broker: broker.clone(),
            lanes,
            job,
            claims: [None, None],
            model: Model::Pending(0),
            is_publishing: false,
            fence: None,
        }
    }

    fn owns(&self, worker: usize) -> bool {
        matches!(self.model, Model::Running(owner, _) if owner == worker)
    }

    async fn take(&mut self, worker: usize, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Look(_) => self.look(worker).await?,
            Step::Publish(_) => {
                if let Some(claim) = &mut self.claims[worker] {
                    let upload = format!("attempt {}", claim.run().attempt);
                    let fence = testing::fence(WORKERS[worker], &upload);
                    let fenced = claim.fence(fence.clone()).await;
                    let is_owner = self.owns(worker);
                    prop_assert_eq!(fenced.is_ok(), is_owner);
                    if is_owner {
                        self.is_publishing = true;
                        self.fence = Some(fence);
                    }
                }
            }
            Step::Settle(_) => {
                if let Some(claim) = &mut self.claims[worker] {
                    let settled = claim.settle_fence().await;
                    prop_assert_eq!(settled.is_ok(), self.owns(worker));
                    if let (Ok(()), Some(fence)) = (settled, &mut self.fence) {
                        fence.is_settled = true;
                    }
                }
            }
            Step::Complete(_) => {
                if let Some(claim) = self.claims[worker].take() {
                    let done = claim.complete(report(WORKERS[worker])).await;
                    self.ended(worker, done.map(drop), |_| Model::Completed)?;
                }
            }
            Step::Fail(_) => {
                if let Some(claim) = self.claims[worker].take() {
                    let done = claim
                        .fail(Failure::passing("the network").using_attempt())
                        .await;
                    self.ended(worker, done.map(drop), |spent| match spent {
                        3 => Model::Failed,
                        _ => Model::Pending(spent),
                    })?;
                }
            }
            Step::Pass(_) => {
                if let Some(claim) = self.claims[worker].take() {
                    let done = claim.fail(Failure::passing("the store is away")).await;
                    self.ended(worker, done.map(drop), |spent| Model::Pending(spent - 1))?;
                }
            }
            Step::Refuse(_) => {
                if let Some(claim) = self.claims[worker].take() {
                    let done = claim.fail(Failure::input("corrupt")).await;
                    self.ended(worker, done.map(drop), |_| Model::Failed)?;
                }
            }
            Step::Release(_) => {
                if let Some(claim) = self.claims[worker].take() {
                    let done = claim.release().await;
                    self.ended(worker, done, |spent| Model::Pending(spent - 1))?;
                }
            }
            Step::Expire(_) => self.expire(worker).await?,
            Step::Cancel | Step::Move(_) | Step::Retry => self.steer(step).await?,
        }
        let record = self.broker.job(&self.job.id).await.expect("an answer");
        let record = record.expect("known");
        let state = match record.state() {
            JobState::Waiting => JobState::Pending,
            state => state,
        };
        prop_assert_eq!(state, self.model.state());
        let letter = self.broker.dead_letter(&self.job.id).await;
        let is_buried = letter.expect("an answer").is_some();
        prop_assert_eq!(is_buried, self.model == Model::Failed);
        if self.model == Model::Completed {
            self.fence = None;
        }
        if let JobRecord::Run(run) = record {
            prop_assert_eq!(&run.fence, &self.fence);
        }
        Ok(())
    }

    /// Only a pending job may be found, and only by one worker.
    async fn look(&mut self, worker: usize) -> Result<(), TestCaseError> {
        let claim = match self.model {
            // The job may wait for its retry, or come back only when its message arrives.
            Model::Pending(_) => {
                Some(claim_in_time(&self.broker, &self.lanes, WORKERS[worker]).await)
            }
            // This test keeps no lease for the owner, so the claim may be lost during the poll.
            Model::Running(..) => None,
            _ => claim(&self.broker, &self.lanes, WORKERS[worker]).await,
        };
        match (self.model, claim) {
            (Model::Pending(spent), Some(claim)) => {
                prop_assert_eq!(claim.run().spent(), spent + 1);
                self.model = Model::Running(worker, spent + 1);
                self.is_publishing = false;
                self.claims[worker] = Some(claim);
            }
            (_, found) => prop_assert!(found.is_none(), "found although {:?}", self.model),
        }
        Ok(())
    }

    /// What a worker wrote counts only if the worker was the owner.
    fn ended(
        &mut self,
        worker: usize,
        written: Result<(), ClaimError>,
        next: impl Fn(u32) -> Model,
    ) -> Result<(), TestCaseError> {
        match self.model {
            Model::Running(owner, spent) if owner == worker => {
                prop_assert!(written.is_ok(), "{written:?}");
                self.model = next(spent);
            }
            _ => prop_assert!(matches!(written, Err(ClaimError::Elsewhere)), "{written:?}"),
        }
        Ok(())
    }

    /// The other worker takes the job over, if this worker owns it.
    async fn expire(&mut self, worker: usize) -> Result<(), TestCaseError> {
        let Model::Running(owner, spent) = self.model else {
            return Ok(());
        };
        if owner != worker {
            return Ok(());
        }
        let other = 1 - worker;
        if spent == 3 {
            // After its last attempt, the job fails as soon as any worker polls.
            harness::poll::until("the dead letter", async || {
                let found = claim(&self.broker, &self.lanes, WORKERS[other]).await;
                assert!(found.is_none(), "taken a fourth time");
                let record = self.broker.job(&self.job.id).await.ok()??;
                (record.state() == JobState::Failed).then_some(())
            })
            .await;
            self.model = Model::Failed;
        } else {
            let claim = claim_in_time(&self.broker, &self.lanes, WORKERS[other]).await;
            prop_assert_eq!(claim.run().spent(), spent + 1);
            self.claims[other] = Some(claim);
            self.model = Model::Running(other, spent + 1);
            self.is_publishing = false;
        }
        Ok(())
    }

    async fn steer(&mut self, step: Step) -> Result<(), TestCaseError> {
        if self.is_publishing && matches!(self.model, Model::Running(..)) {
            // These actions would wait for the output to appear.
            return Ok(());
        }
        let id = &self.job.id;
        let model = self.model;
        let may_appear = self.fence.as_ref().is_some_and(|fence| !fence.is_settled);
        let is_running = matches!(model, Model::Running(..));
        if may_appear && is_running && matches!(step, Step::Cancel) {
            // A cancel would wait until the owner has looked for the output.
            return Ok(());
        }
        let (steered, expected) = match step {
            Step::Cancel => {
                let next = (!model.is_terminal() && !may_appear).then_some(Model::Cancelled);
                (self.broker.cancel(id).await, next)
            }
            Step::Retry => {
                let next = matches!(model, Model::Failed | Model::Cancelled);
                (
                    self.broker.retry(id).await,
                    next.then_some(Model::Pending(0)),
                )
            }
            Step::Move(to) => {
                let record = self.broker.job(id).await.expect("an answer");
                let queue: Queue = QUEUES[to].parse().expect("a queue");
                let stays = *record.expect("known").queue() == queue;
                let next = match model {
                    Model::Pending(spent) => Some(Model::Pending(spent)),
                    Model::Running(_, spent) if !stays => Some(Model::Pending(spent - 1)),
                    _ => None,
                };
                (self.broker.move_job(id, Some(&queue), None).await, next)
            }
            _ => unreachable!("a worker's step"),
        };
        let steered = steered.expect("an answer");
        prop_assert_eq!(
            matches!(steered, SteerResult::Done(_)),
            expected.is_some(),
            "{:?} of {:?}: {:?}",
            step,
            model,
            steered
        );
        if let Some(next) = expected {
            self.model = next;
        }
        Ok(())
    }

    /// Whatever has happened, the job ends and leaves nothing behind.
    async fn end(&mut self) -> Result<(), TestCaseError> {
        for worker in 0..2 {
            if self.owns(worker) {
                self.take(worker, Step::Complete(worker)).await?;
            }
        }
        if !self.model.is_terminal() {
            self.take(0, Step::Look(0)).await?;
            self.take(0, Step::Complete(0)).await?;
        }
        harness::poll::until("an empty queue", async || {
            // The next poll drops what is left.
            let found = claim(&self.broker, &self.lanes, WORKERS[0]).await;
            assert!(found.is_none(), "it has ended");
            let (_, messages) = self.broker.queue_extent().await.expect("an answer");
            (messages == 0).then_some(())
        })
        .await;
        Ok(())
    }
}

#[test]
fn any_sequence_of_steps_ends_as_the_model_says() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let (_server, broker) = runtime.block_on(async {
        let server = TestBroker::start(folder.path()).await;
        let (broker, _) = connect(&server).await;
        (server, broker)
    });
    let cases = std::env::var("PROPTEST_CASES").ok();
    let cases = cases.and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let config = Config {
        cases,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let steps = prop::collection::vec(step(), 1..16);
    let ran = TestRunner::new(config).run(&steps, |steps| {
        runtime.block_on(async {
            let nth = uuid::Uuid::new_v4().to_string();
            let mut pair = Pair::start(&broker, &nth).await;
            for step in steps {
                let worker = match step {
                    Step::Look(worker)
                    | Step::Publish(worker)
                    | Step::Settle(worker)
                    | Step::Complete(worker)
                    | Step::Fail(worker)
                    | Step::Pass(worker)
                    | Step::Refuse(worker)
                    | Step::Release(worker)
                    | Step::Expire(worker) => worker,
                    Step::Cancel | Step::Move(_) | Step::Retry => 0,
                };
                pair.take(worker, step).await?;
            }
            pair.end().await
        })
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
}
