//! Connecting.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_nats::{Event, jetstream};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::broker::nats::clock::Clock;
use crate::broker::queue::owner::Owned;
use crate::broker::read::unreadable::Unread;
use crate::broker::{Broker, BrokerError};

/// The oldest server with message schedules and atomic batches.
const NEEDED: (i64, i64) = (2, 12);
const NEEDED_TEXT: &str = "2.12";
/// How long a first connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Two missed pings mean a cut link: noticed well before a lease runs out.
const PING: Duration = Duration::from_secs(5);

/// Longest wait between two tries to connect again: short, so that everybody who
/// is alive is back soon after a broker that was away.
pub(crate) const RECONNECT: Duration = Duration::from_secs(1);

/// Since when the connection stands.
#[derive(Clone)]
pub(crate) struct Link(Arc<Mutex<Option<Instant>>>);

impl Default for Link {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Some(Instant::now()))))
    }
}

impl Link {
    fn heed(&self, event: &Event) {
        let since = match event {
            Event::Connected => Some(Instant::now()),
            Event::Disconnected => None,
            _ => return,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }

    /// Since when it stands; `None` while it is broken.
    pub(crate) fn since(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// For how long it has stood; not at all while it is broken.
    pub(crate) fn stands_for(&self) -> Duration {
        self.since().map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// How to reach a broker.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// Addresses, comma-separated; credentials may stand in them.
    pub url: String,
    /// A `.creds` file.
    pub credentials: Option<std::path::PathBuf>,
    /// What this connection is called on the server.
    pub name: String,
    /// How long a claimed job may go without a sign of life. Given to lanes
    /// that this connection makes; a lane that exists keeps its own.
    pub ack_wait: Duration,
    /// Copies of every stream in a cluster: 1, 3 or 5.
    pub replicas: usize,
    /// How long a job waits after its first failed attempt; twice as long
    /// after each further one.
    pub retry_after: Duration,
}

impl ConnectOptions {
    /// The default of [`ConnectOptions::ack_wait`].
    pub const ACK_WAIT: Duration = Duration::from_secs(30);

    /// The default of [`ConnectOptions::retry_after`].
    pub const RETRY_AFTER: Duration = Duration::from_secs(5);

    /// The defaults, for a server at `url`.
    pub fn new(url: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: None,
            name: name.into(),
            ack_wait: Self::ACK_WAIT,
            replicas: 1,
            retry_after: Self::RETRY_AFTER,
        }
    }
}

impl Broker {
    /// Connects, checks that the server will do, and makes the streams and
    /// buckets that are missing.
    ///
    /// # Errors
    /// Where the server is out of reach, too old, or refuses.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, BrokerError> {
        let url = without_credentials(&options.url);
        let unreachable = |message: String| BrokerError::Unreachable {
            url: url.clone(),
            message,
        };
        let (connected, connections) = watch::channel(());
        let link = Link::default();
        let mut nats = async_nats::ConnectOptions::new();
        if let Some(file) = &options.credentials {
            nats = nats
                .credentials_file(file)
                .await
                .map_err(|error| unreachable(format!("{}: {error}", file.display())))?;
        }
        nats = match credentials(&options.url) {
            Some((user, Some(password))) => nats.user_and_password(user, password),
            Some((token, None)) => nats.token(token),
            None => nats,
        };
        let addresses = options.url.split(',').map(str::trim).collect::<Vec<_>>();
        let client = nats
            .name(&options.name)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING)
            .reconnect_delay_callback(reconnect_delay)
            .event_callback({
                let link = link.clone();
                move |event| {
                    log(&event);
                    link.heed(&event);
                    if matches!(event, Event::Connected) {
                        connected.send_replace(());
                    }
                    std::future::ready(())
                }
            })
            .connect(addresses)
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let server = client.server_info();
        if !client.is_server_compatible(NEEDED.0, NEEDED.1, 0) {
            return Err(BrokerError::TooOld {
                url,
                found: server.version,
                needed: NEEDED_TEXT,
            });
        }
        if !server.jetstream {
            return Err(BrokerError::NoJetStream { url });
        }
        let broker = Self {
            jetstream: jetstream::new(client.clone()),
            client,
            connections,
            link,
            clock: Clock::default(),
            owned: Owned::default(),
            unread: Unread::default(),
            ack_wait: options.ack_wait,
            replicas: options.replicas,
            retry_after: options.retry_after,
        };
        broker.ensure_topology().await?;
        broker.set_clock().await;
        Ok(broker)
    }
}

/// How long to wait before the connection is tried again for so many times in a row.
fn reconnect_delay(tries: usize) -> Duration {
    Duration::from_millis(1 << tries.min(10)).min(RECONNECT)
}

fn log(event: &Event) {
    match event {
        Event::Connected => tracing::debug!("connected to NATS"),
        Event::Disconnected => tracing::warn!("lost the connection to NATS; reconnecting"),
        // A missing permission shows here and nowhere else: requests just time out.
        Event::ServerError(error) => tracing::error!(%error, "NATS server error"),
        event => tracing::debug!(%event, "NATS"),
    }
}

/// The credentials of the first address that carries some: a user with a
/// password, or a token. The client library parses them and leaves it at that.
fn credentials(urls: &str) -> Option<(String, Option<String>)> {
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    urls.split(',').find_map(|url| {
        let (before, _) = url.rsplit_once('@')?;
        let text = before
            .split_once("://")
            .map_or(before, |(_, rest)| rest)
            .trim();
        Some(match text.split_once(':') {
            Some((user, password)) => (decoded(user), Some(decoded(password))),
            None => (decoded(text), None),
        })
    })
}

/// Addresses without what stands before an `@`.
fn without_credentials(urls: &str) -> String {
    urls.split(',')
        .map(|url| match url.rsplit_once('@') {
            Some((_, host)) => format!("nats://{host}"),
            None => url.trim().to_owned(),
        })
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::{credentials, without_credentials};

    #[test]
    fn credentials_are_read_from_the_address() {
        let some = |user: &str, password: Option<&str>| {
            Some((user.to_owned(), password.map(str::to_owned)))
        };
        assert_eq!(
            credentials("nats://a:4222, nats://me:p%40ss@b:4222"),
            some("me", Some("p@ss"))
        );
        assert_eq!(credentials("nats://token@a:4222"), some("token", None));
        assert_eq!(credentials("a:4222"), None);
    }

    #[test]
    fn credentials_never_reach_a_message() {
        assert_eq!(
            without_credentials("nats://me:secret@a:4222, b:4222"),
            "nats://a:4222, b:4222"
        );
    }
}
