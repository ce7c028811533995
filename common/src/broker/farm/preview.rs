//! Previews: asking a worker about a file, and answering.

use std::time::Duration;

use async_nats::client::RequestErrorKind;
use async_nats::{HeaderMap, Message, Request, Subscriber};
use bytes::Bytes;

use crate::broker::{Broker, BrokerError};
use crate::farm::preview::{Forecast, ForecastRequest, Preview, PreviewRequest};
use crate::farm::worker::Heartbeat;
use crate::farm::worker_name::WorkerName;
use crate::matching::plan::Plan;
use crate::names::printable::printable;
use crate::names::subject;
use crate::wire;

/// How long an answer is awaited: the worker's machine may be busy with encodes.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most workers that are asked, one after the other, until one gives a forecast.
const ASKED: usize = 4;
/// The header in which NATS services name an error.
const REFUSED: &str = "Nats-Service-Error";

/// Why there is no preview.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The worker refused or failed; holds its reason.
    #[error("{0}")]
    Refused(String),
    /// The worker is not connected.
    #[error("the worker {0} is not connected to the broker")]
    NotConnected(WorkerName),
    /// The worker did not answer in time.
    #[error("the worker {0} gave no answer in {PATIENCE:?}")]
    TimedOut(WorkerName),
    /// The request to the broker failed.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Broker {
    /// Asks a worker for a preview of a job's file; [`crate::farm::preview::PreviewKind`] says what the bytes hold.
    pub async fn preview(
        &self,
        worker: &WorkerName,
        preview: &Preview,
    ) -> Result<Bytes, PreviewError> {
        self.ask(worker, &PreviewRequest::Preview(*preview)).await
    }

    /// Asks what an encode would keep, convert and lose of an input. Of the workers that have proved the encoder and
    /// reach the input, the best are asked, until one answers. `turn` rotates the first worker from file to file.
    ///
    /// # Errors
    /// No worker gives a forecast; the error is the last one's.
    pub async fn forecast(
        &self,
        workers: &[Heartbeat],
        turn: usize,
        request: ForecastRequest,
    ) -> Result<Forecast, PreviewError> {
        let further = request.further.iter().map(|further| &further.input);
        let inputs = std::iter::once(&request.input).chain(further);
        let places = inputs.map(|input| input.location.clone()).collect();
        let plan = Plan::of(&request.recipe, workers).between(workers, &[places]);
        let able = plan.candidates.iter().map(|candidate| &candidate.worker);
        let asked = able
            .clone()
            .cycle()
            .skip(turn % able.len().max(1))
            .take(able.len().min(ASKED));
        let question = PreviewRequest::ForecastRequest(Box::new(request));
        let mut seen = Err(PreviewError::Refused(
            "no live worker that could run the recipe reaches the file".to_owned(),
        ));
        for worker in asked {
            seen = match self.ask(worker, &question).await {
                Ok(answer) => {
                    wire::decode(&answer).map_err(|error| PreviewError::Refused(error.to_string()))
                }
                Err(why) => Err(why),
            };
            if seen.is_ok() {
                break;
            }
        }
        seen
    }

    async fn ask(
        &self,
        worker: &WorkerName,
        question: &PreviewRequest,
    ) -> Result<Bytes, PreviewError> {
        let request = Request::new()
            .payload(wire::encode(question))
            .timeout(Some(PATIENCE));
        let answer = self
            .nats
            .client
            .send_request(subject::peek(worker), request)
            .await
            .map_err(|error| match error.kind() {
                RequestErrorKind::NoResponders => PreviewError::NotConnected(worker.clone()),
                RequestErrorKind::TimedOut => PreviewError::TimedOut(worker.clone()),
                _ => BrokerError::request("asking for a preview")(error).into(),
            })?;
        match answer.headers.as_ref().and_then(|all| all.get(REFUSED)) {
            Some(why) => Err(PreviewError::Refused(why.to_string())),
            None => Ok(answer.payload),
        }
    }

    /// Requests to this worker; each holds a [`PreviewRequest`].
    pub async fn preview_requests(&self, worker: &WorkerName) -> Result<Subscriber, BrokerError> {
        let what = "listening for requests of previews";
        self.nats.subscribe(what, subject::peek(worker)).await
    }

    /// Answers a request with the preview or with the reason why there is none.
    pub async fn answer_preview(
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
        self.nats
            .client
            .publish_with_headers(reply, headers, payload)
            .await
            .map_err(BrokerError::request("answering a preview request"))
    }
}
