//! Publishes the heartbeat of this worker, every few seconds and after each change.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::broker::{Broker, BrokerError, Clock, HEARTBEAT};
use common::farm::card::Capabilities;
use common::farm::places::Places;
use common::farm::worker::{Away, Heartbeat, Load, Terms, WorkerStatus};
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::report::availability::Availability;
use crate::report::load::LoadGauge;

/// Changes within this time share one heartbeat.
const TOGETHER: Duration = Duration::from_millis(200);

/// The part of the heartbeat that is fixed when the worker starts, or that other tasks update.
pub struct Profile {
    pub name: WorkerName,
    pub slots: u32,
    pub terms: Terms,
    pub places: Places,
    pub card: watch::Receiver<Arc<Capabilities>>,
    pub away: watch::Receiver<Vec<Away>>,
}

/// Publishes heartbeats. Shared by all tasks of a worker.
pub struct Heartbeater {
    profile: Profile,
    started: Timestamp,
    clock: Clock,
    load: LoadGauge,
    state: Mutex<State>,
    changed: Notify,
}

/// The part of the heartbeat that this module updates.
struct State {
    availability: Availability,
    running: BTreeSet<JobId>,
}

impl Heartbeater {
    /// The heartbeater of a ready worker without jobs, whose scratch files lie in the folder `scratch`.
    pub fn new(profile: Profile, scratch: &Path, clock: Clock) -> Self {
        Self {
            profile,
            started: clock.now(),
            clock,
            load: LoadGauge::of(scratch),
            state: Mutex::new(State {
                availability: Availability {
                    status: WorkerStatus::Ready,
                    note: None,
                    until: None,
                },
                running: BTreeSet::new(),
            }),
            changed: Notify::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the availability in the next heartbeats.
    pub fn announce(&self, availability: Availability) {
        let mut state = self.state();
        if state.availability != availability {
            state.availability = availability;
            self.changed.notify_one();
        }
    }

    /// Counts a job as running until the guard is dropped.
    pub fn running(self: &Arc<Self>, job: JobId) -> Running {
        self.state().running.insert(job);
        self.changed.notify_one();
        Running {
            heartbeater: Arc::clone(self),
            job,
        }
    }

    /// Whether this worker would take another job now.
    pub fn has_free_slot(&self) -> bool {
        let state = self.state();
        state.availability.status == WorkerStatus::Ready
            && state.running.len() < self.profile.slots as usize
    }

    fn heartbeat(&self, load: Load) -> Heartbeat {
        let state = self.state();
        let profile = &self.profile;
        Heartbeat {
            name: profile.name.clone(),
            status: state.availability.status,
            note: state.availability.note.clone(),
            until: state.availability.until,
            terms: profile.terms.clone(),
            started: self.started,
            at: self.clock.now(),
            slots: profile.slots,
            running: state.running.iter().copied().collect(),
            load,
            card: Capabilities::clone(&profile.card.borrow()),
            places: profile.places.clone(),
            away: profile.away.borrow().clone(),
            clock_ahead: self.clock.ahead().as_secs_f64(),
        }
    }

    /// The state of this worker and its machine now.
    pub async fn current(&self) -> Heartbeat {
        self.heartbeat(self.load.read().await)
    }

    /// Publishes the first heartbeat, unless another one was published under the worker's name since `last_heard`.
    /// Returns whether it was published.
    ///
    /// # Errors
    /// If the broker gives no answer.
    pub async fn begin(&self, broker: &Broker, last_heard: u64) -> Result<bool, BrokerError> {
        let heartbeat = self.current().await;
        broker.take_name(&heartbeat, last_heard).await
    }

    /// Publishes a heartbeat every few seconds, and soon after each change, until `stop` is cancelled. Then signs
    /// off.
    pub async fn run(&self, broker: &Broker, stop: CancellationToken) {
        let mut reported = SignedDuration::ZERO;
        let mut away = self.profile.away.clone();
        while !stop.is_cancelled() {
            reported = warn_of_clock(self.clock.ahead(), reported);
            let heartbeat = self.current().await;
            if let Err(error) = broker.heartbeat(&heartbeat).await {
                tracing::warn!(%error, "no heartbeat reached the broker");
            }
            tokio::select! {
                () = tokio::time::sleep(HEARTBEAT) => {}
                () = self.changed.notified() => tokio::time::sleep(TOGETHER).await,
                Ok(()) = away.changed() => tokio::time::sleep(TOGETHER).await,
                () = stop.cancelled() => {}
            }
        }
        if let Err(error) = broker.sign_off(&self.profile.name).await {
            tracing::debug!(%error, "could not sign off; the heartbeat will run out");
        }
    }
}

/// Warns if this machine's clock is wrong and this differs from the `reported` error by more than
/// [`Heartbeat::CLOCK_OFF`]. Returns the error that was reported last.
fn warn_of_clock(ahead: SignedDuration, reported: SignedDuration) -> SignedDuration {
    if (ahead - reported).abs() <= Heartbeat::CLOCK_OFF {
        return reported;
    }
    if ahead.abs() <= Heartbeat::CLOCK_OFF {
        tracing::info!("this machine's clock is right again");
        return SignedDuration::ZERO;
    }
    let off = ahead.abs().as_secs_f64().round();
    let side = if ahead.is_positive() {
        "ahead of"
    } else {
        "behind"
    };
    tracing::warn!(
        "this machine's clock is {off} s {side} the broker's, by which the farm goes: \
         set it right (by NTP), as file times and certificates depend on it"
    );
    ahead
}

/// Counts a job as running until this is dropped.
pub struct Running {
    heartbeater: Arc<Heartbeater>,
    job: JobId,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.heartbeater.state().running.remove(&self.job);
        self.heartbeater.changed.notify_one();
    }
}
