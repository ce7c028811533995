//! Asking a worker to peek into a job's file, and answering.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{HeaderMap, Message, Request, Subscriber};
use bytes::Bytes;

use super::{Broker, BrokerError};
use crate::peek::Peek;
use crate::printable::printable;
use crate::worker::WorkerName;
use crate::{subject, wire};

/// How long an answer is waited for: the worker's machine encodes besides.
const PATIENCE: Duration = Duration::from_secs(20);
/// The header by which NATS services say what went wrong.
const REFUSED: &str = "Nats-Service-Error";

/// Nothing was seen.
#[derive(Debug, thiserror::Error)]
pub enum Unseen {
    /// The worker says why.
    #[error("{0}")]
    Refused(String),
    /// The worker is gone.
    #[error("the worker {0} is not there")]
    Nobody(WorkerName),
    /// The worker took too long.
    #[error("the worker {0} gave no answer in {PATIENCE:?}")]
    Late(WorkerName),
    /// The broker is in trouble.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Broker {
    /// Has a worker peek into a job's file; what comes back says
    /// [`crate::peek::Sight`].
    ///
    /// # Errors
    /// Where the worker is gone or sees nothing.
    pub async fn peek(&self, worker: &WorkerName, peek: &Peek) -> Result<Bytes, Unseen> {
        let request = Request::new()
            .payload(wire::encode(peek))
            .timeout(Some(PATIENCE));
        let answer = self
            .client
            .send_request(subject::peek(worker), request)
            .await
            .map_err(|error| match error.kind() {
                RequestErrorKind::NoResponders => Unseen::Nobody(worker.clone()),
                RequestErrorKind::TimedOut => Unseen::Late(worker.clone()),
                _ => BrokerError::request("asking a worker to look")(error).into(),
            })?;
        match answer.headers.as_ref().and_then(|all| all.get(REFUSED)) {
            Some(why) => Err(Unseen::Refused(why.to_string())),
            None => Ok(answer.payload),
        }
    }

    /// What a worker is asked to peek into.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn peeks(&self, worker: &WorkerName) -> Result<Subscriber, BrokerError> {
        self.client
            .subscribe(subject::peek(worker))
            .await
            .map_err(BrokerError::request("listening for who wants to look"))
    }

    /// Answers with what was seen, or why nothing was.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn show(
        &self,
        asked: &Message,
        seen: Result<Bytes, String>,
    ) -> Result<(), BrokerError> {
        let Some(reply) = asked.reply.clone() else {
            return Ok(());
        };
        let mut headers = HeaderMap::new();
        let payload = seen.unwrap_or_else(|why| {
            headers.insert(REFUSED, printable(&why));
            Bytes::new()
        });
        self.client
            .publish_with_headers(reply, headers, payload)
            .await
            .map_err(BrokerError::request("showing what was seen"))
    }
}
