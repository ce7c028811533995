//! Streams: storing messages, and requests to the JetStream API about streams.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::{self, LastRawMessageError, LastRawMessageErrorKind};
use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::broker::nats::Nats;
use crate::broker::nats::message::Message;
use crate::broker::{BrokerError, RequestFailure};

/// The size of a stream.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Extent {
    #[serde(rename = "first_seq")]
    pub first: u64,
    #[serde(rename = "last_seq")]
    pub last: u64,
    pub messages: u64,
}

/// One page of the names of streams.
#[derive(Deserialize)]
struct Names {
    total: usize,
    #[serde(default)]
    streams: Option<Vec<String>>,
}

impl Nats {
    /// A request to the JetStream API.
    pub(crate) async fn api<T: DeserializeOwned>(
        &self,
        what: &str,
        verb: String,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, BrokerError> {
        let answer: Response<T> = self
            .jetstream
            .request(verb, body)
            .await
            .map_err(BrokerError::request(what))?;
        match answer {
            Response::Ok(answer) => Ok(answer),
            Response::Err { error } => Err(BrokerError::request(what)(error)),
        }
    }

    /// Stores a message and returns its sequence.
    pub(crate) async fn store(&self, what: &str, message: Message) -> Result<u64, BrokerError> {
        let stored = self
            .jetstream
            .publish_with_headers(message.subject, message.headers, message.payload)
            .await
            .map_err(BrokerError::request(what))?
            .await
            .map_err(BrokerError::request(what))?;
        Ok(stored.sequence)
    }

    /// The names of all streams.
    pub(crate) async fn stream_names(&self) -> Result<Vec<String>, BrokerError> {
        let mut names = Vec::new();
        loop {
            let body = json!({ "offset": names.len() });
            let page: Names = self
                .api("listing the streams", "STREAM.NAMES".to_owned(), &body)
                .await?;
            let found = page.streams.unwrap_or_default();
            let is_last = found.is_empty();
            names.extend(found);
            if is_last || names.len() >= page.total {
                return Ok(names);
            }
        }
    }

    /// Makes a stream; an existing one stays as it is.
    pub(crate) async fn create_stream(&self, config: &stream::Config) -> Result<(), BrokerError> {
        const EXISTS: RequestFailure = RequestFailure::Refused(ErrorCode::STREAM_NAME_EXIST.0);
        let what = format!("making the stream {}", config.name);
        let verb = format!("STREAM.CREATE.{}", config.name);
        match self.api::<Value>(&what, verb, config).await {
            Err(error) if error.failure() != Some(EXISTS) => Err(error),
            _ => Ok(()),
        }
    }

    pub(crate) async fn extent(&self, stream: &str) -> Result<Extent, BrokerError> {
        #[derive(Deserialize)]
        struct Info {
            state: Extent,
        }
        let what = format!("looking at {stream}");
        let info: Info = self
            .api(&what, format!("STREAM.INFO.{stream}"), &json!({}))
            .await?;
        Ok(info.state)
    }

    /// When a stream was made.
    pub(crate) async fn made(&self, stream: &str) -> Result<jiff::Timestamp, BrokerError> {
        #[derive(Deserialize)]
        struct Info {
            created: jiff::Timestamp,
        }
        let what = format!("looking at {stream}");
        let info: Info = self
            .api(&what, format!("STREAM.INFO.{stream}"), &json!({}))
            .await?;
        Ok(info.created)
    }

    /// Whether the broker says that there is no such stream.
    pub(crate) async fn lacks(&self, stream: &str) -> bool {
        let extent = self.extent(stream).await;
        extent.is_err_and(|error| error.failure() == Some(RequestFailure::NoStream))
    }

    /// The last message of a subject and its sequence, read from the leader: replicas may lag behind, and those of a
    /// new stream may not answer yet.
    pub(crate) async fn leaders_last(
        &self,
        what: &str,
        stream: &str,
        subject: &str,
    ) -> Result<Option<(Bytes, u64)>, BrokerError> {
        let stream = self.jetstream.get_stream_no_info(stream).await;
        let stream = stream.map_err(BrokerError::request(what))?;
        let last = stream.get_last_raw_message_by_subject(subject).await;
        let last = found(what, last)?;
        Ok(last.map(|message| (message.payload, message.sequence)))
    }

    /// Whether a stream has this message, asked of the leader.
    pub(crate) async fn has(&self, stream: &str, sequence: u64) -> Result<bool, BrokerError> {
        let what = format!("looking at {stream}");
        let stream = self.jetstream.get_stream_no_info(stream).await;
        let stream = stream.map_err(BrokerError::request(&*what))?;
        let message = stream.get_raw_message(sequence).await;
        Ok(found(&what, message)?.is_some())
    }

    /// Removes one message of a stream.
    pub(crate) async fn delete(&self, stream: &str, sequence: u64) -> Result<(), BrokerError> {
        let what = format!("removing message {sequence} of {stream}");
        let body = json!({ "seq": sequence, "no_erase": true });
        let verb = format!("STREAM.MSG.DELETE.{stream}");
        self.api::<Value>(&what, verb, &body).await.map(drop)
    }

    /// Removes the messages of a subject, up to and including the sequence `last`.
    pub(crate) async fn purge(
        &self,
        stream: &str,
        subject: &str,
        last: Option<u64>,
    ) -> Result<(), BrokerError> {
        let what = format!("removing {subject}");
        let mut body = json!({ "filter": subject });
        if let Some(last) = last {
            body["seq"] = json!(last + 1);
        }
        let verb = format!("STREAM.PURGE.{stream}");
        self.api::<Value>(&what, verb, &body).await.map(drop)
    }
}

fn found<T>(what: &str, answer: Result<T, LastRawMessageError>) -> Result<Option<T>, BrokerError> {
    match answer {
        Ok(message) => Ok(Some(message)),
        Err(error) if error.kind() == LastRawMessageErrorKind::NoMessageFound => Ok(None),
        Err(error) => Err(BrokerError::request(what)(error)),
    }
}
