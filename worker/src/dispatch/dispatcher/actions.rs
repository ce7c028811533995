//! Carries out the actions that the rules decide on. It owns every task of the worker and awaits each one.

use std::sync::Arc;
use std::time::Duration;

use common::broker::{Lanes, PollEffort};
use common::farm::queue::Lane;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use crate::dispatch::core::WakeLanes;
use crate::dispatch::core::event::{Action, Event, NoAnswer, Now, ProofId, Slot};
use crate::dispatch::dispatcher::Dispatcher;
use crate::dispatch::room::RoomGauge;
use crate::dispatch::sources::Sources;
use crate::dispatch::tasks;
use crate::dispatch::tasks::{Done, Job, Poll, Polled, caught};
use crate::work::Work;
use crate::work::stop::Stop;

/// How long a stopping worker tries to release unfinished jobs: a broker that is out of reach must not delay the
/// stop.
const RELEASE: Duration = Duration::from_secs(5);

/// Starts tasks for actions, and turns their ends into events.
pub(crate) struct ActionRunner<W> {
    dispatcher: Dispatcher<W>,
    /// Tasks that a stopping worker waits for.
    tasks: JoinSet<Done>,
    /// Requests that change nothing: a stopping worker aborts them.
    lookups: JoinSet<Done>,
    /// Every known lane; the rules decide which of them are polled.
    lanes: Lanes,
    gauge: Arc<RoomGauge>,
    /// How much the running poll should hurry.
    effort: watch::Sender<PollEffort>,
    proof: Option<AbortHandle>,
    stop: Stop,
    /// When a stopping worker stops waiting for its tasks.
    give_up: Option<Instant>,
}

impl<W: Work> ActionRunner<W> {
    pub(crate) fn new(dispatcher: Dispatcher<W>) -> Self {
        Self {
            gauge: Arc::new(RoomGauge::of(dispatcher.scratch.clone())),
            dispatcher,
            tasks: JoinSet::new(),
            lookups: JoinSet::new(),
            lanes: Lanes::default(),
            effort: watch::Sender::new(PollEffort::Thorough),
            proof: None,
            stop: Stop::new(),
            give_up: None,
        }
    }

    pub(crate) fn now(&self) -> Now {
        self.dispatcher.now()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.dispatcher.is_connected()
    }

    pub(crate) fn give_up(&self) -> Option<Instant> {
        self.give_up
    }

    /// Whether no task runs that a stopping worker waits for.
    pub(crate) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(crate) fn carry_out(&mut self, action: Action<Job>, sources: &mut Sources) {
        let broker = self.dispatcher.broker.clone();
        match action {
            Action::Poll { lanes, free, wake } => self.poll(&lanes, free, wake),
            Action::Hurry(effort) => {
                self.effort.send_replace(effort);
            }
            Action::CheckActivity(lanes) => {
                let died = Done::Event(Event::ActivityChecked(Err(NoAnswer)));
                self.look_up(tasks::check(broker, self.lanes.only(&lanes)), died);
            }
            Action::Listen(queues) => {
                self.look_up(
                    tasks::listen(broker, queues),
                    Done::Listening(Err(NoAnswer)),
                );
            }
            Action::StopListening => {
                if let Some(wakeups) = sources.stop_listening() {
                    self.see_through(wakeups.leave());
                }
            }
            Action::OpenLanes(lanes) => {
                self.look_up(tasks::open(broker, lanes), Done::Opened(Err(NoAnswer)));
            }
            Action::Search(search) => {
                let search = tasks::search(broker, search, self.lanes.clone());
                self.look_up(search, Done::Found(Err(NoAnswer)));
            }
            Action::Start(slot, job) => self.start(slot, job),
            Action::Release(job) => self.see_through(tasks::release(job)),
            Action::Prove(proof, encoders) => {
                let work = Arc::clone(&self.dispatcher.work);
                self.prove(proof, async move { work.prove(encoders).await });
            }
            Action::ProveAgain(proof, encoders) => {
                let work = Arc::clone(&self.dispatcher.work);
                self.prove(proof, async move { work.prove_again(encoders).await });
            }
            Action::AbandonProof => {
                if let Some(proof) = self.proof.take() {
                    proof.abort();
                }
            }
            Action::AnswerLift { was_quarantined } => {
                if was_quarantined {
                    tracing::warn!("a person lifts the quarantine: taking jobs again");
                }
                if let Some(request) = sources.asked() {
                    self.see_through(tasks::answer(broker, request, was_quarantined));
                }
            }
            Action::Announce(availability) => self.dispatcher.heartbeater.announce(availability),
            Action::StopJobs(deadline) => {
                self.stop.at(deadline);
                self.give_up = Some(deadline + RELEASE);
                self.lookups.abort_all();
            }
        }
    }

