//! Questions to one worker, and its answers. A refusal travels in the header in which NATS services name an error.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{HeaderMap, Message, Request};
use bytes::Bytes;
use jiff::Timestamp;
use tokio::time::MissedTickBehavior;

use crate::broker::farm::registry::HEARTBEAT;
use crate::broker::{Broker, BrokerError};
use crate::farm::worker_name::WorkerName;
use crate::names::printable::printable;

/// The header in which NATS services name an error.
const REFUSED: &str = "Nats-Service-Error";

/// How often in a row a worker's heartbeat may be missing. At the next time, the worker counts as gone.
const ABSENCES: u32 = 2;

/// Why a worker gives no answer.
pub(super) enum AskError {
    /// The worker refused or failed; holds its reason.
    Refused(String),
    /// The worker is not connected, or it takes no such questions.
    NotConnected,
    /// The worker did not answer in time.
    TimedOut(BrokerError),
    /// The worker has ended, or started anew, before it answered.
    Gone,
    /// The request to the broker failed.
    Broker(BrokerError),
}

impl Broker {
    /// Asks a worker, which listens to a subject. `what` names the request in errors.
    ///
    /// NATS tells at once if nobody listens, but not that a worker has died after it got the question. Its heartbeats
    /// tell that: soon if it has started anew, and within half a minute otherwise.
    pub(super) async fn ask_listener(
        &self,
        worker: &WorkerName,
        subject: String,
        question: Bytes,
        patience: Duration,
        what: &'static str,
    ) -> Result<Bytes, AskError> {
        tokio::select! {
            answer = self.await_answer(subject, question, patience, what) => answer,
            () = self.gone(worker) => Err(AskError::Gone),
        }
    }

    /// Asks whoever listens to a subject. `what` names the request in errors.
    pub(super) async fn await_answer(
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

    /// Waits until a worker's heartbeats have ended, or come from another process of its name.
    async fn gone(&self, worker: &WorkerName) {
        let mut first: Option<Timestamp> = None;
        let mut missing = 0;
        let mut looks = tokio::time::interval(HEARTBEAT);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            // A broker that gives no answer tells nothing about the worker.
            let Ok(heard) = self.last_heartbeat(worker).await else {
                continue;
            };
            match heard.map(|heartbeat| heartbeat.started) {
                Some(started) if *first.get_or_insert(started) != started => return,
                Some(_) => missing = 0,
                // A broker that has just restarted hears of a live worker within the time of one heartbeat.
                None if missing == ABSENCES => return,
                None => missing += 1,
            }
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
