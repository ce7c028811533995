//! The tasks: requests to the broker, jobs, proof encodes. The loop receives the end of each task, even if the task
//! panics.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use async_nats::Message;
use common::broker::{Broker, BrokerError, Claim, CompletedJob, Lanes, PollEffort};
use common::farm::queue::{Lane, Queue};
use common::job::failure::Fault;
use common::job::run::Run;
use futures::FutureExt;
use tokio::sync::watch;

use crate::dispatch::admission::{Admission, Ticket};
use crate::dispatch::core::WakeLanes;
use crate::dispatch::core::event::{Activity, Claimed, Event, NoAnswer, Search};
use crate::dispatch::room::RoomGauge;
use crate::dispatch::wakeups::Wakeups;

/// A claimed job, with the room that it holds.
pub(super) struct Job {
    pub(super) claim: Claim,
    pub(super) ticket: Ticket,
}

/// How a task ended.
pub(super) enum Done {
    Event(Event<Job>),
    Polled(Polled),
    Opened(Result<Lanes, NoAnswer>),
    Found(Result<Lanes, NoAnswer>),
    Listening(Result<Box<Wakeups>, NoAnswer>),
    /// Nothing to report.
    Nothing,
}

pub(super) struct Polled {
    pub(super) claims: Result<Vec<Claimed<Job>>, NoAnswer>,
    /// Jobs that failed for good because their last owner vanished.
    pub(super) dead: Vec<Run>,
    /// Completed members of ladders whose messages came again.
    pub(super) completed: Vec<CompletedJob>,
}

/// Runs the task. If it panics, it ends as `died`.
pub(super) async fn caught(task: impl Future<Output = Done>, died: Done) -> Done {
    match AssertUnwindSafe(task).catch_unwind().await {
        Ok(done) => done,
        Err(_) => {
            tracing::error!("a task panicked (a bug); its lease will run out");
            died
        }
    }
}

fn told<T>(answer: Result<T, BrokerError>) -> Result<T, NoAnswer> {
    answer.map_err(|error| {
        tracing::warn!(%error, "the broker gives no answer; trying again");
        NoAnswer
    })
}

/// One bounded poll. It must not be dropped: it may have claimed a job.
pub(super) struct Poll {
    pub(super) broker: Broker,
    pub(super) admission: Arc<Admission>,
    pub(super) gauge: Arc<RoomGauge>,
    pub(super) lanes: Lanes,
    pub(super) wake: WakeLanes,
    pub(super) free: usize,
    pub(super) effort: watch::Receiver<PollEffort>,
}

impl Poll {
    pub(super) async fn run(self) -> Done {
        if self.wake.is_all {
            self.lanes.end_all_rests();
        }
        for lane in &self.wake.lanes {
            self.lanes.end_rest(lane);
        }
        let applicant = self.admission.with(self.gauge.read().await);
        let polled = self
            .broker
            .poll_in(&self.lanes, &applicant, self.free, &self.effort)
            .await;
        let polled = match told(polled) {
            Ok(polled) => polled,
            Err(NoAnswer) => {
                return Done::Polled(Polled {
                    claims: Err(NoAnswer),
                    dead: Vec::new(),
                    completed: Vec::new(),
                });
            }
        };
        if polled.claims.len() == self.free
            && let Some(lane) = polled.more
            && let Err(error) = self.broker.wake(&lane).await
        {
            // The wake-up of a job behind these may have arrived here.
            tracing::debug!(%error, "a wake-up was not passed on");
        }
        let claims = polled.claims.into_iter().map(|(claim, ticket)| Claimed {
            is_suspect: is_suspect(claim.run()),
            job: Job { claim, ticket },
        });
        Done::Polled(Polled {
            claims: Ok(claims.collect()),
            dead: polled.dead_letters,
            completed: polled.completed,
        })
    }
}

/// Whether a worker has failed over the job before, or vanished with it.
fn is_suspect(run: &Run) -> bool {
    let mut faults = run.failures.iter().map(|attempt| attempt.failure.fault);
    faults.any(|fault| fault == Fault::Worker)
}

/// Opens lanes that were announced.
pub(super) async fn open(broker: Broker, lanes: Vec<Lane>) -> Done {
    let mut opened = Lanes::default();
    for lane in lanes {
        if told(broker.add_lane(&mut opened, lane).await).is_err() {
            return Done::Opened(Err(NoAnswer));
        }
    }
    Done::Opened(Ok(opened))
}

/// Searches for lanes whose announcement was missed.
pub(super) async fn search(broker: Broker, search: Search, known: Lanes) -> Done {
    let searched = async {
        match search {
            Search::All(queues) => {
                let mut lanes = Lanes::default();
                broker.find_lanes(&queues, &mut lanes).await?;
                broker.make_waiting_lanes(&queues, &mut lanes).await?;
                Ok(lanes)
            }
            Search::More(queues) => {
                let mut lanes = known;
                broker.find_lanes(&queues, &mut lanes).await?;
                broker.recreate_stuck_consumers(&lanes).await?;
                Ok(lanes)
            }
        }
    };
    Done::Found(told(searched.await))
}

/// Finds out whether jobs wait or are held in these lanes.
pub(super) async fn check(broker: Broker, lanes: Lanes) -> Done {
    let checked = async {
        let has_work = broker.has_work(&lanes).await?;
        if !has_work {
            broker.remove_front_marker().await?;
        }
        let lease = lanes.shortest_ack_wait();
        Ok(Activity { has_work, lease })
    };
    Done::Event(Event::ActivityChecked(told(checked.await)))
}

pub(super) async fn listen(broker: Broker, queues: Vec<Queue>) -> Done {
    Done::Listening(told(Wakeups::join(broker, &queues).await).map(Box::new))
}

/// Releases a claimed job.
pub(super) async fn release(job: Job) {
    let id = job.claim.job().id;
    if let Err(error) = job.claim.release().await {
        tracing::debug!(job = %id, %error, "not released; its lease will run out");
    }
    drop(job.ticket);
}

/// Tells the person who asked to end a quarantine whether there was one.
pub(super) async fn answer(broker: Broker, request: Message, was_quarantined: bool) {
    if let Err(error) = broker.answer_lift(&request, was_quarantined).await {
        tracing::debug!(%error, "a request to end the quarantine was not answered");
    }
}
