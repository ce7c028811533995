//! Wake-ups: the broker's messages that a queue has a new job. Each wake-up reaches one of the idle workers that
//! serve the queue.

use async_nats::Subscriber;
use async_nats::header::NATS_SUBJECT;
use common::broker::{Broker, BrokerError};
use common::farm::queue::{Lane, Queue};
use common::names::subject::JobSubject;
use futures::StreamExt;
use futures::stream::SelectAll;

/// A member of the queue groups of some queues.
pub(super) struct Wakeups {
    broker: Broker,
    subscriptions: SelectAll<Subscriber>,
}

impl Wakeups {
    /// Joins the queue group of each of these queues.
    pub(super) async fn join(broker: Broker, queues: &[Queue]) -> Result<Self, BrokerError> {
        let mut subscriptions = SelectAll::new();
        for queue in queues {
            subscriptions.push(broker.wakeups(queue).await?);
        }
        Ok(Self {
            broker,
            subscriptions,
        })
    }

    /// Waits for the next wake-up and returns the lane of its job, if the wake-up names it; `None` if no more
    /// wake-ups will arrive.
    pub(super) async fn next(&mut self) -> Option<Option<Lane>> {
        let wakeup = self.subscriptions.next().await?;
        let lane = || {
            let subject = wakeup.headers.as_ref()?.get(NATS_SUBJECT)?;
            Some(JobSubject::parse(subject.as_str())?.lane)
        };
        Some(lane())
    }

    /// Leaves the queue groups, and passes on the wake-ups that have arrived meanwhile: they are for idle workers.
    pub(super) async fn leave(self) {
        for mut subscription in self.subscriptions {
            if subscription.drain().await.is_err() {
                continue;
            }
            while let Some(message) = subscription.next().await {
                let headers = message.headers.unwrap_or_default();
                let client = self.broker.client();
                let passed = client
                    .publish_with_headers(message.subject, headers, message.payload)
                    .await;
                if let Err(error) = passed {
                    tracing::debug!(%error, "a wake-up was not passed on");
                }
            }
        }
    }
}
