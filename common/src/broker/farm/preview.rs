//! Previews: asking a worker about a file, and answering.

use std::time::Duration;

use async_nats::Message;
use bytes::Bytes;

use crate::broker::farm::ask::AskError;
use crate::broker::farm::requests::Requests;
use crate::broker::{Broker, BrokerError};
use crate::farm::preview::{Forecast, ForecastRequest, Preview, PreviewRequest};
use crate::farm::worker::Heartbeat;
use crate::farm::worker_name::WorkerName;
use crate::matching::plan::Plan;
use crate::names::subject;
use crate::wire;

/// How long an answer is awaited: the worker's machine may be busy with encodes.
const PATIENCE: Duration = Duration::from_secs(20);
/// Most workers that are asked, one after the other, until one gives a forecast.
const ASKED: usize = 4;

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
        let question = wire::encode(question);
        let (subject, what) = (subject::peek(worker), "asking for a preview");
        let answer = self
            .ask_listener(worker, subject, question, PATIENCE, what)
            .await;
        answer.map_err(|error| match error {
            AskError::Refused(why) => PreviewError::Refused(why),
            AskError::NotConnected | AskError::Gone => PreviewError::NotConnected(worker.clone()),
            AskError::TimedOut(_) => PreviewError::TimedOut(worker.clone()),
            AskError::Broker(error) => error.into(),
        })
    }

    /// Requests to this worker; each holds a [`PreviewRequest`].
    pub async fn preview_requests(&self, worker: &WorkerName) -> Result<Requests, BrokerError> {
        let what = "listening for requests of previews";
        self.requests(what, subject::peek(worker)).await
    }

    /// Answers a request with the preview or with the reason why there is none.
    pub async fn answer_preview(
        &self,
        asked: &Message,
        seen: Result<Bytes, String>,
    ) -> Result<(), BrokerError> {
        self.answer_question(asked, seen, "answering a preview request")
            .await
    }
}
