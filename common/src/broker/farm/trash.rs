//! Asking workers about replaced sources, and answering.

use std::time::Duration;

use async_nats::Message;
use bytes::Bytes;

use crate::broker::farm::ask::AskError;
use crate::broker::farm::requests::Requests;
use crate::broker::{Broker, BrokerError, SteerResult};
use crate::farm::trash::{TrashContents, TrashRequest};
use crate::farm::worker_name::WorkerName;
use crate::job::id::{BatchId, JobId};
use crate::job::run::RunState;
use crate::names::location::Location;
use crate::names::subject;
use crate::wire;

/// How long an answer is awaited: a worker reads a whole output before it removes it.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Why a worker has not done what it was asked.
enum Refused {
    /// The worker's own reason.
    Because(String),
    /// It gave no answer.
    NoAnswer,
}

impl Broker {
    /// Puts the source of a completed job back, by a worker that reaches it; the job is cancelled then. With `is_dry`,
    /// only finds out whether that can be done.
    ///
    /// # Errors
    /// If the broker gives no answer.
    pub async fn undo(&self, job: &JobId, is_dry: bool) -> Result<SteerResult, BrokerError> {
        let Some(found) = self.confirmed_run(job).await? else {
            return Ok(match self.unclaimed(job).await? {
                Some(run) => SteerResult::TooLate(Box::new(run)),
                None => SteerResult::Unknown,
            });
        };
        let run = found.run;
        if !run.has_replaced() {
            return Ok(match run.state {
                RunState::Completed { .. } => {
                    SteerResult::Refused("it has not replaced its source".to_owned())
                }
                _ => SteerResult::TooLate(Box::new(run)),
            });
        }
        let request = TrashRequest::Undo { job: *job, is_dry };
        let answer = self.ask_one(&run.job.needed(), &request).await?;
        if is_dry {
            return Ok(match answer {
                Ok(_) => SteerResult::Done(Box::new(run)),
                Err(why) => SteerResult::Refused(why),
            });
        }
        let now = self.confirmed_run(job).await?.map(|found| found.run);
        Ok(match (answer, now) {
            (Ok(_), Some(now)) => SteerResult::Done(Box::new(now)),
            (Ok(_), None) => SteerResult::Unknown,
            // A worker that died between the record and its answer has put the source back, too.
            (Err(_), Some(now)) if now.state == RunState::Cancelled => {
                SteerResult::Done(Box::new(now))
            }
            (Err(why), _) => SteerResult::Refused(why),
        })
    }

    /// What a trash holds, by a worker that reaches it; or why nobody tells.
    ///
    /// # Errors
    /// If the broker gives no answer.
    pub async fn trash(
        &self,
        trash: &Location,
    ) -> Result<Result<TrashContents, String>, BrokerError> {
        let request = TrashRequest::List {
            trash: trash.clone(),
        };
        self.contents(trash, &request).await
    }

    /// Removes the sources of a batch from a trash for good, by a worker that reaches it.
    ///
    /// # Errors
    /// If the broker gives no answer.
    pub async fn empty_trash(
        &self,
        trash: &Location,
        batch: BatchId,
    ) -> Result<Result<TrashContents, String>, BrokerError> {
        let request = TrashRequest::Empty {
            trash: trash.clone(),
            batch,
        };
        self.contents(trash, &request).await
    }

    async fn contents(
        &self,
        trash: &Location,
        request: &TrashRequest,
    ) -> Result<Result<TrashContents, String>, BrokerError> {
        let answer = self.ask_one(std::slice::from_ref(trash), request).await?;
        Ok(answer.and_then(|bytes| wire::decode(&bytes).map_err(|error| error.to_string())))
    }

    /// Asks the live workers that reach these places, one after the other, until one answers.
    async fn ask_one(
        &self,
        needed: &[Location],
        request: &TrashRequest,
    ) -> Result<Result<Bytes, String>, BrokerError> {
        let mut why = format!(
            "no live worker reaches {}: start one with --root or --bucket for it",
            needed.last().map(ToString::to_string).unwrap_or_default()
        );
        for worker in self.workers().await? {
            if worker.places.admit_all(needed).is_err() {
                continue;
            }
            match self.ask_trash(&worker.name, request).await? {
                Ok(answer) => return Ok(Ok(answer)),
                Err(Refused::Because(reason)) => return Ok(Err(reason)),
                Err(Refused::NoAnswer) => {
                    why = format!("worker {} gave no answer", worker.name);
                }
            }
        }
        Ok(Err(why))
    }

    async fn ask_trash(
        &self,
        worker: &WorkerName,
        request: &TrashRequest,
    ) -> Result<Result<Bytes, Refused>, BrokerError> {
        let (subject, what) = (subject::trash(worker), "asking about a trash");
        let answer = self.ask_listener(worker, subject, wire::encode(request), PATIENCE, what);
        match answer.await {
            Ok(answer) => Ok(Ok(answer)),
            Err(AskError::Refused(why)) => Ok(Err(Refused::Because(why))),
            Err(AskError::NotConnected | AskError::TimedOut(_) | AskError::Gone) => {
                Ok(Err(Refused::NoAnswer))
            }
            Err(AskError::Broker(error)) => Err(error),
        }
    }

    /// Requests to this worker; each holds a [`TrashRequest`].
    ///
    /// # Errors
    /// If the broker gives no answer.
    pub async fn trash_requests(&self, worker: &WorkerName) -> Result<Requests, BrokerError> {
        let what = "listening for requests about trashes";
        self.requests(what, subject::trash(worker)).await
    }

    /// Answers such a request, or tells why not.
    ///
    /// # Errors
    /// If the broker is out of reach.
    pub async fn answer_trash(
        &self,
        asked: &Message,
        answer: Result<Bytes, String>,
    ) -> Result<(), BrokerError> {
        self.answer_question(asked, answer, "answering a request about a trash")
            .await
    }
}
