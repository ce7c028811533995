//! The broker's clock, by which the farm measures time.
//!
//! The clocks of machines disagree, by an hour if a clock was set to the wrong time zone. So times that the broker
//! stores, schedules or is compared with are taken from its clock: its time is asked for, and counted on from there
//! by a monotonic clock.

use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::json;

use crate::broker::BrokerError;
use crate::broker::nats::Nats;
use crate::names::subject;
use crate::names::subject::CONTROL;

/// The broker is asked for its time at this interval.
const OFTEN: Duration = Duration::from_secs(60);
/// How often to check whether this machine's clock was set or the machine slept, or the client has reconnected; then
/// the broker is asked at once.
const LOOK: Duration = Duration::from_secs(5);
/// This machine's clock counts as set if it has moved by this much more or less than the monotonic clock.
const SET: SignedDuration = SignedDuration::from_secs(1);
/// An answer that took longer says little about the time.
const SLOW: Duration = Duration::from_secs(2);

/// A clock that follows the broker's clock; this machine's clock until the broker has told its time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Arc<RwLock<Option<Reading>>>);

/// The broker's time at an instant.
#[derive(Clone, Copy, Debug)]
struct Reading {
    at: Instant,
    broker: Timestamp,
    /// This machine's time at that instant.
    local: Timestamp,
}

impl Reading {
    fn on(time: Timestamp, by: Duration) -> Timestamp {
        time.checked_add(by).unwrap_or(Timestamp::MAX)
    }

    /// Whether this machine's clock was set since.
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

    /// By how much this machine's clock is ahead of the broker's; negative if it is behind.
    pub fn ahead(&self) -> SignedDuration {
        Timestamp::now().duration_since(self.now())
    }

    /// Takes over a time that the broker told between two instants.
    fn heard(&self, broker: Timestamp, asked: Instant, answered: Instant) {
        let took = answered.saturating_duration_since(asked);
        if took > SLOW && self.reading().is_some() {
            return;
        }
        // The answer is assumed to have taken as long as the question.
        let reading = Reading {
            at: answered,
            broker: Reading::on(broker, took / 2),
            local: Timestamp::now(),
        };
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(reading);
    }
}

/// An answer of the broker with its time.
#[derive(Deserialize)]
struct Dated {
    ts: Timestamp,
}

impl Nats {
    /// Asks the broker for its time; fails with [`NoStream`](crate::broker::RequestFailure::NoStream) if there is no
    /// farm.
    pub(crate) async fn ask_time(&self) -> Result<(), BrokerError> {
        ask(self, &self.clock).await
    }

    /// Asks for the time again and again, for as long as the clock has a reader.
    pub(crate) fn keep_time(&self) {
        let clock = Arc::downgrade(&self.clock.0);
        // The task must not keep its own clock alive.
        let nats = Self {
            clock: Clock::default(),
            ..self.clone()
        };
        tokio::spawn(keep(nats, clock));
    }
}

async fn ask(nats: &Nats, clock: &Clock) -> Result<(), BrokerError> {
    let asked = Instant::now();
    // The information of a small stream that every role may read.
    let verb = format!("STREAM.INFO.{}", subject::bucket(CONTROL));
    let dated: Dated = nats.api("asking for the time", verb, &json!({})).await?;
    clock.heard(dated.ts, asked, Instant::now());
    Ok(())
}

/// Asks again each minute, after each reconnect, and after this machine's clock was set.
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
    fn the_time_is_the_brokers_with_any_local_clock() {
        let clock = Clock::default();
        let second = SignedDuration::from_secs(1);
        assert!(clock.ahead().abs() < second, "nothing else is known");
        let hour = SignedDuration::from_hours(1);
        let now = Instant::now();
        clock.heard(Timestamp::now() + hour, now, now);
        let is_an_hour_behind = || (clock.ahead() + hour).abs() < second;
        assert!(is_an_hour_behind(), "{}", clock.ahead());
        let off = clock.now().duration_since(Timestamp::now()) - hour;
        assert!(off.abs() < second, "{off}");
        // A slow answer counts only if there is no better one.
        clock.heard(Timestamp::UNIX_EPOCH, now, now + SLOW * 2);
        assert!(is_an_hour_behind(), "{}", clock.ahead());
    }
}
