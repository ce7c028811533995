//! Direct gets: stored messages, many for one request, without a consumer.

use std::time::Duration;

use async_nats::{HeaderMap, Message, StatusCode, header};
use bytes::Bytes;
use futures::StreamExt;
use serde::Serialize;

use crate::broker::BrokerError;
use crate::broker::error::NoAnswer;
use crate::broker::nats::Nats;

/// How long the broker may be silent between two messages of a batch.
const SILENCE: Duration = Duration::from_secs(5);
/// The broker's limit for the messages of one request by subjects.
pub(crate) const MOST_SUBJECTS: usize = 1000;
/// Header of the marker that replaces a deleted value of a bucket.
pub(crate) const OPERATION: &str = "KV-Operation";
/// Header with the number of matching messages behind a message.
const NUM_PENDING: &str = "Nats-Num-Pending";

/// A message as it is stored.
pub(crate) struct Stored {
    pub subject: String,
    pub sequence: u64,
    pub time: Option<jiff::Timestamp>,
    pub payload: Bytes,
    pub headers: HeaderMap,
    /// Whether this is the deletion marker of a bucket, not a value.
    pub is_marker: bool,
    /// Number of messages behind this one that match the same request.
    pub behind: u64,
}

#[derive(Serialize, Default)]
struct Request<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_by_subj: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    multi_last: Option<&'a [String]>,
}

impl Nats {
    /// The last message of each subject that has one; subjects may hold wildcards.
    pub(crate) async fn last_of_each(
        &self,
        stream: &str,
        subjects: &[String],
    ) -> Result<Vec<Stored>, BrokerError> {
        let mut found = Vec::new();
        for some in subjects.chunks(MOST_SUBJECTS) {
            let request = Request {
                multi_last: Some(some),
                ..Default::default()
            };
            found.extend(self.direct_get(stream, &request).await?);
        }
        Ok(found)
    }

    /// The last message of one subject, without wildcards.
    pub(crate) async fn last(
        &self,
        stream: &str,
        subject: &str,
    ) -> Result<Option<Stored>, BrokerError> {
        let request = format!("$JS.API.DIRECT.GET.{stream}.{subject}");
        self.one(stream, request, Bytes::new()).await
    }

    /// The first message whose subject matches, from a sequence on. Cheaper than a page of one: for a page the broker
    /// also counts the messages behind it.
    pub(crate) async fn first_from(
        &self,
        stream: &str,
        filter: &str,
        from: u64,
    ) -> Result<Option<Stored>, BrokerError> {
        let request = Request {
            seq: Some(from.max(1)),
            next_by_subj: Some(filter),
            ..Default::default()
        };
        let payload = serde_json::to_vec(&request).map_err(BrokerError::request(stream))?;
        let request = format!("$JS.API.DIRECT.GET.{stream}");
        self.one(stream, request, payload.into()).await
    }

    /// The one message that answers a direct get.
    async fn one(
        &self,
        stream: &str,
        request: String,
        payload: Bytes,
    ) -> Result<Option<Stored>, BrokerError> {
        let what = || format!("reading the stream {stream}");
        let message = self
            .client
            .request(request, payload)
            .await
            .map_err(BrokerError::request(what()))?;
        match message.status {
            None => Ok(stored(message)),
            Some(StatusCode::NOT_FOUND) => Ok(None),
            Some(status) => Err(BrokerError::request(what())(NoAnswer::status(
                status,
                message.description,
            ))),
        }
    }

    /// Up to `batch` messages whose subject matches, from a sequence on.
    pub(crate) async fn page(
        &self,
        stream: &str,
        filter: &str,
        from: u64,
        batch: usize,
    ) -> Result<Vec<Stored>, BrokerError> {
        let request = Request {
            seq: Some(from.max(1)),
            next_by_subj: Some(filter),
            batch: Some(batch),
            ..Default::default()
        };
        self.direct_get(stream, &request).await
    }

    /// Every message whose subject matches, page by page.
    pub(crate) async fn all(&self, stream: &str, filter: &str) -> Result<Vec<Stored>, BrokerError> {
        let mut found: Vec<Stored> = Vec::new();
        loop {
            let from = found.last().map_or(1, |last| last.sequence + 1);
            let page = self.page(stream, filter, from, MOST_SUBJECTS).await?;
            let is_last = page.last().is_none_or(|last| last.behind == 0);
            found.extend(page);
            if is_last {
                return Ok(found);
            }
        }
    }

    async fn direct_get(
        &self,
        stream: &str,
        request: &Request<'_>,
    ) -> Result<Vec<Stored>, BrokerError> {
        let what = || format!("reading the stream {stream}");
        let failed = |answer: NoAnswer| BrokerError::request(what())(answer);
        let inbox = self.client.new_inbox();
        let mut replies = self
            .client
            .subscribe(inbox.clone())
            .await
            .map_err(BrokerError::request(what()))?;
        let payload = serde_json::to_vec(request).map_err(BrokerError::request(what()))?;
        self.client
            .publish_with_reply(
                format!("$JS.API.DIRECT.GET.{stream}"),
                inbox,
                payload.into(),
            )
            .await
            .map_err(BrokerError::request(what()))?;
        let mut found = Vec::new();
        loop {
            let message = tokio::time::timeout(SILENCE, replies.next())
                .await
                .map_err(|_| failed(NoAnswer::Silence))?
                .ok_or_else(|| failed(NoAnswer::Closed))?;
            match message.status {
                None => found.extend(stored(message)),
                // 204: end of the batch. 404: no message.
                Some(status) if status.as_u16() == 204 => return Ok(found),
                Some(StatusCode::NOT_FOUND) => return Ok(found),
                Some(status) => return Err(failed(NoAnswer::status(status, message.description))),
            }
        }
    }
}

fn stored(message: Message) -> Option<Stored> {
    let headers = message.headers?;
    let text = |name: header::HeaderName| headers.get(name).map(header::HeaderValue::as_str);
    let subject = text(header::NATS_SUBJECT)?.to_owned();
    let sequence = text(header::NATS_SEQUENCE)?.parse().ok()?;
    let time = text(header::NATS_TIME_STAMP).and_then(|time| time.parse().ok());
    Some(Stored {
        subject,
        sequence,
        time,
        is_marker: is_marker(&headers),
        behind: headers
            .get(NUM_PENDING)
            .and_then(|count| count.as_str().parse().ok())
            .unwrap_or(0),
        payload: message.payload,
        headers,
    })
}

fn is_marker(headers: &HeaderMap) -> bool {
    headers.get(OPERATION).is_some() || headers.get(header::NATS_MARKER_REASON).is_some()
}
