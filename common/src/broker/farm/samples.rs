//! Sample encodes: asking a worker for one, and answering.

use std::time::Duration;

use async_nats::Message;

use crate::broker::farm::ask::AskError;
use crate::broker::farm::requests::Requests;
use crate::broker::{Broker, BrokerError};
use crate::farm::sample::{SampleRequest, SampleScore};
use crate::farm::worker_name::WorkerName;
use crate::names::subject;
use crate::wire;

/// How long a score is awaited. The worker that asks does not wait for it: it makes late sample encodes itself.
pub const LONGEST_SAMPLE: Duration = Duration::from_secs(900);

/// Why another worker gives no score.
#[derive(Debug, thiserror::Error)]
pub enum SampleError {
    /// The worker refused or failed; holds its reason.
    #[error("{0}")]
    Refused(String),
    /// The worker is not connected, or it takes no such requests.
    #[error("the worker {0} is not connected to the broker")]
    NotConnected(WorkerName),
    /// The request to the broker failed.
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
        let question = wire::encode(request);
        let (subject, what) = (subject::sample(worker), "asking for a sample encode");
        match self
            .ask_listener(worker, subject, question, LONGEST_SAMPLE, what)
            .await
        {
            Ok(answer) => {
                wire::decode(&answer).map_err(|error| SampleError::Refused(error.to_string()))
            }
            Err(AskError::Refused(why)) => Err(SampleError::Refused(why)),
            Err(AskError::NotConnected | AskError::Gone) => {
                Err(SampleError::NotConnected(worker.clone()))
            }
            Err(AskError::TimedOut(error) | AskError::Broker(error)) => Err(error.into()),
        }
    }

    /// Requests to this worker; each holds a [`SampleRequest`].
    pub async fn sample_requests(&self, worker: &WorkerName) -> Result<Requests, BrokerError> {
        let what = "listening for requests of sample encodes";
        self.requests(what, subject::sample(worker)).await
    }

    /// Answers a request with the score or with the reason why there is none.
    pub async fn answer_sample(
        &self,
        asked: &Message,
        score: Result<SampleScore, String>,
    ) -> Result<(), BrokerError> {
        let answer = score.map(|score| wire::encode(&score));
        self.answer_question(asked, answer, "answering a request of a sample encode")
            .await
    }
}
