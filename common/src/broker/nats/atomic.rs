//! Atomic batches: messages that are stored together or not at all. async-nats has no helper for these.

use async_nats::header::{NATS_BATCH_COMMIT, NATS_BATCH_ID, NATS_BATCH_SEQUENCE};
use async_nats::jetstream;
use serde::Deserialize;

use crate::broker::BrokerError;
use crate::broker::nats::Nats;
use crate::broker::nats::message::Message;

/// The broker's limit for the messages of one atomic batch.
pub(crate) const MOST: usize = 1000;

/// The broker's answer to the last message of a batch.
#[derive(Deserialize)]
struct Commit {
    error: Option<jetstream::Error>,
}

impl Nats {
    /// Stores all of the messages, up to [`MOST`] of one stream, or none; `false` if a guard does not hold.
    pub(crate) async fn store_all(
        &self,
        what: &str,
        messages: impl IntoIterator<Item = Message>,
    ) -> Result<bool, BrokerError> {
        let batch = uuid::Uuid::now_v7().simple().to_string();
        let mut messages = messages.into_iter().enumerate().peekable();
        while let Some((index, message)) = messages.next() {
            let message = message
                .with(NATS_BATCH_ID, &batch)
                .with(NATS_BATCH_SEQUENCE, index + 1);
            if messages.peek().is_some() {
                self.client
                    .publish_with_headers(message.subject, message.headers, message.payload)
                    .await
                    .map_err(BrokerError::request(what))?;
                continue;
            }
            let message = message.with(NATS_BATCH_COMMIT, 1);
            let answer = self
                .client
                .request_with_headers(message.subject, message.headers, message.payload)
                .await
                .map_err(BrokerError::request(what))?;
            let commit: Commit =
                serde_json::from_slice(&answer.payload).map_err(BrokerError::request(what))?;
            let Some(error) = commit.error else {
                return Ok(true);
            };
            let error: BrokerError = BrokerError::request(what)(error);
            return if error.is_conflict() {
                Ok(false)
            } else {
                Err(error)
            };
        }
        Ok(true)
    }
}
