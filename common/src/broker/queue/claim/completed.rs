//! A completed job whose message is not acknowledged yet, because something follows from its completion.

use std::sync::Arc;

use async_nats::jetstream;
use jiff::SignedDuration;

use crate::broker::{Broker, BrokerError};
use crate::job::Job;
use crate::job::run::Run;

/// A completed job whose message is not acknowledged yet. Without an acknowledgement, the message is delivered again.
pub struct CompletedJob {
    broker: Broker,
    message: Arc<jetstream::Message>,
    job: Job,
    run: Run,
    revision: u64,
}

impl CompletedJob {
    pub(super) fn new(
        broker: Broker,
        message: Arc<jetstream::Message>,
        job: Job,
        run: Run,
        revision: u64,
    ) -> Self {
        Self {
            broker,
            message,
            job,
            run,
            revision,
        }
    }

    /// The job as the message has it. A message that a person sent again may allow more than the first one did.
    pub fn job(&self) -> &Job {
        &self.job
    }

    /// The completed run.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// The revision of the completed run.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Acknowledges the message: nothing is left to do for the job.
    ///
    /// # Errors
    /// The broker gives no answer. Then the message is delivered again.
    pub async fn ack(self) -> Result<(), BrokerError> {
        self.broker.ack(&self.message).await?;
        if self.run.job.fallbacks.is_some() {
            self.broker.sweep(&self.run.job.id, self.revision).await?;
        }
        Ok(())
    }

    /// Leaves the message to any worker, after this time.
    ///
    /// # Errors
    /// The broker gives no answer. Then the message is delivered again after its lease.
    pub async fn leave(self, wait: SignedDuration) -> Result<(), BrokerError> {
        self.broker.nak_later(&self.message, wait).await
    }
}
