//! Dead letters: jobs that failed for good.

use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
use async_nats::jetstream::context::PublishErrorKind;

use crate::broker::{Broker, BrokerError};
use crate::job::id::JobId;
use crate::job::run::Run;
use crate::names::subject;
use crate::names::subject::DEAD;
use crate::wire;

impl Broker {
    /// Publishes a dead letter and says its sequence; one that is there already
    /// is enough.
    pub(crate) async fn bury(&self, run: &Run) -> Result<Option<u64>, BrokerError> {
        let what = || format!("publishing the dead letter of job {}", run.job.id);
        let mut headers = HeaderMap::new();
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, "0");
        let subject = subject::dead(&run.queue, &run.job.id);
        let answer = self
            .jetstream
            .publish_with_headers(subject, headers, wire::encode(run))
            .await
            .map_err(BrokerError::request(what()))?
            .await;
        match answer {
            Ok(published) => Ok(Some(published.sequence)),
            Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(None),
            Err(error) => Err(BrokerError::request(what())(error)),
        }
    }

    /// The dead letter of a job; `None` where it has none that can be read.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn dead_letter(&self, job: &JobId) -> Result<Option<Run>, BrokerError> {
        let subject = subject::dead_anywhere(job);
        let found = self
            .last_of_each(DEAD, std::slice::from_ref(&subject))
            .await?;
        Ok(found.first().and_then(|stored| self.read(stored)))
    }

    /// Takes a dead letter back: the job is not dead after all.
    pub(crate) async fn unbury(&self, job: &JobId) -> Result<(), BrokerError> {
        self.purge_stream(DEAD, &subject::dead_anywhere(job), None)
            .await
    }

    /// Takes this one dead letter back, and none that another published.
    pub(crate) async fn withdraw(&self, job: &JobId, letter: u64) -> Result<(), BrokerError> {
        self.purge_stream(DEAD, &subject::dead_anywhere(job), Some(letter))
            .await
    }
}
