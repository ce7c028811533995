//! The loop: passes each event to the rules and carries out the actions that they return. The loop awaits nothing but
//! the next event, and shutdown comes before every other event.

mod actions;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::connection::State;
use common::broker::{Broker, BrokerError};
use common::farm::hours::Hours;
use jiff::tz::TimeZone;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::dispatch::Limits;
use crate::dispatch::admission::Admission;
use crate::dispatch::core::availability::WorkingHours;
use crate::dispatch::core::event::{Event, Now};
use crate::dispatch::core::health::Health;
use crate::dispatch::core::{Core, Settings};
use crate::dispatch::dispatcher::actions::ActionRunner;
use crate::dispatch::sources::Sources;
use crate::report::heartbeat::Heartbeater;
use crate::work::Work;

/// Fills the slots of one worker.
pub struct Dispatcher<W> {
    pub broker: Broker,
    /// Executes jobs.
    pub work: Arc<W>,
    /// Decides which jobs are claimed.
    pub admission: Arc<Admission>,
    /// Publishes the worker's availability.
    pub heartbeater: Arc<Heartbeater>,
    /// The folder for temporary files.
    pub scratch: PathBuf,
    /// Working hours, in this machine's time zone.
    pub hours: Option<Hours>,
    /// The most jobs at once.
    pub slots: usize,
    /// Failed jobs in a row that lead to a proof encode; 0 means never.
    pub quarantine_after: usize,
    /// The length of the first rest.
    pub quarantine_rest: Duration,
    /// How long a stopping worker may finish running jobs.
    pub drain_timeout: Duration,
    /// When the worker ends by itself.
    pub limits: Limits,
}

impl<W: Work> Dispatcher<W> {
    /// Works until `shutdown` is cancelled or its limits are reached, then drains: jobs that end in time are finished, the others are released.
    ///
    /// # Errors
    /// The broker refuses a request at the start. Later failures are retried.
    pub async fn run(self, shutdown: CancellationToken) -> Result<(), BrokerError> {
        let controls = self.admission.controls.clone();
        let away = self.admission.reach.away();
        let name = self.admission.name.clone();
        let mut sources = Sources::open(&self.broker, &name, controls, away).await?;
        let settings = Settings {
            working_hours: WorkingHours {
                name,
                hours: self.hours.clone(),
                zone: TimeZone::system(),
            },
            slots: self.slots,
            drain_timeout: self.drain_timeout,
            limits: self.limits,
        };
        let now = self.now();
        let health = Health::new(self.quarantine_after, self.quarantine_rest);
        let queues = self.admission.queues();
        let mut core = Core::new(settings, health, sources.controls(), queues, &now);
        let mut runner = ActionRunner::new(self);
        let mut event = Some(Event::Tick);
        loop {
            if let Some(event) = event.take() {
                for action in core.next(&runner.now(), event) {
                    runner.carry_out(action, &mut sources);
                }
            }
            if core.is_finished() && runner.is_idle() {
                break;
            }
            let wake = core.wake_at(&runner.now());
            event = tokio::select! {
                biased;
                () = shutdown.cancelled(), if !core.is_stopping() => {
                    tracing::info!(running = core.running(), "stopping: no new jobs");
                    let is_connected = runner.is_connected();
                    Some(Event::Shutdown { is_connected })
                }
                () = at(runner.give_up()) => break,
                done = runner.next() => runner.ended(done, &mut sources),
                told = sources.next() => Some(told),
                () = at(wake) => Some(Event::Tick),
            };
        }
        runner.finish(core.running()).await;
        Ok(())
    }

    pub(super) fn is_connected(&self) -> bool {
        self.broker.client().connection_state() == State::Connected
    }

    pub(super) fn now(&self) -> Now {
        let (random, _) = uuid::Uuid::new_v4().as_u64_pair();
        Now {
            at: Instant::now(),
            utc: self.broker.now(),
            chance: random as f64 / u64::MAX as f64,
        }
    }
}

/// Returns at `time`; never if it is `None`.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
