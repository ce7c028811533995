//! Notices without JetStream: wake-ups of idle workers, and to the owner of a job
//! that its run has changed. One that is lost costs time only.

use async_nats::Subscriber;
use bytes::Bytes;

use crate::broker::{Broker, BrokerError};
use crate::farm::queue::{Lane, Queue};
use crate::job::id::JobId;
use crate::names::subject;

impl Broker {
    /// Wake-ups of a queue: each reaches one of the workers that listen.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn wakeups(&self, queue: &Queue) -> Result<Subscriber, BrokerError> {
        let subject = subject::wake(queue);
        let group = subject.clone();
        let subscribed = self.nats.client.queue_subscribe(subject, group).await;
        let what = format!("listening for jobs of the queue {queue}");
        subscribed.map_err(BrokerError::request(what))
    }

    /// Wakes a worker of a queue, for jobs that came back or were left over: the
    /// broker itself wakes one only when a job is first published.
    ///
    /// # Errors
    /// Where the connection is gone.
    pub async fn wake(&self, lane: &Lane) -> Result<(), BrokerError> {
        let subject = subject::wake(&lane.queue);
        self.nats
            .notify("waking a worker", subject, Bytes::new())
            .await
    }

    /// Has the worker that runs the job look at its run again.
    pub(crate) async fn notify_owner(&self, job: &JobId) {
        let subject = subject::control_job(job);
        let told = self
            .nats
            .notify("telling a job's owner", subject, Bytes::new());
        if let Err(error) = told.await {
            tracing::debug!(%job, %error, "its worker hears of it with its next sign of life");
        }
    }
}
