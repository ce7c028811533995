//! What becomes of a delivered message that is not kept.

use async_nats::jetstream::{AckKind, Message};
use jiff::SignedDuration;

use crate::broker::{Broker, BrokerError, nats};
use crate::names::subject;
use crate::wire::WireError;

/// A message that a newer program wrote is left for so long to workers that can
/// read it.
pub(crate) const NEWER: SignedDuration = SignedDuration::from_secs(60);

impl Broker {
    /// Acknowledges a message whose job needs nothing more of it.
    pub(crate) async fn ack(&self, message: &Message) -> Result<(), BrokerError> {
        let what = || format!("acknowledging {}", message.subject);
        self.nats.ack(what, message).await
    }

    /// Leaves a message to others; this or another worker is given it again.
    pub(crate) async fn nak_later(
        &self,
        message: &Message,
        wait: SignedDuration,
    ) -> Result<(), BrokerError> {
        let what = || format!("leaving {} to others", message.subject);
        let nak = AckKind::Nak(Some(wait.unsigned_abs()));
        self.nats.answer(what, message, nak).await
    }

    /// A message that this program cannot read. One from a newer program is
    /// left for a newer worker; rubbish must not block its lane.
    pub(crate) async fn quarantine_message(
        &self,
        message: &Message,
        error: WireError,
    ) -> Result<(), BrokerError> {
        let subject = message.subject.as_str();
        if matches!(error, WireError::Newer { .. }) {
            tracing::warn!(subject, %error, "left for a newer worker");
            return self.nak_later(message, NEWER).await;
        }
        tracing::error!(subject, %error, "not a job of this farm: moved to the dead letters");
        let letter =
            nats::message::Message::new(subject::dead_of_message(subject), message.payload.clone());
        let what = format!("moving {subject} to the dead letters");
        self.nats.store(&what, letter).await?;
        self.ack(message).await
    }
}
