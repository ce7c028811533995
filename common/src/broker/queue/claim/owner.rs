//! Asking the owner of a job whether it is alive.
//!
//! A redelivered message says that the broker has not heard from the owner for a lease. It does not say why: the
//! broker may have been away itself, have lost the last sign of life, or have elected a leader meanwhile. So a worker
//! that gets such a message asks the owner before it takes the job over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::Request;
use async_nats::client::{RequestError, RequestErrorKind};
use bytes::Bytes;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, BrokerError};
use crate::farm::worker_name::WorkerName;
use crate::job::id::JobId;
use crate::names::subject;
use crate::wire;

/// A live worker answers well within this time.
const ANSWER_TIMEOUT: Duration = Duration::from_millis(500);
/// For so long after this client has connected, owners may still be reconnecting.
pub(crate) const RECONNECT_GRACE: Duration = Duration::from_secs(3);

/// The request to a worker: does it run this attempt?
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) job: JobId,
    pub(crate) attempt: u32,
}

impl wire::Message for Question {}

/// A question about no existing job, which every worker answers: a test whether a worker is connected.
pub(crate) fn liveness_question() -> bytes::Bytes {
    wire::encode(&Question {
        job: JobId::NIL,
        attempt: 0,
    })
}

/// Whether an owner is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// The owner says that it runs the attempt.
    Alive,
    /// The owner says that it does not, or is not connected.
    Gone,
    /// The owner does not answer, but may still be reconnecting.
    Unknown,
}

/// The attempts that this program holds, with the number of holders of each.
#[derive(Clone, Default)]
pub(crate) struct Owned(Arc<Mutex<HashMap<(JobId, u32), usize>>>);

/// Holds an attempt for as long as this guard lives.
pub(crate) struct HeldAttempt {
    owned: Owned,
    attempt: (JobId, u32),
}

impl Owned {
    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<(JobId, u32), usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds an attempt; called before the run that names this worker is written.
    pub(crate) fn hold(&self, job: &JobId, attempt: u32) -> HeldAttempt {
        let attempt = (*job, attempt);
        *self.held().entry(attempt).or_default() += 1;
        HeldAttempt {
            owned: self.clone(),
            attempt,
        }
    }

    fn has(&self, job: JobId, attempt: u32) -> bool {
        self.held().contains_key(&(job, attempt))
    }
}

impl Drop for HeldAttempt {
    fn drop(&mut self) {
        let mut held = self.owned.held();
        if let Some(count) = held.get_mut(&self.attempt) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.attempt);
            }
        }
    }
}

impl Broker {
    /// Sends a request to the owner subject of a worker. The kind of the error tells a worker that is not connected
    /// from one that does not answer.
    pub(crate) async fn ask_worker(
        &self,
        worker: &WorkerName,
        payload: Bytes,
        patience: Duration,
    ) -> Result<async_nats::Message, RequestError> {
        let request = Request::new().payload(payload).timeout(Some(patience));
        self.nats
            .client
            .send_request(subject::owner(worker), request)
            .await
    }

    /// Waits until owners have had time to reconnect: from then on, one that does not answer is gone.
    pub(crate) async fn owners_had_time(&self) {
        let left = RECONNECT_GRACE.saturating_sub(self.nats.link.stands_for());
        tokio::time::sleep(left).await;
    }

    /// Asks a worker whether it runs this attempt at a job.
    pub(crate) async fn owner(
        &self,
        worker: &WorkerName,
        job: &JobId,
        attempt: u32,
    ) -> Result<Owner, BrokerError> {
        let question = Question { job: *job, attempt };
        let answer = self
            .ask_worker(worker, wire::encode(&question), ANSWER_TIMEOUT)
            .await;
        let is_there = match answer {
            Ok(answer) => wire::decode(&answer.payload).unwrap_or(false),
            Err(error) => match error.kind() {
                RequestErrorKind::NoResponders | RequestErrorKind::TimedOut => {
                    if self.nats.link.stands_for() < RECONNECT_GRACE {
                        return Ok(Owner::Unknown);
                    }
                    false
                }
                _ => return Err(BrokerError::request("asking a job's owner")(error)),
            },
        };
        Ok(if is_there { Owner::Alive } else { Owner::Gone })
    }

    /// Answers the questions of other workers about this worker's attempts, until `stop` is cancelled.
    pub async fn answer_for(
        &self,
        worker: &WorkerName,
        stop: CancellationToken,
    ) -> Result<(), BrokerError> {
        let what = "listening for questions about its jobs";
        let mut asked = self.nats.subscribe(what, subject::owner(worker)).await?;
        let (client, owned) = (self.nats.client.clone(), self.owned.clone());
        // A task of its own: nothing that this worker does may delay an answer.
        tokio::spawn(async move {
            while let Some(Some(message)) = stop.run_until_cancelled(asked.next()).await {
                let (Some(reply), Ok(question)) =
                    (message.reply, wire::decode::<Question>(&message.payload))
                else {
                    continue;
                };
                let is_ours = owned.has(question.job, question.attempt);
                if let Err(error) = client.publish(reply, wire::encode(&is_ours)).await {
                    tracing::debug!(%error, "the answer whether this worker owns a job was not sent");
                }
            }
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_is_held_until_its_last_guard_is_dropped() {
        let job = uuid::Uuid::nil().to_string().parse().expect("an id");
        let owned = Owned::default();
        let first = owned.hold(&job, 1);
        let second = owned.hold(&job, 1);
        drop(first);
        assert!(owned.has(job, 1));
        assert!(!owned.has(job, 2), "another attempt is another owner's");
        drop(second);
        assert!(!owned.has(job, 1));
    }
}
