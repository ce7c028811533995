//! Reading and writing runs by compare-and-set.

use std::time::Duration;

use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
use async_nats::jetstream::context::PublishErrorKind;
use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::event::Event;
use crate::job::failure::Failure;
use crate::job::id::JobId;
use crate::job::run::{Run, RunState};
use crate::names::subject;
use crate::names::subject::RUNS;
use crate::wire;
use crate::wire::WireError;

/// Waits between two tries of a write that got no answer.
const RETRY: Duration = Duration::from_millis(250);
/// How long a write that gets no answer is tried. A leader election takes
/// seconds, in which the answer may be silence or an immediate "no such stream":
/// tries say nothing about the time that has passed.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a write goes on that gets no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tries {
    /// It is repeated for a minute.
    Some,
    /// It is repeated until there is an answer: what a worker has to say of a job
    /// that it takes or owns must not be lost because the broker is away.
    Endless,
    /// It is not repeated: what it was decided by may be true no more. Where it
    /// was not written, the answer is a conflict.
    One,
}

/// A run and the revision that stands for it.
#[derive(Clone, Debug)]
pub(crate) struct Versioned {
    pub run: Run,
    pub revision: u64,
}

/// How a compare-and-set ended.
pub(crate) enum Write {
    /// It is written, under this revision.
    Done(u64),
    /// Somebody else wrote first.
    Conflict,
}

impl Broker {
    /// The run of a job; `None` where it has none. In a cluster a replica that
    /// lags behind may give the answer.
    pub(crate) async fn versioned_run(
        &self,
        job: &JobId,
    ) -> Result<Option<Versioned>, BrokerError> {
        let key = subject::kv(RUNS, &subject::run(job));
        let stream = format!("KV_{RUNS}");
        match self.last(&stream, &key).await? {
            Some(stored) if !stored.is_marker => self
                .versioned(job, &stored.payload, stored.sequence)
                .map(Some),
            _ => Ok(None),
        }
    }

    /// The run of a job by the word of the leader: for decisions that no later
    /// compare-and-set would catch.
    pub(crate) async fn confirmed_run(
        &self,
        job: &JobId,
    ) -> Result<Option<Versioned>, BrokerError> {
        match self.confirmed_payload(job).await? {
            Some((payload, sequence)) => self.versioned(job, &payload, sequence).map(Some),
            None => Ok(None),
        }
    }

    /// The same, unread.
    pub(crate) async fn confirmed_payload(
        &self,
        job: &JobId,
    ) -> Result<Option<(Bytes, u64)>, BrokerError> {
        let what = format!("reading the run of job {job}");
        self.confirmed(RUNS, &subject::run(job), &what).await
    }

    /// Writes a run where its revision is still `expected`; 0 where there must
    /// be none. Retries while the broker gives no answer, and recognises its
    /// own write if that came through after all.
    pub(crate) async fn write_run(
        &self,
        run: &Run,
        expected: u64,
        tries: Tries,
    ) -> Result<Write, BrokerError> {
        let job = run.job.id;
        let key = subject::kv(RUNS, &subject::run(&job));
        let value = wire::encode(run);
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, expected.to_string());
        let give_up = Instant::now() + PATIENCE;
        let mut is_first = true;
        // Whether only a look can tell what has become of it.
        let mut is_unsure = false;
        loop {
            let answer = if is_unsure {
                self.confirmed_payload(&job).await.map(|found| match found {
                    Some((found, revision)) if found == value => Some(Write::Done(revision)),
                    _ => Some(Write::Conflict),
                })
            } else {
                let (key, headers, value) = (key.clone(), headers.clone(), value.clone());
                let sent = self.jetstream.publish_with_headers(key, headers, value);
                let answer = match sent.await {
                    Ok(stored) => stored.await,
                    Err(error) => Err(error),
                };
                match answer {
                    Ok(stored) => Ok(Some(Write::Done(stored.sequence))),
                    Err(error) => match error.kind() {
                        PublishErrorKind::WrongLastSequence if is_first => {
                            Ok(Some(Write::Conflict))
                        }
                        // An earlier try may have been written without our hearing of it.
                        PublishErrorKind::WrongLastSequence => {
                            is_unsure = true;
                            Ok(None)
                        }
                        PublishErrorKind::MaxPayloadExceeded => {
                            let what = format!("writing the run of job {job}");
                            return Err(BrokerError::request(what)(error));
                        }
                        _ => Err(BrokerError::request(format!(
                            "writing the run of job {job}"
                        ))(error)),
                    },
                }
            };
            is_first = false;
            match answer {
                Ok(Some(written)) => {
                    if matches!(written, Write::Done(_)) {
                        self.is_gone(&key);
                    }
                    return Ok(written);
                }
                Ok(None) => {}
                Err(error) if tries == Tries::Some && Instant::now() >= give_up => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::debug!(%job, %error, "no answer; trying again");
                    is_unsure |= tries == Tries::One;
                    // Only what has to be said at any cost waits for a broker that is away.
                    match tries {
                        Tries::Some => {
                            let _ = timeout_at(give_up, self.collect_itself()).await;
                        }
                        Tries::Endless | Tries::One => self.collect_itself().await,
                    }
                }
            }
        }
    }

    /// Returns when it is worth trying again what got no answer.
    pub(crate) async fn collect_itself(&self) {
        tokio::time::sleep(RETRY).await;
        self.connected().await;
    }

    /// Adds to the job's history what was just written.
    pub(crate) async fn record(&self, run: &Run) {
        let event = Event::of(run);
        if run.attempt == 1 && matches!(run.state, RunState::Running { .. }) {
            self.record_event(&Event::queued(run)).await;
        }
        self.record_event(&event).await;
    }

    /// Adds to a job's history. Nobody waits for an answer: nothing is decided
    /// by history, and its stream keeps what the connection brings it.
    pub async fn record_event(&self, event: &Event) {
        let subject = subject::event(&event.job, event.what.kind());
        if let Err(error) = self.client.publish(subject, wire::encode(event)).await {
            tracing::warn!(job = %event.job, %error, "an event was not recorded");
        }
    }

    /// What was read, as a run.
    pub(crate) fn versioned(
        &self,
        job: &JobId,
        payload: &[u8],
        revision: u64,
    ) -> Result<Versioned, BrokerError> {
        let run = self.try_read(&subject::kv(RUNS, &subject::run(job)), payload);
        let run = run.map_err(|source| match source {
            WireError::Newer { .. } => BrokerError::Wire {
                what: format!("the run of job {job}"),
                source,
            },
            WireError::Malformed(_) => BrokerError::BrokenRun {
                job: *job,
                revision,
                source,
            },
        })?;
        Ok(Versioned { run, revision })
    }

    /// What can be said of a job whose run cannot be read: it has failed, as far as
    /// this program can tell.
    pub(crate) fn unreadable_run(&self, job: &Job, lane: &Lane, why: &WireError) -> Run {
        let failure = Failure::input(format!(
            "its run ({}) cannot be read: {why}",
            subject::kv(RUNS, &subject::run(&job.id))
        ));
        Run {
            state: RunState::Failed { failure },
            ..Run::untaken(job.clone(), lane, self.now())
        }
    }
}
