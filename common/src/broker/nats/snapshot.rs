//! Copies of whole streams, as the server itself makes and reads them: every message with its sequence, and every
//! consumer with what it has delivered. What is in the pieces is the server's own business.

use std::time::Duration;

use async_nats::jetstream::response::Response;
use async_nats::{Request, Subscriber};
use bytes::Bytes;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::broker::nats::Nats;
use crate::broker::{BrokerError, RequestFailure};

/// Bytes of a piece. It must fit into a message.
const PIECE: usize = 128 * 1024;
/// How long the server may need for one piece: it flushes, and other clients keep it busy.
const ANSWER: Duration = Duration::from_secs(60);
/// How long it may need to make a stream of all pieces: it reads each message.
const MADE: Duration = Duration::from_secs(600);
/// The status of the message that ends a copy without an error.
const ENDS_WELL: u16 = 204;

/// What a stream is and what it held when it was copied, in the server's words.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamHeading {
    config: Value,
    state: Value,
}

impl StreamHeading {
    /// The stream's name.
    pub fn name(&self) -> &str {
        self.config["name"].as_str().unwrap_or_default()
    }

    /// How many messages the stream held.
    pub fn messages(&self) -> u64 {
        self.state["messages"].as_u64().unwrap_or_default()
    }

    /// The same for a server that keeps so many copies of each stream.
    fn with_replicas(&self, replicas: usize) -> Self {
        let mut heading = self.clone();
        heading.config["num_replicas"] = json!(replicas);
        if replicas > 1
            && let Some(config) = heading.config.as_object_mut()
        {
            // Servers write later only where there is one copy.
            config.remove("persist_mode");
        }
        heading
    }
}

/// A stream that is being copied from the server.
pub struct StreamCopy {
    /// What it is.
    pub heading: StreamHeading,
    pieces: Subscriber,
    client: async_nats::Client,
}

impl StreamCopy {
    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// The server gives up, or sends nothing for a minute.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BrokerError> {
        let what = format!("copying {}", self.heading.name());
        let next = tokio::time::timeout(ANSWER, self.pieces.next()).await;
        let Ok(Some(piece)) = next else {
            return Err(BrokerError::request(what)("the server has stopped sending"));
        };
        if let Some(reply) = piece.reply {
            // The server sends a few pieces ahead of these.
            let told = self.client.publish(reply, Bytes::new()).await;
            told.map_err(BrokerError::request(&*what))?;
        }
        match (piece.payload.is_empty(), piece.status) {
            (false, _) => Ok(Some(piece.payload)),
            (true, None) => Ok(None),
            (true, Some(status)) if status.as_u16() == ENDS_WELL => Ok(None),
            (true, Some(status)) => {
                let why = piece.description.unwrap_or_default();
                Err(BrokerError::request(what)(format!("{status} {why}")))
            }
        }
    }
}

/// A stream that is being made of its pieces.
pub struct StreamRestore {
    name: String,
    subject: String,
    client: async_nats::Client,
}

impl StreamRestore {
    /// Sends the next piece.
    ///
    /// # Errors
    /// The server does not take it.
    pub async fn piece(&self, piece: Bytes) -> Result<(), BrokerError> {
        let answer = self.send(piece, ANSWER).await?;
        if answer.is_empty() {
            return Ok(());
        }
        self.read(&answer).map(drop)
    }

    /// Ends the stream, once all pieces are sent; returns the number of its messages.
    ///
    /// # Errors
    /// The pieces make no stream.
    pub async fn finish(self) -> Result<u64, BrokerError> {
        let answer = self.send(Bytes::new(), MADE).await?;
        let made = self.read(&answer)?;
        Ok(made["state"]["messages"].as_u64().unwrap_or_default())
    }

    async fn send(&self, piece: Bytes, patience: Duration) -> Result<Bytes, BrokerError> {
        let request = Request::new().payload(piece).timeout(Some(patience));
        let answer = self.client.send_request(self.subject.clone(), request);
        let answer = answer.await.map_err(BrokerError::request(self.what()))?;
        Ok(answer.payload)
    }

    fn read(&self, answer: &[u8]) -> Result<Value, BrokerError> {
        let answer: Response<Value> =
            serde_json::from_slice(answer).map_err(BrokerError::request(self.what()))?;
        match answer {
            Response::Ok(answer) => Ok(answer),
            Response::Err { error } => Err(BrokerError::request(self.what())(error)),
        }
    }

    fn what(&self) -> String {
        format!("restoring {}", self.name)
    }
}

impl Nats {
    /// Begins to copy a stream. What changes from now on is not part of the copy.
    pub(crate) async fn copy_stream(&self, stream: &str) -> Result<StreamCopy, BrokerError> {
        let inbox = self.client.new_inbox();
        let what = format!("copying {stream}");
        let pieces = self.subscribe(&what, inbox.clone()).await?;
        let body = json!({ "deliver_subject": inbox, "chunk_size": PIECE });
        let verb = format!("STREAM.SNAPSHOT.{stream}");
        let heading: StreamHeading = self.api(&what, verb, &body).await?;
        Ok(StreamCopy {
            heading,
            pieces,
            client: self.client.clone(),
        })
    }

    /// Begins to make a stream of a copy. There must be no stream of its name.
    pub(crate) async fn restore_stream(
        &self,
        heading: &StreamHeading,
        replicas: usize,
    ) -> Result<StreamRestore, BrokerError> {
        #[derive(Deserialize)]
        struct Begun {
            deliver_subject: String,
        }
        let name = heading.name().to_owned();
        let what = format!("restoring {name}");
        let verb = format!("STREAM.RESTORE.{name}");
        let begun: Begun = self
            .api(&what, verb, &heading.with_replicas(replicas))
            .await?;
        Ok(StreamRestore {
            name,
            subject: begun.deliver_subject,
            client: self.client.clone(),
        })
    }

    /// Removes a stream with all that it holds.
    pub(crate) async fn remove_stream(&self, stream: &str) -> Result<(), BrokerError> {
        let what = format!("removing {stream}");
        let verb = format!("STREAM.DELETE.{stream}");
        match self.api::<Value>(&what, verb, &json!({})).await {
            Err(error) if error.failure() != Some(RequestFailure::NoStream) => Err(error),
            _ => Ok(()),
        }
    }
}
