//! Batches: the records of jobs that were enqueued together.

use crate::broker::{Broker, BrokerError};
use crate::job::batch::Batch;
use crate::job::id::BatchId;
use crate::names::subject::BATCHES;
use crate::wire;

impl Broker {
    /// Stores the record of a batch, in place of an earlier one.
    pub async fn keep_batch(&self, batch: &Batch) -> Result<(), BrokerError> {
        let what = format!("keeping the batch {}", batch.id);
        let (key, value) = (batch.id.to_string(), wire::encode(batch));
        self.nats.put(BATCHES, &key, value, &what).await.map(drop)
    }

    /// Removes the record of a batch in which no job was enqueued.
    pub async fn forget_batch(&self, batch: &BatchId) -> Result<(), BrokerError> {
        let (key, what) = (batch.to_string(), format!("removing the batch {batch}"));
        match self.nats.last_of_key(BATCHES, &key, &what).await? {
            Some((value, revision)) if !value.is_empty() => {
                self.nats.forget_key(BATCHES, &key, revision, &what).await
            }
            _ => Ok(()),
        }
    }

    /// The record of a batch; `None` if the farm knows it no more.
    pub async fn batch(&self, batch: &BatchId) -> Result<Option<Batch>, BrokerError> {
        let what = format!("reading the batch {batch}");
        let key = batch.to_string();
        self.nats.confirmed_value(BATCHES, &key, &what).await
    }

    /// Every batch, the oldest first.
    pub async fn batches(&self) -> Result<Vec<Batch>, BrokerError> {
        let batches = self.nats.values(BATCHES, "").await?;
        Ok(batches.into_iter().map(|kept| kept.value).collect())
    }
}
