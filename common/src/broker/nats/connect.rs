//! Connecting to the broker, and checking that the server is suitable.

use std::path::PathBuf;
use std::time::Duration;

use async_nats::{ConnectErrorKind, Event, jetstream};

use crate::broker::BrokerError;
use crate::broker::farm::replicas::Replicas;
use crate::broker::nats::authority::Authority;
use crate::broker::nats::clock::Clock;
use crate::broker::nats::link::Link;
use crate::broker::nats::servers::Servers;
use crate::broker::nats::unreadable::Unread;
use crate::broker::nats::{Nats, link};
use crate::names::nkey::{Signer, UserSeed};
use crate::names::subject;
use crate::names::token::Token;

/// The oldest server with message schedules and atomic batches.
const NEEDED: (i64, i64) = (2, 12);
const NEEDED_TEXT: &str = "2.12";
/// How long the first connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Two missed pings break the connection, well before a lease runs out.
const PING: Duration = Duration::from_secs(5);

/// How to reach a broker, and how to treat its jobs.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// The addresses of the broker's servers.
    pub servers: Servers,
    /// A `.creds` file.
    pub credentials: Option<PathBuf>,
    /// The key of the broker's user.
    pub key: Option<UserSeed>,
    /// The key that signs the jobs and libraries that are ordered over this connection; without one, they are not signed.
    pub signer: Option<Signer>,
    /// The name of the broker's user, where the addresses do not hold it. Answers come to an inbox of the user's own.
    pub user: Option<Token>,
    /// Who must have signed the servers' certificates; without one, TLS trusts what this machine trusts.
    pub authority: Option<Authority>,
    /// The name of this connection on the server.
    pub name: String,
    /// How long a claimed job may go without a sign of life. For lanes that this connection makes; an existing lane
    /// keeps its own.
    pub ack_wait: Duration,
    /// Copies of every stream in a cluster.
    pub replicas: Replicas,
    /// How long a job waits after its first failed attempt; twice as long after each further one.
    pub retry_after: Duration,
    /// Who tells a person what the broker refuses for want of a right.
    pub refusals: Refusals,
}

/// Who tells a person what the broker refuses for want of a right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Refusals {
    /// The log. The request itself just gets no answer.
    #[default]
    Logged,
    /// The program, for requests ([`Broker::refused`](crate::broker::Broker::refused)); the log, for subscriptions.
    RequestsTold,
    /// The program, for all.
    Told,
}

impl ConnectOptions {
    /// The default of [`ConnectOptions::ack_wait`].
    pub const ACK_WAIT: Duration = Duration::from_secs(30);

    /// The shortest [`ConnectOptions::ack_wait`]: a worker shows a sign of life every third of it.
    pub const SHORTEST_ACK_WAIT: Duration = Duration::from_secs(1);

    /// The default of [`ConnectOptions::retry_after`].
    pub const RETRY_AFTER: Duration = Duration::from_secs(5);

    /// The defaults, for these servers.
    pub fn new(servers: impl Into<Servers>, name: impl Into<String>) -> Self {
        Self {
            servers: servers.into(),
            credentials: None,
            key: None,
            signer: None,
            user: None,
            authority: None,
            name: name.into(),
            ack_wait: Self::ACK_WAIT,
            replicas: Replicas::ONE,
            retry_after: Self::RETRY_AFTER,
            refusals: Refusals::default(),
        }
    }

    /// The name of the broker's user, where it can be part of a subject.
    fn user(&self) -> Option<Token> {
        self.user.clone().or_else(|| {
            let (user, _) = self
                .servers
                .credentials()
                .filter(|(_, password)| password.is_some())?;
            user.parse().ok()
        })
    }
}

impl Nats {
    /// Connects, and checks the server's version and that it runs JetStream.
    pub(crate) async fn connect(options: &ConnectOptions) -> Result<Self, BrokerError> {
        options.servers.check()?;
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
        if let Some(key) = &options.key {
            nats = nats.nkey(key.reveal().to_owned());
        }
        if let Some(user) = options.user() {
            nats = nats.custom_inbox_prefix(subject::inbox(&user));
        }
        if let Some(authority) = &options.authority {
            nats = nats
                .tls_client_config(authority.client()?)
                .require_tls(true);
        }
        let addresses: Vec<&str> = options.servers.addresses().collect();
        let refusals = options.refusals;
        let connected = nats
            .name(&options.name)
            .connection_timeout(CONNECT_TIMEOUT)
            .ping_interval(PING)
            .reconnect_delay_callback(link::reconnect_delay)
            .event_callback(move |event| {
                match observer.is_late_answer(&event) {
                    true => tracing::debug!(%event, "too late for an answer"),
                    false => log(&event, refusals),
                }
                observer.heard(&event);
                std::future::ready(())
            })
            .connect(addresses)
            .await;
        let client = match connected {
            Ok(client) => client,
            Err(error) => {
                let is_refused = matches!(
                    error.kind(),
                    ConnectErrorKind::AuthorizationViolation | ConnectErrorKind::Authentication
                );
                let source = error.into();
                return Err(match is_refused {
                    true => BrokerError::Unauthorized { url, source },
                    false => BrokerError::Unreachable { url, source },
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

fn log(event: &Event, refusals: Refusals) {
    match event {
        Event::Connected => tracing::debug!("connected to NATS"),
        Event::Disconnected => tracing::warn!("lost the connection to NATS; reconnecting"),
        Event::ServerError(error) if is_told(event, refusals) => {
            tracing::debug!(%error, "NATS server error");
        }
        // The only trace of a missing permission: the request itself just times out.
        Event::ServerError(error) => tracing::error!(%error, "NATS server error"),
        event => tracing::debug!(%event, "NATS"),
    }
}

/// Whether the program tells of this itself.
fn is_told(event: &Event, refusals: Refusals) -> bool {
    link::refused(event).is_some_and(|what| match refusals {
        Refusals::Logged => false,
        Refusals::RequestsTold => link::unpublished(what).is_some(),
        Refusals::Told => true,
    })
}
