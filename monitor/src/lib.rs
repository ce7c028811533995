//! The monitor: a live web page and the HTTP API behind it.
//!
//! `feed` reads the broker into the [`view`], which folds the live state, and into the [`index`] of
//! all jobs; [`shelf`] holds the files of libraries. [`snapshot`] is the live state as the page gets it; [`view::board`] holds it as text.
//! `scale` tells how many workers are needed. `notify` tells hooks what happens. [`access`] checks roles, `api` answers requests, and `page` is the web page. While nobody looks
//! and there is no hook, the monitor asks the broker next to nothing.
//!
//! More than 12 entries: one folder for each part of the program.

// All that is printed goes through common::program::console, which escapes what a terminal would obey.
#![warn(clippy::print_stdout, clippy::print_stderr)]

pub mod access;
mod api;
mod audit;
pub mod config;
mod feed;
pub mod index;
mod notify;
mod page;
mod reload;
mod scale;
mod serve;
pub mod shelf;
pub mod snapshot;
pub mod view;
mod web;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::broker::{Broker, BrokerError};
use common::notify::send::Sender;
use common::program::exit::Exit;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;

use access::Access;
use access::people::{People, PeopleError};
use api::media::Media;
use audit::Audit;
use feed::audience::Audience;
use index::shared::Listing;
use notify::Notifier;
use scale::Scaler;
use serve::Server;
use serve::tls::{Tls, TlsError};
use view::board::{Board, Publisher};
use web::app::App;
use web::streams::Streams;

/// Why the monitor cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The broker is out of reach.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The passwords cannot be used.
    #[error(transparent)]
    Access(#[from] PeopleError),
    /// The record of changes cannot be written.
    #[error(
        "cannot write the record of changes to {file}: {error}; choose another file with --audit"
    )]
    Audit {
        file: PathBuf,
        error: std::io::Error,
    },
    /// Connections cannot be encrypted.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The page cannot be served.
    #[error("serving the page failed: {0}")]
    Serve(#[from] std::io::Error),
}

impl Error {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Broker(error) => error.into(),
            Self::Access(_) | Self::Audit { .. } | Self::Tls(_) => Exit::Usage,
            Self::Serve(_) => Exit::Failed,
        }
    }
}

/// The OpenAPI document of the monitor's API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api::document()
}

/// Serves the page on `listener` until `shutdown` is cancelled.
///
/// # Errors
/// If the broker is out of reach at the start. If it goes away later, the page says so and the monitor waits for it.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let address = listener.local_addr()?;
    let access = Arc::new(access(&config, address)?);
    let audit = audit(&config)?;
    let tls = match config.tls() {
        Some((certificate, key)) => Some(Tls::read(certificate, key)?),
        None => None,
    };
    let options = config.broker();
    let broker = tokio::select! {
        connected = Broker::set_up(&options) => connected?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!("the page is at {scheme}://{address}");
    if tls.is_none() && !address.ip().is_loopback() && !config.is_plain_on_purpose() {
        tracing::warn!(
            "passwords and the page are sent unencrypted, for everybody on the network to read: start the monitor with \
             --tls-cert FILE --tls-key FILE; or with --proxy ADDRESS behind a proxy that encrypts; or say --plain-http"
        );
    }
    follow_files(&config, &access, tls.as_ref(), &shutdown);

    let board = Board::new();
    let listing = Listing::new();
    let audience = Audience::new(config.linger);
    let feeding = tokio::spawn(feed::run(
        broker.clone(),
        audience.clone(),
        Publisher::new(board.clone()),
        listing.clone(),
        shutdown.clone(),
    ));
    let sender = Sender::new();
    let notifier = Notifier {
        broker: broker.clone(),
        audience: audience.clone(),
        listing: listing.clone(),
        sender: sender.clone(),
    };
    let telling = tokio::spawn(notifier.run(shutdown.clone()));
    let shelf = shelf::Shelf::default();
    // Read once, so that the first viewer of a large library finds it ready.
    let shelving = tokio::spawn({
        let (shelf, broker) = (shelf.clone(), broker.clone());
        async move {
            if let Err(error) = shelf.read(&broker).await {
                tracing::debug!(%error, "the files of libraries are read when somebody asks");
            }
        }
    });
    let scaler = Scaler::new(broker.clone(), audience.clone(), listing.clone());
    let scaling = tokio::spawn(scaler.clone().serve(shutdown.clone()));
    let routes = api::routes(App {
        broker,
        sender,
        board,
        listing,
        pages: Arc::default(),
        scaler,
        stills: Arc::default(),
        shelf,
        frames: Arc::default(),
        media: config
            .store()
            .map(|root| Arc::new(Media::new(root.clone(), config.store_settings()))),
        audience,
        access,
        audit: Arc::new(audit),
        streams: Streams::default(),
        shutdown: shutdown.clone(),
    });
    let server = Server {
        routes,
        tls,
        proxies: config.proxies.iter().map(IpAddr::to_canonical).collect(),
    };
    server.run(listener, shutdown.clone()).await;
    shutdown.cancel();
    shelving.abort();
    let _ = feeding.await;
    let _ = telling.await;
    let _ = scaling.await;
    Ok(())
}

/// People and host names. Without an access file, a loopback address is open, and on any other
/// address a random token is made up and logged.
fn access(config: &Config, address: SocketAddr) -> Result<Access, PeopleError> {
    let people = match config.access() {
        Some(file) => {
            let people = People::read(file)?;
            if people.is_empty() {
                return Err(PeopleError::Empty(file.to_owned()));
            }
            Some(people)
        }
        None if address.ip().is_loopback() => None,
        None => {
            let (people, token) = People::made_up()?;
            tracing::warn!(
                "no --access file is given: until the monitor stops, its password is {token}"
            );
            Some(people)
        }
    };
    Access::new(people, config.hosts().to_vec())
        .map_err(|error| PeopleError::Hash(error.to_string()))
}

/// The record of changes.
fn audit(config: &Config) -> Result<Audit, Error> {
    Audit::new(config.audit.clone()).map_err(|error| Error::Audit {
        file: config.audit.clone().unwrap_or_default(),
        error,
    })
}

/// Reads the access file, the certificate and its key again whenever they change.
fn follow_files(
    config: &Config,
    access: &Arc<Access>,
    tls: Option<&Tls>,
    shutdown: &CancellationToken,
) {
    if let Some(file) = config.access().map(Path::to_owned) {
        let access = access.clone();
        let read = {
            let file = file.clone();
            move || People::read(&file).map(|people| access.replace(people))
        };
        tokio::spawn(reload::follow(vec![file], shutdown.clone(), read));
    }
    if let (Some(tls), Some((certificate, key))) = (tls.cloned(), config.tls()) {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        let files = vec![certificate.clone(), key.clone()];
        let read = move || tls.read_again(&certificate, &key);
        tokio::spawn(reload::follow(files, shutdown.clone(), read));
    }
}
