//! What the rules hear of, and what they want done.

use std::collections::BTreeSet;

use common::broker::PollEffort;
use common::farm::orders::Orders;
use common::farm::queue::{Lane, Queue};
use common::job::id::JobId;
use common::recipe::encoder::Encoder;
use jiff::Timestamp;
use tokio::time::Instant;

use crate::report::availability::Availability;
use crate::work::AttemptEnd;

/// The time of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    /// By a clock that never jumps.
    pub(crate) at: Instant,
    /// By the broker's clock.
    pub(crate) utc: Timestamp,
    /// From 0 to 1, different each time: workers must not poll in step.
    pub(crate) chance: f64,
}

/// The broker gave no answer; the log says why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoAnswer;

/// One of the jobs that run, by a number that is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(pub(super) u64);

/// One proof encode, or one try to end a quarantine, by a number that is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProofId(pub(super) u64);

/// A job that a poll has claimed.
#[derive(Clone, Debug)]
pub(crate) struct Claimed<J> {
    pub(crate) job: J,
    /// Whether a worker has failed over the job before, or vanished with it.
    pub(crate) is_suspect: bool,
}

/// Whether there is work in a worker's lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activity {
    /// Whether jobs wait there or are held by anyone.
    pub(crate) has_work: bool,
    /// The shortest lease of these lanes.
    pub(crate) lease: Option<std::time::Duration>,
}

/// Something happened.
#[derive(Clone, Debug)]
pub(crate) enum Event<J> {
    /// A wake-up arrived, for a job of this lane where it says so.
    Wakeup(Option<Lane>),
    LaneMade(Lane),
    /// The end of [`Action::OpenLanes`].
    LanesOpened(Result<Vec<Lane>, NoAnswer>),
    /// The end of [`Action::Search`], with every lane that is known by then.
    SearchDone(Result<Vec<Lane>, NoAnswer>),
    /// The end of [`Action::Poll`].
    PollDone(Result<Vec<Claimed<J>>, NoAnswer>),
    /// The end of [`Action::CheckActivity`].
    ActivityChecked(Result<Activity, NoAnswer>),
    /// The end of [`Action::Listen`].
    Listening(Result<(), NoAnswer>),
    /// A job has left its slot; `None` where its task died.
    JobEnded(Slot, Option<(JobId, AttemptEnd)>),
    /// The end of [`Action::Prove`] or [`Action::ProveAgain`], with the queues that the worker can serve by now.
    Proved {
        proof: ProofId,
        outcome: Result<(), String>,
        queues: Vec<Queue>,
    },
    OrdersChanged(Orders),
    /// A store or folder went away or came back.
    PlacesChanged,
    /// A person asks to end the quarantine.
    LiftAsked,
    /// What others said while the connection was lost was not heard.
    Reconnected,
    /// It is time for something.
    Tick,
    Shutdown {
        is_connected: bool,
    },
}

/// Something is to be done. Nothing of it is awaited.
#[derive(Clone, Debug)]
pub(crate) enum Action<J> {
    /// Claim up to `free` jobs of these lanes.
    Poll {
        lanes: Vec<Lane>,
        free: usize,
        wake: WakeLanes,
    },
    /// The poll under way is to end soon.
    Hurry(PollEffort),
    /// Find out whether jobs wait or are held in these lanes.
    CheckActivity(Vec<Lane>),
    /// Join the queue groups of these queues' wake-ups.
    Listen(Vec<Queue>),
    /// Leave the queue groups, and pass on what still arrives.
    StopListening,
    /// Make these lanes known.
    OpenLanes(Vec<Lane>),
    Search(Search),
    Start(Slot, J),
    Release(J),
    /// Make a proof encode with each of these encoders.
    Prove(ProofId, Vec<Encoder>),
    /// Prove all encoders again, then make a proof encode with each of these.
    ProveAgain(ProofId, Vec<Encoder>),
    /// The proof under way decides nothing any more.
    AbandonProof,
    /// Tell the person who asked whether there was a quarantine.
    AnswerLift {
        was_quarantined: bool,
    },
    Announce(Availability),
    /// Running jobs that cannot end by then are to be released.
    StopJobs(Instant),
}

/// A search for lanes that nobody told of.
#[derive(Clone, Debug)]
pub(crate) enum Search {
    /// Find every lane of these queues, and make those in which jobs wait.
    All(Vec<Queue>),
    /// Find those of these queues that are not known, and mend those that are.
    More(Vec<Queue>),
}

/// Lanes that the worker had left to others, and that are to be polled all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WakeLanes {
    /// What was declined before may not be any more.
    pub(crate) is_all: bool,
    /// Jobs were published there.
    pub(crate) lanes: BTreeSet<Lane>,
}
