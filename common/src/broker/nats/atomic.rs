//! Atomic batches: messages that are stored together or not at all.
//! async-nats has no helper for these.

use async_nats::header::{NATS_BATCH_COMMIT, NATS_BATCH_ID, NATS_BATCH_SEQUENCE};
use async_nats::{Client, HeaderMap};
use bytes::Bytes;
use serde::Deserialize;

use crate::broker::BrokerError;

/// The broker's limit for one atomic batch.
pub(crate) const MOST: usize = 1000;
/// The broker's codes for a guard that does not hold.
const WRONG_LAST_SEQUENCE: [u64; 2] = [10_071, 10_164];

/// A message to be stored, with its guards in the headers.
#[derive(Clone)]
pub(crate) struct Message {
    pub subject: String,
    pub headers: HeaderMap,
    pub payload: Bytes,
}

/// The broker's answer to the last message of a batch.
#[derive(Deserialize)]
struct Commit {
    error: Option<ApiError>,
}

#[derive(Deserialize)]
struct ApiError {
    err_code: u64,
    description: String,
}

/// Stores all of the messages, up to [`MOST`] of one stream, or none: `false`
/// where a guard does not hold.
///
/// # Errors
/// Where the broker gives no answer, or refuses for another reason than a guard.
pub(crate) async fn publish(
    client: &Client,
    what: &str,
    messages: impl IntoIterator<Item = Message>,
) -> Result<bool, BrokerError> {
    let batch = uuid::Uuid::now_v7().simple().to_string();
    let mut messages = messages.into_iter().enumerate().peekable();
    while let Some((index, mut message)) = messages.next() {
        message.headers.insert(NATS_BATCH_ID, batch.as_str());
        message
            .headers
            .insert(NATS_BATCH_SEQUENCE, (index + 1).to_string());
        if messages.peek().is_some() {
            client
                .publish_with_headers(message.subject, message.headers, message.payload)
                .await
                .map_err(BrokerError::request(what))?;
            continue;
        }
        message.headers.insert(NATS_BATCH_COMMIT, "1");
        let answer = client
            .request_with_headers(message.subject, message.headers, message.payload)
            .await
            .map_err(BrokerError::request(what))?;
        let commit: Commit =
            serde_json::from_slice(&answer.payload).map_err(BrokerError::request(what))?;
        return match commit.error {
            None => Ok(true),
            Some(error) if WRONG_LAST_SEQUENCE.contains(&error.err_code) => Ok(false),
            Some(error) => Err(BrokerError::Request {
                what: what.to_owned(),
                message: error.description,
            }),
        };
    }
    Ok(true)
}
