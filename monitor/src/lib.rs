//! The monitor: one live page, and the JSON behind it.
//!
//! `feed` reads the broker into the [`view`]; the [`board`] holds that as text,
//! serialised once for all; `api` hands it out; `page` draws it. While nobody
//! looks ([`audience`]) the broker is not asked for anything.

mod api;
pub mod audience;
pub mod board;
pub mod config;
mod feed;
mod page;
pub mod view;

use std::time::Duration;

use common::broker::{Broker, BrokerError};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use config::Config;

use audience::Audience;
use board::{Board, Publisher};

/// How long open requests may take to end once the monitor is to stop.
const GRACE: Duration = Duration::from_secs(3);

/// The monitor cannot do its work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no broker to show anything of.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The network lets us down.
    #[error("serving the page failed: {0}")]
    Serve(#[from] std::io::Error),
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
    let options = config.broker();
    let broker = tokio::select! {
        connected = Broker::connect(&options) => connected?,
        () = shutdown.cancelled() => return Ok(()),
    };
    let address = listener.local_addr()?;
    tracing::info!("the page is at http://{address}");
    if !address.ip().is_loopback() {
        tracing::warn!(
            "listening on {address}: everyone who reaches it sees the names of all files, without a password; \
             listen on 127.0.0.1 where that is not meant"
        );
    }

    let board = Board::new();
    let audience = Audience::new();
    let feeding = tokio::spawn(feed::run(
        broker.clone(),
        audience.clone(),
        Publisher::new(board.clone()),
        shutdown.clone(),
    ));
    let routes = api::routes(api::Shared {
        broker,
        board,
        audience,
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
