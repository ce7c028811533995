//! Ending a worker's quarantine for a person: the worker itself is asked, and answers at once.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{Message, Request};
use bytes::Bytes;

use crate::broker::error::NoAnswer;
use crate::broker::farm::requests::Requests;
use crate::broker::{Broker, BrokerError};
use crate::farm::worker_name::WorkerName;
use crate::names::subject;
use crate::wire;

/// How long an answer is awaited.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why it is unknown whether the worker was in quarantine.
#[derive(Debug, thiserror::Error)]
pub enum LiftError {
    /// The worker is not connected.
    #[error("worker {0} is not alive")]
    NotConnected(WorkerName),
    /// The worker did not answer in time.
    #[error("worker {0} gave no answer within {PATIENCE:?}: it may obey yet")]
    Late(WorkerName),
    /// The request to the broker failed.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Broker {
    /// Ends a worker's quarantine; returns whether it was in quarantine.
    pub async fn lift_quarantine(&self, worker: &WorkerName) -> Result<bool, LiftError> {
        let what = || format!("lifting the quarantine of worker {worker}");
        if !self.nats.is_connected() {
            return Err(BrokerError::request(what())(NoAnswer::Closed).into());
        }
        let request = Request::new().payload(Bytes::new()).timeout(Some(PATIENCE));
        let answer = self
            .nats
            .client
            .send_request(subject::lift(worker), request)
            .await
            .map_err(|error| match error.kind() {
                RequestErrorKind::NoResponders => LiftError::NotConnected(worker.clone()),
                RequestErrorKind::TimedOut => LiftError::Late(worker.clone()),
                _ => BrokerError::request(what())(error).into(),
            })?;
        let answer = wire::decode(&answer.payload);
        answer.map_err(|source| {
            let what = what();
            BrokerError::Wire { what, source }.into()
        })
    }

    /// Requests to end this worker's quarantine.
    pub async fn lift_requests(&self, worker: &WorkerName) -> Result<Requests, BrokerError> {
        let what = "listening for requests to end the quarantine";
        self.requests(what, subject::lift(worker)).await
    }

    /// Answers such a request.
    pub async fn answer_lift(
        &self,
        request: &Message,
        was_quarantined: bool,
    ) -> Result<(), BrokerError> {
        let Some(reply) = request.reply.clone() else {
            return Ok(());
        };
        let answer = wire::encode(&was_quarantined);
        self.nats
            .notify("answering a request to end the quarantine", reply, answer)
            .await
    }
}
