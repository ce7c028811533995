//! What a worker does about a delivered message of a job: decided from the job's run, without I/O.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::broker::queue::claim::owner::{Owner, RECONNECT_GRACE};
use crate::broker::queue::runs::{Tries, Versioned};
use crate::farm::queue::Lane;
use crate::farm::worker_name::WorkerName;
use crate::job::Job;
use crate::job::run::{Delivered, Delivery, Run};

/// A job that last failed by this worker's fault is left to other workers until its message is this old.
const OTHERS_FIRST: SignedDuration = SignedDuration::from_secs(3);
/// Meanwhile the broker delivers its message again after this time.
pub(crate) const LOOK_AGAIN: SignedDuration = SignedDuration::from_secs(1);
/// If a job's owner does not answer, but the job may not be taken over yet, the message is delivered again after this
/// share of the lease.
const LEASE_SHARE: u32 = 3;

/// A message that was delivered to a worker.
pub(crate) struct Incoming<'a> {
    pub job: &'a Job,
    pub lane: &'a Lane,
    pub delivered: Delivered,
    /// Time since the message was published.
    pub age: SignedDuration,
    /// The revision of the ended run, if the message asks for a retry of that run.
    pub retry_of: Option<u64>,
    pub worker: &'a WorkerName,
}

/// What the worker does about a message.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    /// Read the run again, from the stream's leader.
    Confirm,
    /// Write this run: the worker claims the job, or the job has failed for good.
    Take(Box<Taking>),
    /// Write this run if all parts of the job are done, otherwise acknowledge the message.
    Join(Box<Taking>),
    /// Ask the owner whether it still runs this attempt.
    Ask(Box<Asking>),
    /// Leave the message to other workers for this time.
    Leave(SignedDuration),
    /// Send the job to the lane where it belongs, and acknowledge the message.
    Forward(Lane),
    /// Acknowledge the message.
    Drop,
}

/// A run to be written.
#[derive(Debug, PartialEq)]
pub(crate) struct Taking {
    pub next: Run,
    /// The revision that the stored run must have; 0 if there must be no run.
    pub expected: u64,
    pub tries: Tries,
    /// Whether to remove a dead letter of the job, because the job is not dead.
    pub revives: bool,
}

/// A question to a job's owner, and the run to be written if the owner is gone.
#[derive(Debug, PartialEq)]
pub(crate) struct Asking {
    pub owner: WorkerName,
    pub attempt: u32,
    /// Whether the broker has delivered the message again since the owner claimed the job. Without such a redelivery
    /// nothing shows that the owner's lease ran out.
    is_newer: bool,
    take_over: Taking,
}

/// Decides by the run that was read; `is_confirmed` says that it was read from the leader.
pub(crate) fn decide(
    message: &Incoming<'_>,
    found: Option<&Versioned>,
    is_confirmed: bool,
    now: Timestamp,
) -> Step {
    let (lane, delivered, worker) = (message.lane, message.delivered, message.worker);
    let take = |next: Run, expected: u64, tries: Tries, revives: bool| Taking {
        next,
        expected,
        tries,
        revives,
    };
    let Some(found) = found else {
        let first = Run::first(message.job.clone(), lane, delivered, worker.clone(), now);
        return Step::Take(take(first, 0, Tries::Endless, false).into());
    };
    let again = found.run.retry(now);
    let again = again.filter(|_| message.retry_of == Some(found.revision));
    let revives = again.is_some();
    let run = again.as_ref().unwrap_or(&found.run);
    match run.on_delivery(lane, delivered, now) {
        Delivery::TakeOver if run.failed_last_on(worker) && message.age < OTHERS_FIRST => {
            Step::Leave(LOOK_AGAIN)
        }
        Delivery::TakeOver => {
            let next = run.take_over(lane, delivered, worker.clone(), now);
            Step::Take(take(next, found.revision, Tries::Endless, revives).into())
        }
        // A replica that lags behind may show an old run. So the run is read from the leader before the message is
        // dropped or forwarded, or an owner is asked.
        Delivery::Ask { .. } | Delivery::Forward(_) | Delivery::Join | Delivery::Drop
            if !is_confirmed =>
        {
            Step::Confirm
        }
        Delivery::Join => {
            let next = run.take_over(lane, delivered, worker.clone(), now);
            Step::Join(take(next, found.revision, Tries::Endless, false).into())
        }
        Delivery::Ask { owner, is_newer } => {
            let next = run.take_over(lane, delivered, worker.clone(), now);
            Step::Ask(Box::new(Asking {
                owner,
                attempt: run.attempt,
                is_newer,
                // After an outage the owner may be back, so the write is tried once only. The owner may have died
                // between the write of its dead letter and of its run.
                take_over: take(next, found.revision, Tries::One, true),
            }))
        }
        Delivery::Leave(wait) => Step::Leave(wait),
        Delivery::Forward(there) => Step::Forward(there),
        Delivery::Drop => Step::Drop,
    }
}

