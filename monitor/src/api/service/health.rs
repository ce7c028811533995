//! Whether the monitor lives, and whether it can do its work.

use std::time::Duration;

use async_nats::connection::State as Connection;
use axum::extract::State;
use axum::http::StatusCode;

use crate::app::App;

/// How long the broker may take to answer before it counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process answers: enough not to be restarted.
#[utoipa::path(
    get, path = "/healthz", tag = "health", security(()),
    responses((status = OK, body = String, content_type = "text/plain"))
)]
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// The broker answers: enough to be sent people.
#[utoipa::path(
    get, path = "/readyz", tag = "health", security(()),
    responses(
        (status = OK, body = String, content_type = "text/plain"),
        (status = SERVICE_UNAVAILABLE, body = String, content_type = "text/plain")
    )
)]
pub(crate) async fn ready(State(shared): State<App>) -> (StatusCode, &'static str) {
    let away = (
        StatusCode::SERVICE_UNAVAILABLE,
        "the broker is out of reach\n",
    );
    if shared.broker.client().connection_state() != Connection::Connected {
        return away;
    }
    match tokio::time::timeout(PATIENCE, shared.broker.queue_extent()).await {
        Ok(Ok(_)) => (StatusCode::OK, "ok\n"),
        Ok(Err(_)) | Err(_) => away,
    }
}
