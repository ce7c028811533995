//! The events that the rules receive, and the actions that they return.

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
    /// A random number from 0 to 1, which keeps workers from polling in step.
    pub(crate) chance: f64,
}

/// The broker gave no answer; the log says why.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoAnswer;

/// The number of a running job; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot(pub(super) u64);

/// The number of a proof encode, or of a try to end a quarantine; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProofId(pub(super) u64);

/// A job that a poll has claimed.
#[derive(Clone, Debug)]
pub(crate) struct Claimed<J> {
    pub(crate) job: J,
    /// Whether a worker has failed or vanished with the job before.
    pub(crate) is_suspect: bool,
}

/// Whether there is work in a worker's lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Activity {
    /// Whether jobs wait there or run.
    pub(crate) has_work: bool,
    /// The shortest lease of these lanes.
    pub(crate) lease: Option<std::time::Duration>,
}

/// An event.
#[derive(Clone, Debug)]
pub(crate) enum Event<J> {
    /// A wake-up arrived; it may name the lane of the job.
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
    /// A job has left its slot; `None` if its task panicked.
    JobEnded(Slot, Option<(JobId, AttemptEnd)>),
    /// The end of [`Action::Prove`] or [`Action::ProveAgain`], with the queues that the worker can serve from now on.
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
    /// The connection is back; messages were missed meanwhile.
    Reconnected,
    /// A time of [`Core::wake_at`](super::Core::wake_at) has come.
    Tick,
    Shutdown {
        is_connected: bool,
    },
}

/// An action. The rules wait for none of them.
#[derive(Clone, Debug)]
pub(crate) enum Action<J> {
    /// Claim up to `free` jobs of these lanes.
    Poll {
        lanes: Vec<Lane>,
        free: usize,
        wake: WakeLanes,
    },
    /// Make the poll under way end soon.
    Hurry(PollEffort),
    /// Find out whether jobs wait or run in these lanes.
    CheckActivity(Vec<Lane>),
    /// Join the queue groups of these queues' wake-ups.
    Listen(Vec<Queue>),
    /// Leave the queue groups, and pass on the wake-ups that still arrive.
    StopListening,
    /// Open these lanes.
    OpenLanes(Vec<Lane>),
    Search(Search),
    Start(Slot, J),
    Release(J),
    /// Make a proof encode with each of these encoders.
    Prove(ProofId, Vec<Encoder>),
    /// Prove all encoders again, then make a proof encode with each of these.
    ProveAgain(ProofId, Vec<Encoder>),
    /// Abort the proof under way: its result is not needed any more.
    AbandonProof,
    /// Tell the person who asked whether there was a quarantine.
    AnswerLift {
        was_quarantined: bool,
    },
    Announce(Availability),
    /// Release the running jobs that cannot end by this time.
    StopJobs(Instant),
}

/// A search for lanes whose announcement was missed.
#[derive(Clone, Debug)]
pub(crate) enum Search {
    /// Find every lane of these queues, and create the lanes in which jobs wait.
    All(Vec<Queue>),
    /// Find the unknown lanes of these queues, and repair the known ones.
    More(Vec<Queue>),
}

/// Lanes to poll although they rest after declined jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct WakeLanes {
    /// All lanes: jobs that were declined before may be admitted now.
    pub(crate) is_all: bool,
    /// Lanes in which jobs were published.
    pub(crate) lanes: BTreeSet<Lane>,
}
