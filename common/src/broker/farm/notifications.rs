//! What hooks are told: deliveries, each written by compare-and-set, so that of several monitors one sends.

use std::collections::HashMap;
use std::time::Duration;

use async_nats::header::NATS_MESSAGE_TTL;

use crate::broker::nats::direct::Stored;
use crate::broker::nats::message::Message;
use crate::broker::{Broker, BrokerError};
use crate::names::subject;
use crate::names::subject::{DELIVERIES, HOOK_HEALTHS, NOTIFICATIONS, NOTIFIED_RUNS};
use crate::names::token::Token;
use crate::notify::delivery::{Answer, Delivery, DeliveryKey, HookHealth};
use crate::wire;

/// How long a delivery is known. An occurrence is tried for a day; by the rest, a monitor that starts later knows what
/// was told.
const KNOWN: Duration = Duration::from_secs(4 * 24 * 3600);
/// Deliveries of one request.
const PAGE: usize = 500;

/// A delivery as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDelivery {
    /// Its address.
    pub key: DeliveryKey,
    /// The delivery.
    pub delivery: Delivery,
    /// The revision of its stored form.
    pub revision: u64,
}

impl Broker {
    /// Stores a new delivery. `None` if there is one already: another monitor was first.
    pub async fn create_delivery(
        &self,
        key: &DeliveryKey,
        delivery: &Delivery,
    ) -> Result<Option<u64>, BrokerError> {
        self.write_delivery(key, delivery, 0).await
    }

    /// Writes a delivery if it has this revision; returns the new one. `None` if another monitor wrote first.
    pub async fn write_delivery(
        &self,
        key: &DeliveryKey,
        delivery: &Delivery,
        revision: u64,
    ) -> Result<Option<u64>, BrokerError> {
        let subject = subject::kv(NOTIFICATIONS, &subject::delivery(key));
        let message = Message::new(subject, wire::encode(delivery))
            .with(NATS_MESSAGE_TTL, format!("{}s", KNOWN.as_secs()))
            .after(revision);
        let what = format!("writing what the hook {} is told", key.hook);
        match self.nats.store(&what, message).await {
            Ok(revision) => Ok(Some(revision)),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Deliveries that were written since the sequence `from`, oldest first, and the sequence from which to go on.
    pub async fn deliveries_since(
        &self,
        from: u64,
    ) -> Result<(Vec<StoredDelivery>, u64), BrokerError> {
        let prefix = subject::kv(NOTIFICATIONS, DELIVERIES);
        let stream = subject::bucket(NOTIFICATIONS);
        let page = self
            .nats
            .page(&stream, &format!("{prefix}>"), from, PAGE)
            .await?;
        let next = page.last().map_or(from, |last| last.sequence + 1);
        let read = |stored: &Stored| {
            Some(StoredDelivery {
                key: subject::delivery_of_key(stored.subject.strip_prefix(&prefix)?)?,
                delivery: self.nats.read(stored)?,
                revision: stored.sequence,
            })
        };
        let written = page.iter().filter(|stored| !stored.is_marker);
        Ok((written.filter_map(read).collect(), next))
    }

    /// How each hook has been lately.
    pub async fn hook_healths(&self) -> Result<HashMap<Token, HookHealth>, BrokerError> {
        let healths = match self.nats.values(NOTIFICATIONS, HOOK_HEALTHS).await {
            // A farm that was set up by older programs.
            Err(_) if self.nats.lacks(&subject::bucket(NOTIFICATIONS)).await => Vec::new(),
            healths => healths?,
        };
        let named = healths
            .into_iter()
            .filter_map(|kept| Some((kept.key.parse().ok()?, kept.value)));
        Ok(named.collect())
    }

    /// Notes what became of an attempt at a hook.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn note_answer(&self, hook: &Token, answer: &Answer) -> Result<(), BrokerError> {
        let known = self.hook_healths().await?.remove(hook).unwrap_or_default();
        self.note_health(hook, &known.noted(answer, self.now()))
            .await
    }

    /// Notes that messages to a hook were dropped: too many wait.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub async fn note_dropped(&self, hook: &Token, messages: u64) -> Result<(), BrokerError> {
        let known = self.hook_healths().await?.remove(hook).unwrap_or_default();
        self.note_health(hook, &known.dropping(messages, self.now()))
            .await
    }

    /// Notes how a hook was. Of two monitors, the last one's word stays: it is for people only.
    async fn note_health(&self, hook: &Token, health: &HookHealth) -> Result<(), BrokerError> {
        let what = format!("noting how the hook {hook} is");
        let (key, value) = (subject::hook_health(hook), wire::encode(health));
        self.nats
            .put(NOTIFICATIONS, &key, value, &what)
            .await
            .map(drop)
    }

    /// The sequence up to which changes of runs were told; `None` if none ever were.
    pub async fn notified_runs(&self) -> Result<Option<u64>, BrokerError> {
        let what = "reading up to where jobs were told";
        self.nats
            .confirmed_value(NOTIFICATIONS, NOTIFIED_RUNS, what)
            .await
    }

    /// Notes the sequence up to which changes of runs were told.
    pub async fn note_notified_runs(&self, sequence: u64) -> Result<(), BrokerError> {
        let what = "noting up to where jobs were told";
        let value = wire::encode(&sequence);
        self.nats
            .put(NOTIFICATIONS, NOTIFIED_RUNS, value, what)
            .await
            .map(drop)
    }
}
