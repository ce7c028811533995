//! What the farm hears of this worker: its heartbeat and its jobs' progress.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use common::broker::{Broker, BrokerError, Clock, HEARTBEAT};
use common::farm::card::Capabilities;
use common::farm::places::Places;
use common::farm::worker::{Away, Heartbeat, Load, Terms, WorkerStatus};
use common::farm::worker_name::WorkerName;
use common::job::id::JobId;
use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

use crate::reach::Reach;
use crate::report::availability::Availability;
use crate::report::load::Meter;

/// Changes within this time go out as one heartbeat.
const CHANGES: Duration = Duration::from_millis(200);

/// A clock that is off by more seconds is told of.
const CLOCK_OFF: f64 = 5.0;

/// What changes about a worker while it lives; shared by all its tasks.
pub struct Heartbeater {
    name: WorkerName,
    slots: u32,
    card: watch::Receiver<Arc<Capabilities>>,
    terms: Terms,
    places: Places,
    started: Timestamp,
    clock: Clock,
    scratch: std::path::PathBuf,
    away: watch::Receiver<Vec<Away>>,
    now: Mutex<Now>,
    changed: Notify,
}

struct Now {
    availability: Availability,
    running: BTreeSet<JobId>,
}

impl Heartbeater {
    /// A ready worker without jobs.
    pub fn new(
        name: WorkerName,
        slots: u32,
        terms: Terms,
        card: watch::Receiver<Arc<Capabilities>>,
        scratch: &std::path::Path,
        clock: Clock,
        reach: &Reach,
    ) -> Self {
        Self {
            name,
            slots,
            terms,
            places: reach.allowed(),
            card,
            started: clock.now(),
            clock,
            scratch: scratch.to_owned(),
            away: reach.away(),
            now: Mutex::new(Now {
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

    fn change(&self, change: impl FnOnce(&mut Now)) {
        change(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_one();
    }

    /// Whether it takes jobs now.
    pub fn stand(&self, availability: &Availability) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if now.availability != *availability {
            now.availability = availability.clone();
            self.changed.notify_one();
        }
    }

    /// The process is stopping.
    pub fn stop(&self) {
        self.stand(&Availability {
            status: WorkerStatus::Draining,
            note: Some("it is stopping".to_owned()),
            until: None,
        });
    }

    /// It runs one job more until the guard is dropped.
    pub fn running(self: &Arc<Self>, job: JobId) -> Running {
        self.change(|now| {
            now.running.insert(job);
        });
        Running {
            heartbeater: Arc::clone(self),
            job,
        }
    }

    fn heartbeat(&self, load: Load) -> Heartbeat {
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        Heartbeat {
            name: self.name.clone(),
            status: now.availability.status,
            note: now.availability.note.clone(),
            until: now.availability.until,
            terms: self.terms.clone(),
            started: self.started,
            at: self.clock.now(),
            slots: self.slots,
            running: now.running.iter().copied().collect(),
            load,
            card: Capabilities::clone(&self.card.borrow()),
            places: self.places.clone(),
            away: self.away.borrow().clone(),
            clock_ahead: self.clock.ahead(),
        }
    }

    /// Says for the first time that the worker lives, where nothing was heard
    /// under its name since; tells whether that was so.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn begin(&self, broker: &Broker, last_heard: u64) -> Result<bool, BrokerError> {
        let load = Meter::new(&self.scratch).read();
        broker.take_name(&self.heartbeat(load), last_heard).await
    }

    /// Says every few seconds, and soon after each change, that the worker
    /// lives, until told to stop; then signs off.
    pub async fn announce(&self, broker: &Broker, stop: CancellationToken) {
        let mut meter = Meter::new(&self.scratch);
        let mut told = 0.0;
        let mut away = self.away.clone();
        loop {
            told = tell_of_clock(self.clock.ahead(), told);
            if let Err(error) = broker.heartbeat(&self.heartbeat(meter.read())).await {
                tracing::warn!(%error, "no heartbeat reached the broker");
            }
            tokio::select! {
                () = tokio::time::sleep(HEARTBEAT) => {}
                () = self.changed.notified() => tokio::time::sleep(CHANGES).await,
                Ok(()) = away.changed() => tokio::time::sleep(CHANGES).await,
                () = stop.cancelled() => break,
            }
        }
        if let Err(error) = broker.sign_off(&self.name).await {
            tracing::debug!(%error, "could not sign off; the heartbeat will run out");
        }
    }
}

/// Warns of a clock that is so many seconds ahead of the broker's, where that is
/// much, and much else than what was told before; says what was told last.
fn tell_of_clock(ahead: f64, told: f64) -> f64 {
    if (ahead - told).abs() <= CLOCK_OFF {
        return told;
    }
    let off = ahead.abs().round();
    if ahead.abs() <= CLOCK_OFF {
        tracing::info!("this machine's clock is right again");
        return 0.0;
    }
    let side = if ahead > 0.0 { "ahead of" } else { "behind" };
    tracing::warn!(
        "this machine's clock is {off} s {side} the broker's, by which the farm goes: \
         set it right (by NTP), as file times and certificates depend on it"
    );
    ahead
}

/// A job that counts as running while this lives.
pub struct Running {
    heartbeater: Arc<Heartbeater>,
    job: JobId,
}

impl Drop for Running {
    fn drop(&mut self) {
        let job = self.job;
        self.heartbeater.change(|now| {
            now.running.remove(&job);
        });
    }
}
