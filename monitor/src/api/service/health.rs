//! Liveness and readiness.

use std::time::Duration;

use async_nats::connection::State as Connection;
use axum::extract::State;
use axum::http::StatusCode;

use crate::web::app::App;

/// How long the broker may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process answers: it needs no restart.
#[utoipa::path(
    get, path = "/healthz", tag = "health", security(()),
    responses((status = OK, body = String, content_type = "text/plain"))
)]
pub(crate) async fn alive() -> &'static str {
    "ok\n"
}

/// The broker answers: the monitor can serve people.
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
