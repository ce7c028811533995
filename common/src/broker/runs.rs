//! Reading and writing runs by compare-and-set.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
use async_nats::jetstream::context::PublishErrorKind;
use tokio::time::Instant;

use super::{Broker, BrokerError};
use crate::event::Event;
use crate::id::JobId;
use crate::run::Run;
use crate::subject::{self, RUNS};
use crate::wire;

/// Waits between two tries of a write that got no answer.
const RETRY: Duration = Duration::from_millis(250);
/// How long a write that gets no answer is tried. A leader election takes
/// seconds, in which the answer may be silence or an immediate "no such stream":
/// tries say nothing about the time that has passed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A run and the revision that stands for it.
#[derive(Clone, Debug)]
pub(super) struct Versioned {
    pub run: Run,
    pub revision: u64,
}

/// How a compare-and-set ended.
pub(super) enum Write {
    /// It is written, under this revision.
    Done(u64),
    /// Somebody else wrote first.
    Conflict,
}

impl Broker {
    /// The run of a job; `None` where nobody has taken it yet.
    pub(super) async fn versioned_run(
        &self,
        job: &JobId,
    ) -> Result<Option<Versioned>, BrokerError> {
        let key = subject::kv(RUNS, &subject::run(job));
        let stored = self.last(&format!("KV_{RUNS}"), &key).await?;
        stored
            .map(|stored| versioned(job, stored.sequence, &stored.payload))
            .transpose()
    }

    /// The same as the leader has it, for what a compare-and-set does not guard.
    pub(super) async fn versioned_run_at_leader(
        &self,
        job: &JobId,
    ) -> Result<Option<Versioned>, BrokerError> {
        let key = subject::kv(RUNS, &subject::run(job));
        let stored = self.last_at_leader(&format!("KV_{RUNS}"), &key).await?;
        stored
            .map(|(revision, value)| versioned(job, revision, &value))
            .transpose()
    }

    /// Writes a run where its revision is still `expected`; 0 where there must
    /// be none. Retries while the broker gives no answer, and recognises its
    /// own write if that came through after all.
    pub(super) async fn write_run(&self, run: &Run, expected: u64) -> Result<Write, BrokerError> {
        let job = run.job.id;
        let what = || format!("writing the run of job {job}");
        let key = subject::kv(RUNS, &subject::run(&job));
        let value = wire::encode(run);
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
        let give_up = Instant::now() + PATIENCE;
        let mut tried = 0;
        loop {
            tried += 1;
            let answer = self
                .jetstream
                .publish_with_headers(key.clone(), headers.clone(), value.clone())
                .await;
            let error = match answer {
                Ok(ack) => match ack.await {
                    Ok(ack) => return Ok(Write::Done(ack.sequence)),
                    Err(error) => error,
                },
                Err(error) => error,
            };
            match error.kind() {
                PublishErrorKind::WrongLastSequence if tried == 1 => return Ok(Write::Conflict),
                PublishErrorKind::WrongLastSequence => {
                    // An earlier try may have been written without our hearing of it.
                    return Ok(match self.last(&format!("KV_{RUNS}"), &key).await? {
                        Some(found) if found.payload == value => Write::Done(found.sequence),
                        _ => Write::Conflict,
                    });
                }
                _ if Instant::now() >= give_up => return Err(BrokerError::request(what())(error)),
                kind => {
                    tracing::debug!(%job, %kind, tried, "no answer to a write; trying again");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    }

    /// Adds to the job's history what was just written. History is not worth
    /// waiting for: an answer that never comes is only logged.
    pub(super) async fn record(&self, run: &Run) {
        let event = Event::of(run);
        let subject = subject::event(&event.job, event.what.kind());
        match self.jetstream.publish(subject, wire::encode(&event)).await {
            Ok(ack) => {
                tokio::spawn(async move {
                    if let Err(error) = ack.await {
                        tracing::warn!(job = %event.job, %error, "an event was not recorded");
                    }
                });
            }
            Err(error) => tracing::warn!(job = %event.job, %error, "an event was not recorded"),
        }
    }
}

fn versioned(job: &JobId, revision: u64, value: &[u8]) -> Result<Versioned, BrokerError> {
    let run = wire::decode(value).map_err(|source| BrokerError::Wire {
        what: format!("run of job {job}"),
        source,
    })?;
    Ok(Versioned { run, revision })
}
