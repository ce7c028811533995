//! NATS with JetStream, as the farm uses it: the connection, the server's clock, and reading and writing streams,
//! consumers and buckets. Knows no job.
//!
//! More than 12 entries: one for each thing that a client needs to know of NATS.

pub(super) mod atomic;
pub(super) mod authority;
pub(super) mod clock;
pub(super) mod connect;
pub(super) mod consumers;
pub(super) mod direct;
pub(super) mod kv;
pub(super) mod link;
pub(super) mod message;
pub(super) mod servers;
pub(super) mod snapshot;
pub(super) mod streams;
pub(super) mod unreadable;

use std::time::Duration;

use async_nats::connection::State;
use async_nats::{Subscriber, ToSubject, jetstream};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use crate::broker::BrokerError;
use clock::Clock;
use link::{Link, RECONNECT};
use unreadable::Unread;

/// Wait between two tries of a request without an answer.
const RETRY: Duration = Duration::from_millis(250);

/// Requests that are under way at the same time: one after the other, a distant broker would take minutes.
const AT_ONCE: usize = 16;

/// Awaits requests, several at the same time; the results are in the order of the requests.
pub(crate) async fn all_of<T>(
    requests: Vec<impl Future<Output = Result<T, BrokerError>>>,
) -> Result<Vec<T>, BrokerError> {
    futures::stream::iter(requests)
        .buffered(AT_ONCE)
        .try_collect()
        .await
}

/// A connection to a server.
#[derive(Clone)]
pub(crate) struct Nats {
    pub client: async_nats::Client,
    pub jetstream: jetstream::Context,
    pub link: Link,
    pub clock: Clock,
    pub unread: Unread,
}

impl Nats {
    pub(crate) fn is_connected(&self) -> bool {
        self.client.connection_state() == State::Connected
    }

    /// Returns once the client is connected: requests during an outage would pile up, and all be sent at once
    /// afterwards.
    pub(crate) async fn connected(&self) {
        let mut connections = self.link.connections();
        while !self.is_connected() {
            // The sender lives as long as the client does.
            let again = connections.changed();
            let _ = tokio::time::timeout(RECONNECT, again).await;
        }
    }

    /// Waits until it is worth repeating a request that got no answer.
    pub(crate) async fn before_retry(&self) {
        tokio::time::sleep(RETRY).await;
        self.connected().await;
    }

    /// Subscribes to a subject of core NATS.
    pub(crate) async fn subscribe(
        &self,
        what: &str,
        subject: impl ToSubject,
    ) -> Result<Subscriber, BrokerError> {
        let subscribed = self.client.subscribe(subject).await;
        subscribed.map_err(BrokerError::request(what))
    }

    /// Publishes by core NATS, without an ack.
    pub(crate) async fn notify(
        &self,
        what: &str,
        subject: impl ToSubject,
        payload: Bytes,
    ) -> Result<(), BrokerError> {
        let published = self.client.publish(subject, payload).await;
        published.map_err(BrokerError::request(what))
    }
}
