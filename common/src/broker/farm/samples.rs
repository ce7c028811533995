//! Sample encodes: asking a worker for one, and answering.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{HeaderMap, Message, Request, Subscriber};
use bytes::Bytes;

use crate::broker::{Broker, BrokerError};
use crate::farm::sample::{SampleRequest, SampleScore};
use crate::farm::worker_name::WorkerName;
use crate::names::printable::printable;
use crate::names::subject;
use crate::wire;

/// How long a score is awaited. The worker that asks does not wait for it: it makes late sample encodes itself.
pub const LONGEST_SAMPLE: Duration = Duration::from_secs(900);
/// The header in which NATS services name an error.
const REFUSED: &str = "Nats-Service-Error";

/// Why another worker gives no score.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The worker refused or failed; holds its reason.
    #[error("{0}")]
    Refused(String),
    /// The worker is not connected, or it takes no such requests.
    #[error("the worker {0} is not connected to the broker")]
    NotConnected(WorkerName),
    /// The request to the broker failed, or the worker is gone.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Broker {
    /// Asks a worker for a sample encode.
    pub async fn sample_score(
        &self,
        worker: &WorkerName,
        request: &SampleRequest,
    ) -> Result<SampleScore, SampleError> {
        let request = Request::new()
            .payload(wire::encode(request))
            .timeout(Some(LONGEST_SAMPLE));
        let answer = self
            .nats
            .client
            .send_request(subject::sample(worker), request)
            .await
            .map_err(|error| match error.kind() {
                RequestErrorKind::NoResponders => SampleError::NotConnected(worker.clone()),
                _ => BrokerError::request("asking for a sample encode")(error).into(),
            })?;
        match answer.headers.as_ref().and_then(|all| all.get(REFUSED)) {
            Some(why) => Err(SampleError::Refused(why.to_string())),
            None => wire::decode(&answer.payload)
                .map_err(|error| SampleError::Refused(error.to_string())),
        }
    }

    /// Requests to this worker; each holds a [`SampleRequest`].
    pub async fn sample_requests(&self, worker: &WorkerName) -> Result<Subscriber, BrokerError> {
        let what = "listening for requests of sample encodes";
        self.nats.subscribe(what, subject::sample(worker)).await
    }

    /// Answers a request with the score or with the reason why there is none.
    pub async fn answer_sample(
        &self,
        asked: &Message,
        score: Result<SampleScore, String>,
    ) -> Result<(), BrokerError> {
        let Some(reply) = asked.reply.clone() else {
            return Ok(());
        };
        let mut headers = HeaderMap::new();
        let payload = match score {
            Ok(score) => wire::encode(&score),
            Err(why) => {
                headers.insert(REFUSED, printable(&why));
                Bytes::new()
            }
        };
        self.nats
            .client
            .publish_with_headers(reply, headers, payload)
            .await
            .map_err(BrokerError::request(
                "answering a request of a sample encode",
            ))
    }
}