impl Asking {
    /// Decides by the owner's answer.
    pub(crate) fn answered(self, owner: Owner, ack_wait: Duration) -> Step {
        let wait = match owner {
            Owner::Gone if self.is_newer => return Step::Take(self.take_over.into()),
            Owner::Alive => ack_wait,
            Owner::Gone => ack_wait / LEASE_SHARE,
            Owner::Unknown => RECONNECT_GRACE.min(ack_wait / LEASE_SHARE),
        };
        Step::Leave(SignedDuration::try_from(wait).unwrap_or(LOOK_AGAIN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::failure::Failure;
    use crate::job::run::RunState;
    use crate::recipe::Choice;
    use crate::testing;

    const LEASE: Duration = Duration::from_secs(30);

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn name(name: &str) -> WorkerName {
        name.parse().expect("a name")
    }

    fn lane(name: &str) -> Lane {
        Lane::from_consumer(name).expect("a lane")
    }

    fn job() -> Job {
        testing::job(Choice::Encoder("libx265".parse().expect("a name")), 1)
    }

    /// The step of worker `b` for a message of the lane `libx265_p5`.
    fn step(run: Option<Run>, change: impl FnOnce(&mut Incoming<'_>), is_confirmed: bool) -> Step {
        let (job, lane, worker) = (job(), lane("libx265_p5"), name("b"));
        let mut message = Incoming {
            job: &job,
            lane: &lane,
            delivered: Delivered {
                sequence: 1,
                count: 2,
            },
            age: SignedDuration::from_mins(1),
            retry_of: None,
            worker: &worker,
        };
        change(&mut message);
        let found = run.map(|run| Versioned { run, revision: 7 });
        decide(&message, found.as_ref(), is_confirmed, now())
    }

    /// A run that worker `a` owns.
    fn running() -> Run {
        Run::first(job(), &lane("libx265_p5"), 1, name("a"), now())
    }

    fn failed(failure: Failure) -> Run {
        running().fail(failure, SignedDuration::ZERO, now())
    }

    #[test]
    fn a_job_without_a_run_is_taken() {
        let Step::Take(taking) = step(None, |_| {}, false) else {
            panic!("not taken");
        };
        assert_eq!((taking.expected, taking.tries), (0, Tries::Endless));
        assert_eq!(taking.next.worker(), Some(&name("b")));
    }

    #[test]
    fn an_owner_is_asked_only_if_the_leader_confirms_the_run() {
        assert_eq!(step(Some(running()), |_| {}, false), Step::Confirm);
        let ask = || match step(Some(running()), |_| {}, true) {
            Step::Ask(asking) => asking,
            other => panic!("{other:?}"),
        };
        assert_eq!((ask().owner.clone(), ask().attempt), (name("a"), 1));
        let seconds = |seconds| Step::Leave(SignedDuration::from_secs(seconds));
        assert_eq!(ask().answered(Owner::Alive, LEASE), seconds(30));
        assert_eq!(ask().answered(Owner::Unknown, LEASE), seconds(3));
        let Step::Take(taking) = ask().answered(Owner::Gone, LEASE) else {
            panic!("a dead owner keeps the job");
        };
        assert_eq!((taking.expected, taking.tries), (7, Tries::One));
        assert!(taking.revives);
    }

    #[test]
    fn an_overtaken_delivery_takes_no_job_over() {
        let old = |message: &mut Incoming<'_>| message.delivered.count = 1;
        let Step::Ask(asking) = step(Some(running()), old, true) else {
            panic!("the owner is not asked");
        };
        let left = Step::Leave(SignedDuration::from_secs(10));
        assert_eq!(asking.answered(Owner::Gone, LEASE), left);
    }

    #[test]
    fn a_worker_leaves_a_job_that_it_failed_to_others_for_a_while() {
        let run = || Some(failed(Failure::worker("no memory")));
        let own = name("a");
        let young = SignedDuration::from_secs(1);
        let by = |age| {
            let own = &own;
            move |message: &mut Incoming<'_>| {
                message.delivered.sequence = 2;
                message.age = age;
                assert_ne!(message.worker, own);
            }
        };
        assert!(matches!(step(run(), by(young), false), Step::Take(_)));
        let (job, lane) = (job(), lane("libx265_p5"));
        let message = Incoming {
            job: &job,
            lane: &lane,
            delivered: Delivered::from(2),
            age: young,
            retry_of: None,
            worker: &own,
        };
        let found = Versioned {
            run: failed(Failure::worker("no memory")),
            revision: 7,
        };
        let step = decide(&message, Some(&found), true, now());
        assert_eq!(step, Step::Leave(LOOK_AGAIN));
    }

    #[test]
    fn an_ended_job_is_dropped_unless_a_retry_of_this_revision_is_asked_for() {
        let ended = || Some(failed(Failure::input("no picture")));
        assert!(matches!(
            ended().expect("a run").state,
            RunState::Failed { .. }
        ));
        assert_eq!(step(ended(), |_| {}, false), Step::Confirm);
        assert_eq!(step(ended(), |_| {}, true), Step::Drop);
        let stale = |message: &mut Incoming<'_>| message.retry_of = Some(6);
        assert_eq!(step(ended(), stale, true), Step::Drop);
        let asked = |message: &mut Incoming<'_>| message.retry_of = Some(7);
        let Step::Take(taking) = step(ended(), asked, false) else {
            panic!("not tried again");
        };
        assert!(taking.revives, "its dead letter goes");
        assert_eq!((taking.next.attempt, taking.next.spent()), (2, 1));
    }

    #[test]
    fn a_moved_job_is_forwarded_to_its_lane() {
        let moved = Run::unclaimed(job(), &lane("libx265_p9"), now());
        assert_eq!(step(Some(moved.clone()), |_| {}, false), Step::Confirm);
        let there = Step::Forward(lane("libx265_p9"));
        assert_eq!(step(Some(moved), |_| {}, true), there);
    }
}
