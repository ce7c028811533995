//! Answers to the broker for delivered messages that are not claimed.

use async_nats::jetstream::{AckKind, Message};
use jiff::SignedDuration;

use crate::broker::{Broker, BrokerError, nats};
use crate::names::subject;
use crate::spans;
use crate::wire::WireError;

/// A message from a newer program is left for so long to workers that can read it.
pub(crate) const NEWER_WAIT: SignedDuration = SignedDuration::from_secs(60);

impl Broker {
    /// Acknowledges a message whose job needs no further delivery.
    pub(crate) async fn ack(&self, message: &Message) -> Result<(), BrokerError> {
        let what = || format!("acknowledging {}", message.subject);
        spans::trace("ack", self.nats.ack(what, message)).await
    }

    /// Declines a message; the broker delivers it again after `wait`, to this or another worker.
    pub(crate) async fn nak_later(
        &self,
        message: &Message,
        wait: SignedDuration,
    ) -> Result<(), BrokerError> {
        let what = || format!("leaving {} to others", message.subject);
        let nak = AckKind::Nak(Some(wait.unsigned_abs()));
        self.nats.answer(what, message, nak).await
    }

    /// Settles a message that this program cannot read. A message from a newer program is left to newer workers; any
    /// other is moved aside, because it must not block its lane.
    pub(crate) async fn set_aside(
        &self,
        message: &Message,
        error: WireError,
    ) -> Result<(), BrokerError> {
        let subject = message.subject.as_str();
        if matches!(error, WireError::Newer { .. }) {
            tracing::warn!(subject, %error, "left for a newer worker");
            return self.nak_later(message, NEWER_WAIT).await;
        }
        tracing::error!(subject, %error, "not a job of this farm: moved to the dead letters");
        let letter =
            nats::message::Message::new(subject::dead_of_message(subject), message.payload.clone());
        let what = format!("moving {subject} to the dead letters");
        self.nats.store(&what, letter).await?;
        self.ack(message).await
    }
}
