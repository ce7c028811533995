//! Notices by core NATS: wake-ups of idle workers, and to a job's owner that its run has changed. A lost notice costs
//! time only.

use async_nats::Subscriber;
use bytes::Bytes;

use crate::broker::{Broker, BrokerError};
use crate::farm::queue::{Lane, Queue};
use crate::job::id::JobId;
use crate::names::subject;

impl Broker {
    /// The wake-ups of a queue; each reaches one of the subscribed workers.
    pub async fn wakeups(&self, queue: &Queue) -> Result<Subscriber, BrokerError> {
        let subject = subject::wake(queue);
        let group = subject.clone();
        let subscribed = self.nats.client.queue_subscribe(subject, group).await;
        let what = format!("listening for jobs of the queue {queue}");
        subscribed.map_err(BrokerError::request(what))
    }

    /// Wakes one worker of a queue, for a job that was released or left over: the broker itself sends a wake-up only
    /// when a job is published.
    pub async fn wake(&self, lane: &Lane) -> Result<(), BrokerError> {
        let subject = subject::wake(&lane.queue);
        self.nats
            .notify("waking a worker", subject, Bytes::new())
            .await
    }

    /// Makes the owner of a job read its run again.
    pub(crate) async fn notify_owner(&self, job: &JobId) {
        let subject = subject::control_job(job);
        let sent = self
            .nats
            .notify("telling a job's owner", subject, Bytes::new());
        if let Err(error) = sent.await {
            tracing::debug!(%job, %error, "the owner was not notified; it reads the run with its next sign of life");
        }
    }
}
