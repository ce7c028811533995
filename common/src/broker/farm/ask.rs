//! Questions to one worker, and its answers. A refusal travels in the header in which NATS services name an error.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{HeaderMap, Message, Request};
use bytes::Bytes;

use crate::broker::{Broker, BrokerError};
use crate::names::printable::printable;

/// The header in which NATS services name an error.
const REFUSED: &str = "Nats-Service-Error";

/// Why a worker gives no answer.
pub(super) enum AskError {
    /// The worker refused or failed; holds its reason.
    Refused(String),
    /// The worker is not connected, or it takes no such questions.
    NotConnected,
    /// The worker did not answer in time.
    TimedOut(BrokerError),
    /// The request to the broker failed.
    Broker(BrokerError),
}

impl Broker {
    /// Asks the worker that listens to a subject. `what` names the request in errors.
    pub(super) async fn ask_listener(
        &self,
        subject: String,
        question: Bytes,
        patience: Duration,
        what: &'static str,
    ) -> Result<Bytes, AskError> {
        let request = Request::new().payload(question).timeout(Some(patience));
        let answer = self.nats.client.send_request(subject, request).await;
        let answer = answer.map_err(|error| {
            let kind = error.kind();
            let error = BrokerError::request(what)(error);
            match kind {
                RequestErrorKind::NoResponders => AskError::NotConnected,
                RequestErrorKind::TimedOut => AskError::TimedOut(error),
                _ => AskError::Broker(error),
            }
        })?;
        match answer.headers.as_ref().and_then(|all| all.get(REFUSED)) {
            Some(why) => Err(AskError::Refused(why.to_string())),
            None => Ok(answer.payload),
        }
    }

    /// Answers a question with bytes or with the reason why there are none. `what` names the answer in errors.
    pub(super) async fn answer_question(
        &self,
        asked: &Message,
        answer: Result<Bytes, String>,
        what: &'static str,
    ) -> Result<(), BrokerError> {
        let Some(reply) = asked.reply.clone() else {
            return Ok(());
        };
        let mut headers = HeaderMap::new();
        let payload = answer.unwrap_or_else(|why| {
            headers.insert(REFUSED, printable(&why));
            Bytes::new()
        });
        self.nats
            .client
            .publish_with_headers(reply, headers, payload)
            .await
            .map_err(BrokerError::request(what))
    }
}
