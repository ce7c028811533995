//! Connecting to the broker, and checking that the server is suitable.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::{Event, jetstream};

use crate::broker::BrokerError;
use crate::broker::nats::clock::Clock;
use crate::broker::nats::link::Link;
use crate::broker::nats::unreadable::Unread;
use crate::broker::nats::{Nats, link};

/// The oldest server with message schedules and atomic batches.
const NEEDED: (i64, i64) = (2, 12);
const NEEDED_TEXT: &str = "2.12";
/// How long the first connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Two missed pings break the connection, well before a lease runs out.
const PING: Duration = Duration::from_secs(5);

/// Addresses of servers, comma-separated, possibly with credentials. `Display` and `Debug` leave the credentials out.
#[derive(Clone, PartialEq, Eq)]
pub struct Servers(String);

impl Servers {
    /// The addresses with their credentials.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The credentials of the first address that has some: a user with a password, or a token. The client library
    /// parses but does not use them.
    fn credentials(&self) -> Option<(String, Option<String>)> {
        let decoded = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8_lossy()
                .into_owned()
        };
        self.0.split(',').find_map(|url| {
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
}

impl<T: Into<String>> From<T> for Servers {
    fn from(addresses: T) -> Self {
        Self(addresses.into())
    }
}

impl fmt::Display for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.split(',').map(|url| match url.rsplit_once('@') {
            Some((_, host)) => format!("nats://{host}"),
            None => url.trim().to_owned(),
        });
        f.write_str(&shown.collect::<Vec<_>>().join(", "))
    }
}

impl fmt::Debug for Servers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// How to reach a broker, and how to treat its jobs.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// The addresses of the broker's servers.
    pub servers: Servers,
    /// A `.creds` file.
    pub credentials: Option<PathBuf>,
    /// The name of this connection on the server.
    pub name: String,
    /// How long a claimed job may go without a sign of life. For lanes that this connection makes; an existing lane
    /// keeps its own.
    pub ack_wait: Duration,
    /// Copies of every stream in a cluster: 1, 3 or 5.
    pub replicas: usize,
    /// How long a job waits after its first failed attempt; twice as long after each further one.
    pub retry_after: Duration,
}

impl ConnectOptions {
    /// The default of [`ConnectOptions::ack_wait`].
    pub const ACK_WAIT: Duration = Duration::from_secs(30);

    /// The default of [`ConnectOptions::retry_after`].
    pub const RETRY_AFTER: Duration = Duration::from_secs(5);

    /// The defaults, for these servers.
    pub fn new(servers: impl Into<Servers>, name: impl Into<String>) -> Self {
        Self {
            servers: servers.into(),
            credentials: None,
            name: name.into(),
            ack_wait: Self::ACK_WAIT,
            replicas: 1,
            retry_after: Self::RETRY_AFTER,
        }
    }
}

impl Nats {
    /// Connects, and checks the server's version and that it runs JetStream.
    pub(crate) async fn connect(options: &ConnectOptions) -> Result<Self, BrokerError> {
        let url = options.servers.to_string();
        let (link, observer) = Link::new();
        let mut nats = async_nats::ConnectOptions::new();
        if let Some(file) = &options.credentials {
            nats = nats.credentials_file(file).await.map_err(|source| {
                let file = file.clone();
                BrokerError::Credentials { file, source }
            })?;
        }
        nats = match options.servers.credentials() {
            Some((user, Some(password))) => nats.user_and_password(user, password),
            Some((token, None)) => nats.token(token),
            None => nats,
        };
        let addresses: Vec<&str> = options.servers.0.split(',').map(str::trim).collect();
        let connected = nats
            .name(&options.name)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING)
            .reconnect_delay_callback(link::reconnect_delay)
            .event_callback(move |event| {
                log(&event);
                observer.heard(&event);
                std::future::ready(())
            })
            .connect(addresses)
            .await;
        let client = match connected {
            Ok(client) => client,
            Err(error) => {
                return Err(BrokerError::Unreachable {
                    url,
                    source: error.into(),
                });
            }
        };
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
        Ok(Self {
            jetstream: jetstream::new(client.clone()),
            client,
            link,
            clock: Clock::default(),
            unread: Unread::default(),
        })
    }
}

fn log(event: &Event) {
    match event {
        Event::Connected => tracing::debug!("connected to NATS"),
        Event::Disconnected => tracing::warn!("lost the connection to NATS; reconnecting"),
        // The only trace of a missing permission: the request itself just times out.
        Event::ServerError(error) => tracing::error!(%error, "NATS server error"),
        event => tracing::debug!(%event, "NATS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_from_the_address() {
        let credentials = |addresses: &str| Servers::from(addresses).credentials();
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
        let options = ConnectOptions::new("nats://me:secret@a:4222, b:4222", "test");
        assert_eq!(options.servers.to_string(), "nats://a:4222, b:4222");
        let printed = format!("{options:?}");
        assert!(printed.contains("nats://a:4222"), "{printed}");
        assert!(!printed.contains("secret"), "{printed}");
    }
}
