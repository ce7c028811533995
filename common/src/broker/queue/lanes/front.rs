//! The front marker: a message before those of a long queue, which no lane delivers.
//!
//! While the job that a lane delivers next is the first message of the whole stream, nats-server 2.15 counts all
//! messages that match the lane's filter: at 200,000 pending jobs each claim then takes 160 ms instead of 0.2 ms.

use bytes::Bytes;

use crate::broker::nats::message::Message;
use crate::broker::{Broker, BrokerError};
use crate::names::subject;
use crate::names::subject::JOBS;

impl Broker {
    /// Stores the marker before the messages that follow.
    pub(crate) async fn insert_front_marker(&self) -> Result<(), BrokerError> {
        let marker = Message::new(subject::FRONT, Bytes::new());
        self.store_message(marker).await
    }

    /// Removes the marker, if no message is left behind it.
    pub async fn remove_front_marker(&self) -> Result<(), BrokerError> {
        let Some(front) = self.nats.last(JOBS, subject::FRONT).await? else {
            return Ok(());
        };
        let after = front.sequence + 1;
        let behind = self.nats.first_from(JOBS, ">", after).await?;
        let jobs = self.nats.first_from(JOBS, subject::WAKE_SOURCE, 1).await?;
        if behind.is_none() && jobs.is_none() {
            self.remove_messages(subject::FRONT, Some(front.sequence))
                .await?;
        }
        Ok(())
    }
}
