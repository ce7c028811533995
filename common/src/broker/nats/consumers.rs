//! Durable pull consumers: made, listed, asked, and fetched from.

use std::time::Duration;

use async_nats::StatusCode;
use async_nats::jetstream::consumer::{Info, IntoConsumerConfig, pull};
use async_nats::jetstream::{self, AckKind, ErrorCode};
use futures::StreamExt;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::broker::error::NoAnswer;
use crate::broker::nats::Nats;
use crate::broker::{BrokerError, RequestFailure};

/// The broker answers a `no_wait` request at once: a longer silence means that the request was lost with a leader.
const SILENCE: Duration = Duration::from_secs(3);

/// One page of a stream's consumers, or of their names.
#[derive(Deserialize)]
struct Page<T> {
    total: usize,
    consumers: Option<Vec<T>>,
}

impl Nats {
    /// The broker's information about a consumer; `None` if there is none.
    pub(crate) async fn consumer(
        &self,
        stream: &str,
        name: &str,
    ) -> Result<Option<Info>, BrokerError> {
        let what = format!("looking at the consumer {name}");
        let verb = format!("CONSUMER.INFO.{stream}.{name}");
        match self.api(&what, verb, &json!({})).await {
            Ok(info) => Ok(Some(info)),
            Err(error)
                if error.failure()
                    == Some(RequestFailure::Refused(ErrorCode::CONSUMER_NOT_FOUND.0)) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Every consumer of a stream.
    pub(crate) async fn consumers(&self, stream: &str) -> Result<Vec<Info>, BrokerError> {
        self.listed(stream, "LIST").await
    }

    /// The name of every consumer of a stream.
    pub(crate) async fn consumer_names(&self, stream: &str) -> Result<Vec<String>, BrokerError> {
        self.listed(stream, "NAMES").await
    }

    async fn listed<T: DeserializeOwned>(
        &self,
        stream: &str,
        how: &str,
    ) -> Result<Vec<T>, BrokerError> {
        let what = format!("listing the consumers of {stream}");
        let mut listed = Vec::new();
        loop {
            let body = json!({ "offset": listed.len() });
            let verb = format!("CONSUMER.{how}.{stream}");
            let page: Page<T> = self.api(&what, verb, &body).await?;
            let found = page.consumers.unwrap_or_default();
            let is_last = found.is_empty();
            listed.extend(found);
            if is_last || listed.len() >= page.total {
                return Ok(listed);
            }
        }
    }

    /// Makes a consumer; an existing one of that name is an error and stays as it is.
    pub(crate) async fn create_consumer(
        &self,
        stream: &str,
        name: &str,
        config: pull::Config,
    ) -> Result<(), BrokerError> {
        let what = format!("making the consumer {name}");
        let verb = format!("CONSUMER.CREATE.{stream}.{name}.{}", config.filter_subject);
        let config = config.into_consumer_config();
        let body = json!({ "stream_name": stream, "config": config, "action": "create" });
        self.api::<Value>(&what, verb, &body).await.map(drop)
    }

    pub(crate) async fn delete_consumer(
        &self,
        stream: &str,
        name: &str,
    ) -> Result<(), BrokerError> {
        let what = format!("removing the consumer {name}");
        let verb = format!("CONSUMER.DELETE.{stream}.{name}");
        self.api::<Value>(&what, verb, &json!({})).await.map(drop)
    }

    /// Messages that a consumer can deliver at once. A plain request: it needs one permission and no consumer handle.
    pub(crate) async fn fetch(
        &self,
        stream: &str,
        consumer: &str,
        most: usize,
    ) -> Result<Vec<jetstream::Message>, BrokerError> {
        let what = || format!("taking from the lane {consumer}");
        let failed = |answer: NoAnswer| BrokerError::request(what())(answer);
        // With an inbox of its own: a job arrives under its own subject, which the shared inbox would not recognise
        // as an answer.
        let inbox = self.client.new_inbox();
        let mut answers = self.subscribe(&what(), inbox.clone()).await?;
        self.client
            .publish_with_reply(
                format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
                inbox,
                format!(r#"{{"batch":{most},"no_wait":true}}"#).into(),
            )
            .await
            .map_err(BrokerError::request(what()))?;
        let mut messages = Vec::new();
        while messages.len() < most {
            let message = match tokio::time::timeout(SILENCE, answers.next()).await {
                Ok(Some(message)) => message,
                // Messages that have come already must not be lost because of a later failure.
                _ if !messages.is_empty() => break,
                Ok(None) => return Err(failed(NoAnswer::Closed)),
                Err(_) => return Err(failed(NoAnswer::Silence)),
            };
            match message.status {
                None => messages.push(jetstream::Message {
                    message,
                    context: self.jetstream.clone(),
                }),
                Some(
                    StatusCode::NOT_FOUND | StatusCode::TIMEOUT | StatusCode::REQUEST_TERMINATED,
                ) => break,
                Some(_) if !messages.is_empty() => break,
                Some(status) => return Err(failed(NoAnswer::status(status, message.description))),
            }
        }
        Ok(messages)
    }

    /// Acknowledges a delivered message, and waits for the broker's confirmation.
    pub(crate) async fn ack(
        &self,
        what: impl FnOnce() -> String,
        message: &jetstream::Message,
    ) -> Result<(), BrokerError> {
        let sent = message.ack().await;
        sent.map_err(|error| BrokerError::request(what())(error))
    }

    /// Sends another answer for a delivered message, without confirmation.
    pub(crate) async fn answer(
        &self,
        what: impl FnOnce() -> String,
        message: &jetstream::Message,
        answer: AckKind,
    ) -> Result<(), BrokerError> {
        let sent = message.ack_with(answer).await;
        sent.map_err(|error| BrokerError::request(what())(error))
    }
}
