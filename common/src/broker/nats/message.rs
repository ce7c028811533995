//! A message to be stored, with its guards in the headers.

use async_nats::HeaderMap;
use async_nats::header::{IntoHeaderName, NATS_EXPECTED_LAST_SUBJECT_SEQUENCE};
use bytes::Bytes;

/// A message to be stored.
#[derive(Clone)]
pub(crate) struct Message {
    pub subject: String,
    pub headers: HeaderMap,
    pub payload: Bytes,
}

impl Message {
    pub(crate) fn new(subject: impl Into<String>, payload: Bytes) -> Self {
        Self {
            subject: subject.into(),
            headers: HeaderMap::new(),
            payload,
        }
    }

    pub(crate) fn with(mut self, header: impl IntoHeaderName, value: impl ToString) -> Self {
        self.headers.insert(header, value.to_string());
        self
    }

    /// Guards the message: it is stored only if the subject's last message has this sequence (0: there is none).
    pub(crate) fn after(self, sequence: u64) -> Self {
        self.with(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, sequence)
    }
}
