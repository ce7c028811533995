//! The broker's clock, by which everything in the farm is timed.
//!
//! Machines' clocks disagree, by an hour where somebody has set a time zone for
//! a clock. What is compared with, stored on or scheduled by the broker is timed
//! by its clock: its time is asked for, and counted on from there by a clock
//! that nobody sets.

use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use crate::broker::BrokerError;
use crate::broker::nats::Nats;
use crate::names::subject;
use crate::names::subject::CONTROL;

/// The broker is asked for its time this often,
const OFTEN: Duration = Duration::from_secs(60);
/// or where this machine's clock was set, or the machine slept, which is looked at
/// this often.
const LOOK: Duration = Duration::from_secs(5);
/// This machine's clock was set where it has moved by so much more than time has passed.
const SET: SignedDuration = SignedDuration::from_secs(1);
/// An answer that took longer says little about the time.
const SLOW: Duration = Duration::from_secs(2);

/// A clock that goes as the broker's does; as this machine's where the broker
/// has not said its time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<RwLock<Option<Reading>>>);

/// The broker's time at an instant.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    broker: Timestamp,
    /// What this machine's clock said then.
    local: Timestamp,
}

impl Reading {
    fn on(time: Timestamp, by: Duration) -> Timestamp {
        time.checked_add(by).unwrap_or(Timestamp::MAX)
    }

    /// Whether this machine's clock has gone on otherwise than time has.
    fn is_upset(&self) -> bool {
        let expected = Self::on(self.local, self.at.elapsed());
        Timestamp::now().duration_since(expected).abs() > SET
    }
}

impl Clock {
    fn reading(&self) -> Option<Reading> {
        *self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time by the broker's clock.
    pub fn now(&self) -> Timestamp {
        self.reading().map_or_else(Timestamp::now, |reading| {
            Reading::on(reading.broker, reading.at.elapsed())
        })
    }

    /// Seconds by which this machine's clock is ahead of the broker's; negative
    /// where it is behind.
    pub fn ahead(&self) -> f64 {
        Timestamp::now().duration_since(self.now()).as_secs_f64()
    }

    /// The broker said its time between two instants.
    fn heard(&self, broker: Timestamp, asked: Instant, answered: Instant) {
        let took = answered.saturating_duration_since(asked);
        if took > SLOW && self.reading().is_some() {
            return;
        }
        // As likely as not the answer took as long as the question.
        let reading = Reading {
            at: answered,
            broker: Reading::on(broker, took / 2),
            local: Timestamp::now(),
        };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }
}

/// An answer of the broker that says when it was given.
#[derive(Deserialize)]
struct Dated {
    ts: Timestamp,
}

impl Nats {
    /// Asks the broker for its time. Where there is no farm, the broker says so
    /// instead.
    pub(crate) async fn ask_time(&self) -> Result<(), BrokerError> {
        ask(self, &self.clock).await
    }

    /// Keeps asking for the time for as long as anybody reads the clock.
    pub(crate) fn keep_time(&self) {
        let clock = Arc::downgrade(&self.clock.0);
        // The clock must not keep itself.
        let nats = Self {
            clock: Clock::default(),
            ..self.clone()
        };
        tokio::spawn(keep(nats, clock));
    }
}

async fn ask(nats: &Nats, clock: &Clock) -> Result<(), BrokerError> {
    let asked = Instant::now();
    // Of a small stream, and one that all programs may look at.
    let verb = format!("STREAM.INFO.{}", subject::bucket(CONTROL));
    let dated: Dated = nats.api("asking for the time", verb, &json!({})).await?;
    clock.heard(dated.ts, asked, Instant::now());
    Ok(())
}

/// Asks again each minute, after each connection, and where this machine's clock
/// was set.
async fn keep(nats: Nats, clock: Weak<RwLock<Option<Reading>>>) {
    let mut connected = nats.link.since();
    let mut next = Instant::now() + OFTEN;
    loop {
        tokio::time::sleep(LOOK).await;
        let Some(clock) = clock.upgrade().map(Clock) else {
            return;
        };
        let since = nats.link.since();
        let is_upset = clock.reading().is_none_or(|reading| reading.is_upset());
        if since.is_none() || (since == connected && !is_upset && Instant::now() < next) {
            continue;
        }
        match ask(&nats, &clock).await {
            Ok(()) => {
                connected = since;
                next = Instant::now() + OFTEN;
            }
            Err(error) => tracing::debug!(%error, "the broker does not say what time it is"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_the_brokers_whatever_this_machines_clock_says() {
        let clock = Clock::default();
        assert!(clock.ahead().abs() < 1.0, "nothing else is known");
        let hour = SignedDuration::from_hours(1);
        let now = Instant::now();
        clock.heard(Timestamp::now() + hour, now, now);
        assert!((clock.ahead() + 3600.0).abs() < 1.0, "{}", clock.ahead());
        let off = clock.now().duration_since(Timestamp::now()) - hour;
        assert!(off.abs() < SignedDuration::from_secs(1), "{off}");
        // One that took long is believed only where nothing better is known.
        clock.heard(Timestamp::UNIX_EPOCH, now, now + SLOW * 2);
        assert!((clock.ahead() + 3600.0).abs() < 1.0, "{}", clock.ahead());
    }
}
