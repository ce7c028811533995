//! The monitor: a live web page and the HTTP API behind it.
//!
//! `feed` reads the broker into the [`view`], which folds the live state, and into the [`index`] of
//! all jobs; [`shelf`] holds the files of libraries. [`snapshot`] is the live state as the page gets it; [`view::board`] holds it as text.
//! `notify` tells hooks what happens. [`access`] checks roles, `api` answers requests, and `page` is the web page. While nobody looks
//! and there is no hook, the monitor asks the broker next to nothing.
//!
//! More than 12 entries: one folder for each part of the program.

pub mod access;
mod api;
pub mod config;
mod feed;
pub mod index;
mod notify;
mod page;
pub mod shelf;
pub mod snapshot;
pub mod view;
mod web;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError};
use common::notify::send::Sender;
use common::program::exit::Exit;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;

use access::Access;
use access::passwords::{Passwords, PasswordsError};
use api::media::Media;
use feed::audience::Audience;
use index::shared::Listing;
use notify::Notifier;
use view::board::{Board, Publisher};
use web::app::App;

/// How long open requests may take to end after the monitor was told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Why the monitor cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The broker is out of reach.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The passwords cannot be used.
    #[error(transparent)]
    Access(#[from] PasswordsError),
    /// The page cannot be served.
    #[error("serving the page failed: {0}")]
    Serve(#[from] std::io::Error),
}

impl Error {
    pub fn exit(&self) -> Exit {
        match self {
            Self::Broker(error) => error.into(),
            Self::Access(_) => Exit::Usage,
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
    let access = access(&config, address)?;
    let options = config.broker();
    let broker = tokio::select! {
        connected = Broker::set_up(&options) => connected?,
        () = shutdown.cancelled() => return Ok(()),
    };
    tracing::info!("the page is at http://{address}");

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
    let routes = api::routes(App {
        broker,
        sender,
        board,
        listing,
        pages: Arc::default(),
        stills: Arc::default(),
        shelf,
        frames: Arc::default(),
        media: config.store.clone().map(|root| Arc::new(Media::new(root))),
        audience,
        access: Arc::new(access),
        shutdown: shutdown.clone(),
    });
    let serving =
        axum::serve(listener, routes).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let served = tokio::select! {
        served = serving => served,
        () = async { shutdown.cancelled().await; tokio::time::sleep(GRACE).await } => {
            tracing::debug!("some connections did not end in time");
            Ok(())
        }
    };
    shutdown.cancel();
    shelving.abort();
    let _ = feeding.await;
    let _ = telling.await;
    Ok(served?)
}

/// Passwords and host names. Without a password file, a loopback address is open, and on any other
/// address a random password is made up and logged.
fn access(config: &Config, address: SocketAddr) -> Result<Access, PasswordsError> {
    let passwords = match &config.access {
        Some(file) => Some(Passwords::read(file)?),
        None if address.ip().is_loopback() => None,
        None => {
            let (passwords, password) = Passwords::invented()?;
            tracing::warn!(
                "no --access file is given: until the monitor stops, its password is {password}"
            );
            Some(passwords)
        }
    };
    Ok(Access::new(passwords, config.hosts.clone()))
}
