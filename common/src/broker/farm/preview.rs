//! Asking a worker to look into a file, and answering.

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

/// How long an answer is waited for: the worker's machine encodes besides.
const PATIENCE: Duration = Duration::from_secs(20);
/// Workers that are asked one after the other until one sees something.
const ASKED: usize = 4;
/// The header by which NATS services say what went wrong.
const REFUSED: &str = "Nats-Service-Error";

/// Nothing was seen.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
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
    /// [`crate::farm::preview::PreviewKind`].
    ///
    /// # Errors
    /// Where the worker is gone or sees nothing.
    pub async fn preview(
        &self,
        worker: &WorkerName,
        peek: &Preview,
    ) -> Result<Bytes, PreviewError> {
        self.ask(worker, &PreviewRequest::Preview(*peek)).await
    }

    /// What would become of an input, by the first of these workers that sees it: of those that have proved the
    /// encoder and reach the input, the best ones are asked. `turn` has each file begin with another one.
    ///
    /// # Errors
    /// Where none of them sees it: what the last one said.
    pub async fn forecast(
        &self,
        workers: &[Heartbeat],
        turn: usize,
        request: ForecastRequest,
    ) -> Result<Forecast, PreviewError> {
        let place = &request.input.location;
        let plan =
            Plan::of(&request.recipe, workers).between(workers, &[[place.clone(), place.clone()]]);
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
                RequestErrorKind::NoResponders => PreviewError::Nobody(worker.clone()),
                RequestErrorKind::TimedOut => PreviewError::Late(worker.clone()),
                _ => BrokerError::request("asking a worker to look")(error).into(),
            })?;
        match answer.headers.as_ref().and_then(|all| all.get(REFUSED)) {
            Some(why) => Err(PreviewError::Refused(why.to_string())),
            None => Ok(answer.payload),
        }
    }

    /// What a worker is asked, as [`PreviewRequest`]s.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn preview_requests(&self, worker: &WorkerName) -> Result<Subscriber, BrokerError> {
        let what = "listening for who wants to look";
        self.nats.subscribe(what, subject::peek(worker)).await
    }

    /// Answers with what was seen, or why nothing was.
    ///
    /// # Errors
    /// Where the connection is gone.
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
            .map_err(BrokerError::request("showing what was seen"))
    }
}
