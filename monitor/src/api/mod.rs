//! What the monitor answers over HTTP.
//!
//! There is nothing to steer here yet, and no password: it all only reads. The
//! host that a request names is not checked, so a page elsewhere could read
//! this by DNS rebinding; access control brings that check along.

mod health;
mod live;
mod security;
mod state;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use common::broker::Broker;
use tokio_util::sync::CancellationToken;

use crate::audience::Audience;
use crate::board::Board;
use crate::page;

/// What all routes share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) broker: Broker,
    pub(crate) board: Arc<Board>,
    pub(crate) audience: Audience,
    pub(crate) shutdown: CancellationToken,
}

/// Every route.
pub(crate) fn routes(shared: Shared) -> Router {
    let api = Router::new()
        .route("/state", get(state::state))
        .route("/live", get(live::live))
        .fallback(unknown);
    Router::new()
        .merge(page::routes())
        .nest("/api/v1", api)
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .layer(middleware::map_response(security::headers))
        .with_state(shared)
}

/// An error as the API tells it: one line on what, why and what to do.
fn error(status: StatusCode, message: &str) -> Response {
    let body = axum::Json(serde_json::json!({ "error": message }));
    (status, body).into_response()
}

async fn unknown() -> Response {
    error(
        StatusCode::NOT_FOUND,
        "there is no such route: see /api/v1/state and /api/v1/live",
    )
}