    fn poll(&mut self, lanes: &[Lane], free: usize, wake: WakeLanes) {
        self.effort = watch::Sender::new(PollEffort::Thorough);
        let poll = Poll {
            broker: self.dispatcher.broker.clone(),
            admission: Arc::clone(&self.dispatcher.admission),
            gauge: Arc::clone(&self.gauge),
            lanes: self.lanes.only(lanes),
            wake,
            free,
            effort: self.effort.subscribe(),
        };
        let died = Polled {
            claims: Err(NoAnswer),
            dead: Vec::new(),
            completed: Vec::new(),
        };
        self.tasks.spawn(caught(poll.run(), Done::Polled(died)));
    }

    fn start(&mut self, slot: Slot, job: Job) {
        let (work, stop) = (Arc::clone(&self.dispatcher.work), self.stop.clone());
        let run = async move {
            let id = job.claim.job().id;
            let end = work.execute(job.claim, stop).await;
            drop(job.ticket);
            Done::Event(Event::JobEnded(slot, Some((id, end))))
        };
        let died = Done::Event(Event::JobEnded(slot, None));
        self.tasks.spawn(caught(run, died));
    }

    fn prove(
        &mut self,
        proof: ProofId,
        work: impl Future<Output = Result<(), String>> + Send + 'static,
    ) {
        let admission = Arc::clone(&self.dispatcher.admission);
        let died = Done::Event(Event::Proved {
            proof,
            outcome: Err("this worker has a bug".to_owned()),
            queues: admission.queues(),
        });
        let prove = async move {
            let outcome = work.await;
            // The proof may have changed the proved encoders.
            let queues = admission.queues();
            Done::Event(Event::Proved {
                proof,
                outcome,
                queues,
            })
        };
        self.proof = Some(self.tasks.spawn(caught(prove, died)));
    }

    fn look_up(&mut self, task: impl Future<Output = Done> + Send + 'static, died: Done) {
        self.lookups.spawn(caught(task, died));
    }

    /// Starts a task without a result. A stopping worker waits for its end.
    fn see_through(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        let task = async move {
            task.await;
            Done::Nothing
        };
        self.tasks.spawn(caught(task, Done::Nothing));
    }

    /// Waits for the next task to end; `None` if that task was aborted. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<Done> {
        tokio::select! {
            Some(done) = self.tasks.join_next() => done.ok(),
            Some(done) = self.lookups.join_next() => done.ok(),
            else => std::future::pending().await,
        }
    }

    /// Takes the result of a task and turns it into an event for the rules.
    pub(crate) fn ended(
        &mut self,
        done: Option<Done>,
        sources: &mut Sources,
    ) -> Option<Event<Job>> {
        let event = match done? {
            Done::Event(event) => event,
            Done::Polled(polled) => {
                for run in polled.dead {
                    let work = Arc::clone(&self.dispatcher.work);
                    self.see_through(async move { work.clean_up(&run).await });
                }
                for done in polled.completed {
                    let work = Arc::clone(&self.dispatcher.work);
                    self.see_through(async move { work.finish(done).await });
                }
                Event::PollDone(polled.claims)
            }
            Done::Opened(lanes) => Event::LanesOpened(lanes.map(|lanes| self.learn(lanes))),
            Done::Found(lanes) => Event::SearchDone(lanes.map(|lanes| self.learn(lanes))),
            Done::Listening(joined) => Event::Listening(joined.map(|wakeups| {
                sources.listen(*wakeups);
            })),
            Done::Nothing => return None,
        };
        Some(event)
    }

    fn learn(&mut self, lanes: Lanes) -> Vec<Lane> {
        let names = lanes.names().cloned().collect();
        self.lanes.extend(lanes);
        names
    }

    /// Ends the drain: either every task has ended, or the time is up.
    pub(crate) async fn finish(mut self, running: usize) {
        self.lookups.shutdown().await;
        if self.tasks.is_empty() {
            return tracing::info!("drained: every job has ended or was released");
        }
        tracing::warn!(
            running,
            tasks = self.tasks.len(),
            "drained in part: the time is up; the leases of what was not released will run out"
        );
        self.tasks.shutdown().await;
    }
}
