//! Reading runs, and writing them by compare-and-set.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::{Instant, timeout_at};

use crate::broker::nats::message::Message;
use crate::broker::{Broker, BrokerError, RequestFailure};
use crate::job::id::JobId;
use crate::job::run::Run;
use crate::names::subject;
use crate::names::subject::RUNS;
use crate::wire;
use crate::wire::WireError;

/// How long a write without an answer is repeated. A limit on the number of tries would not do: during a leader
/// election, which takes seconds, the answer may be silence or an immediate "no such stream".
const PATIENCE: Duration = Duration::from_secs(60);

/// For how long a write without an answer is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tries {
    /// The write is repeated for a minute.
    ForAMinute,
    /// The write is repeated until there is an answer: what a worker writes about a job that it claims or owns must
    /// not be lost because the broker is away.
    Endless,
    /// The write is not repeated, because the decision behind the write may not hold later. If the run was not
    /// written, the result is a conflict.
    One,
}

/// A run and its revision.
#[derive(Clone, Debug)]
pub(crate) struct Versioned {
    pub run: Run,
    pub revision: u64,
}

/// The result of a compare-and-set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// The run is written, with this revision.
    Done(u64),
    /// Another program wrote first.
    Conflict,
}

impl Broker {
    /// The run of a job; `None` if it has none. In a cluster, a replica that lags behind may answer.
    pub(crate) async fn versioned_run(
        &self,
        job: &JobId,
    ) -> Result<Option<Versioned>, BrokerError> {
        let key = subject::kv(RUNS, &subject::run(job));
        match self.nats.last(&subject::bucket(RUNS), &key).await? {
            Some(stored) if !stored.is_marker => self
                .versioned(job, &stored.payload, stored.sequence)
                .map(Some),
            _ => Ok(None),
        }
    }

    /// The run of a job, read from the leader: for decisions that no later compare-and-set checks.
    pub(crate) async fn confirmed_run(
        &self,
        job: &JobId,
    ) -> Result<Option<Versioned>, BrokerError> {
        match self.confirmed_payload(job).await? {
            Some((payload, sequence)) => self.versioned(job, &payload, sequence).map(Some),
            None => Ok(None),
        }
    }

    /// The same as [`Self::confirmed_run`], as stored.
    pub(crate) async fn confirmed_payload(
        &self,
        job: &JobId,
    ) -> Result<Option<(Bytes, u64)>, BrokerError> {
        let what = format!("reading the run of job {job}");
        self.nats.confirmed(RUNS, &subject::run(job), &what).await
    }

    /// Decodes the stored form of a run.
    pub(crate) fn versioned(
        &self,
        job: &JobId,
        payload: &[u8],
        revision: u64,
    ) -> Result<Versioned, BrokerError> {
        let subject = subject::kv(RUNS, &subject::run(job));
        match self.nats.try_read(&subject, payload) {
            Ok(run) => Ok(Versioned { run, revision }),
            Err(source @ WireError::Newer { .. }) => Err(BrokerError::Wire {
                what: format!("the run of job {job}"),
                source,
            }),
            Err(source @ WireError::Malformed(_)) => Err(BrokerError::BrokenRun {
                job: *job,
                revision,
                source,
            }),
        }
    }

    /// Removes the run of a job, up to this revision.
    pub(crate) async fn forget_run(&self, job: &JobId, last: u64) -> Result<(), BrokerError> {
        let what = format!("removing the run of {job}");
        let key = subject::run(job);
        loop {
            match self.nats.last_of_key(RUNS, &key, &what).await? {
                Some((value, revision)) if !value.is_empty() && revision <= last => {
                    let removed = self.nats.forget_key(RUNS, &key, revision, &what);
                    match removed.await {
                        // It is a newer one by now.
                        Err(error) if error.is_conflict() => {}
                        removed => return removed,
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    /// Writes a run if the stored revision is `expected` (0: there is none, or it was removed). Repeats the write while
    /// the broker does not answer, and recognises its own write if that was stored after all.
    pub(crate) async fn write_run(
        &self,
        run: &Run,
        mut expected: u64,
        tries: Tries,
    ) -> Result<Write, BrokerError> {
        let job = run.job.id;
        let what = format!("writing the run of job {job}");
        let name = subject::run(&job);
        let key = subject::kv(RUNS, &name);
        let value = wire::encode(run);
        let give_up = Instant::now() + PATIENCE;
        let mut is_first = true;
        // Whether only a look at the stored run can tell what became of the write.
        let mut is_unsure = false;
        loop {
            let answer = if is_unsure {
                self.confirmed_payload(&job).await.map(|found| match found {
                    Some((found, revision)) if found == value => Some(Write::Done(revision)),
                    _ => Some(Write::Conflict),
                })
            } else {
                let message = Message::new(&*key, value.clone()).after(expected);
                match self.nats.store(&what, message).await {
                    Ok(revision) => Ok(Some(Write::Done(revision))),
                    Err(error) if error.is_conflict() && is_first && expected == 0 => {
                        match self.nats.last_of_key(RUNS, &name, &what).await {
                            // A marker: the run was removed.
                            Ok(Some((value, marker))) if value.is_empty() => {
                                expected = marker;
                                Ok(None)
                            }
                            found => found.map(|_| Some(Write::Conflict)),
                        }
                    }
                    Err(error) if error.is_conflict() && is_first => Ok(Some(Write::Conflict)),
                    // An earlier try may have been stored without an answer reaching this program.
                    Err(error) if error.is_conflict() => {
                        is_unsure = true;
                        Ok(None)
                    }
                    Err(error) if error.failure() == Some(RequestFailure::TooLarge) => {
                        return Err(error);
                    }
                    Err(error) => Err(error),
                }
            };
            is_first = false;
            match answer {
                Ok(Some(written)) => {
                    if matches!(written, Write::Done(_)) {
                        self.nats.unread.forget(&key);
                    }
                    return Ok(written);
                }
                Ok(None) => {}
                Err(error) if tries == Tries::ForAMinute && Instant::now() >= give_up => {
                    return Err(error);
                }
                Err(error) => {
                    tracing::debug!(%job, %error, "no answer; trying again");
                    is_unsure |= tries == Tries::One;
                    // Only writes that must not be lost wait for a broker that is away.
                    match tries {
                        Tries::ForAMinute => {
                            let _ = timeout_at(give_up, self.nats.before_retry()).await;
                        }
                        Tries::Endless | Tries::One => self.nats.before_retry().await,
                    }
                }
            }
        }
    }
}
