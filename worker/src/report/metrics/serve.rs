//! Serves the metrics of a worker over HTTP.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use common::program::metrics::CONTENT_TYPE;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::cli::error::Error;
use crate::report::metrics::Sources;

/// Most connections at once: a few that collect metrics need one each.
const CONNECTIONS: usize = 16;
/// How long a client may take to send its request, and a connection may last.
const REQUEST: Duration = Duration::from_secs(10);
const CONNECTION: Duration = Duration::from_secs(600);
/// Bytes of a request's head.
const REQUEST_BUFFER: usize = 16 << 10;

/// Opens the port for the metrics.
///
/// # Errors
/// The address is no address of this machine, or in use.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, Error> {
    let listener = TcpListener::bind(address).await.map_err(|error| {
        Error::Usage(format!(
            "the metrics cannot be served at {address}: {error}; choose another address with --metrics"
        ))
    })?;
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!("metrics are at http://{address}/metrics");
    if !address.ip().is_loopback() {
        tracing::warn!(
            %address,
            "whoever reaches this address can read the metrics: names of encoders, numbers of jobs, no names of files"
        );
    }
    Ok(listener)
}

/// Serves the metrics until `stop` is cancelled.
pub async fn serve(listener: TcpListener, sources: Sources, stop: CancellationToken) {
    let (sources, connections) = (Arc::new(sources), Arc::new(Semaphore::new(CONNECTIONS)));
    let accepting = async {
        loop {
            let Ok(permit) = Arc::clone(&connections).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let conversation = converse(stream, Arc::clone(&sources));
                    tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
                        // Whoever holds a connection for longer may open another.
                        let _ = tokio::time::timeout(CONNECTION, conversation).await;
                        drop(permit);
                    }));
                }
                // No descriptors are left, or the client is gone already.
                Err(error) => {
                    tracing::debug!(%error, "a reader of metrics could not connect");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    };
    stop.run_until_cancelled(accepting).await;
}

async fn converse(stream: TcpStream, sources: Arc<Sources>) {
    let answer = service_fn(|request: Request<Incoming>| {
        let sources = Arc::clone(&sources);
        async move { Ok::<_, Infallible>(answer(&request, &sources).await) }
    });
    let serving = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .max_buf_size(REQUEST_BUFFER)
        .serve_connection(TokioIo::new(stream), answer);
    if let Err(error) = serving.await {
        tracing::trace!(%error, "a reader of metrics broke off");
    }
}

async fn answer(request: &Request<Incoming>, sources: &Sources) -> Response<Full<Bytes>> {
    if request.uri().path() != "/metrics" {
        return status(StatusCode::NOT_FOUND, "the metrics are at /metrics\n");
    }
    if request.method() != Method::GET {
        return status(StatusCode::METHOD_NOT_ALLOWED, "");
    }
    let mut answer = Response::new(Full::from(sources.read().await));
    answer
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    answer
}

fn status(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    let mut answer = Response::new(Full::from(text));
    *answer.status_mut() = status;
    answer
}
