//! The monitor: one live page, and the JSON behind it.
//!
//! `feed` reads the broker into the [`view`], what matters now, and the
//! [`index`], every job there is. The [`board`] holds the view as text,
//! serialised once for all; [`access`] says who may do what; `api` answers and
//! gives orders; `page` draws. While nobody looks ([`audience`]) the broker is
//! not asked for anything.

pub mod access;
mod api;
mod app;
mod cache;
pub mod config;
mod feed;
pub mod index;
mod page;
mod refusal;
pub mod snapshot;
pub mod view;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;

use access::Access;
use access::keys::{Keys, KeysError};
use api::media::Media;
use app::App;
use feed::audience::Audience;
use index::shared::Listing;
use view::board::{Board, Publisher};

/// How long open requests may take to end once the monitor is to stop.
const GRACE: Duration = Duration::from_secs(3);

/// The monitor cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no broker to show anything of.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The passwords cannot be used.
    #[error(transparent)]
    Access(#[from] KeysError),
    /// The network lets us down.
    #[error("serving the page failed: {0}")]
    Serve(#[from] std::io::Error),
}

/// The OpenAPI document of the monitor's API.
pub fn openapi() -> utoipa::openapi::OpenApi {
    api::document()
}

/// Serves the page on `listener` until told to stop.
///
/// # Errors
/// Where the broker is out of reach at the start. When it goes away later,
/// the page says so and the monitor waits for it.
pub async fn run(
    config: Config,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<(), Error> {
    let address = listener.local_addr()?;
    let access = access(&config, address)?;
    let options = config.broker();
    let broker = tokio::select! {
        connected = Broker::connect(&options) => connected?,
        () = shutdown.cancelled() => return Ok(()),
    };
    tracing::info!("the page is at http://{address}");

    let board = Board::new();
    let listing = Listing::new();
    let audience = Audience::new();
    let feeding = tokio::spawn(feed::run(
        broker.clone(),
        audience.clone(),
        Publisher::new(board.clone()),
        listing.clone(),
        shutdown.clone(),
    ));
    let routes = api::routes(App {
        broker,
        board,
        listing,
        pages: Arc::default(),
        stills: Arc::default(),
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
    let _ = feeding.await;
    Ok(served?)
}

/// Who may do what. Whoever reaches a loopback address is at the machine
/// already; anyone else is asked for a password.
fn access(config: &Config, address: SocketAddr) -> Result<Access, KeysError> {
    let keys = match &config.access {
        Some(file) => Some(Keys::read(file)?),
        None if address.ip().is_loopback() => None,
        None => {
            let (keys, password) = Keys::invented()?;
            tracing::warn!(
                "no --access file is given: until the monitor stops, its password is {password}"
            );
            Some(keys)
        }
    };
    Ok(Access::new(keys, config.hosts.clone()))
}
