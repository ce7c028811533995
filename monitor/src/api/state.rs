//! The state, once.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::{Refusal, Shared};
use crate::view::snapshot::Snapshot;

/// How long the first look at the broker may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Every section of the live state as one JSON object, and the workers' `cards`.
#[utoipa::path(
    get, path = "/state", tag = "state",
    responses((status = OK, body = Snapshot), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(super) async fn state(State(shared): State<Shared>) -> Response {
    let _viewer = shared.audience.join();
    match shared.board.frame(PATIENCE).await {
        Some(frame) => ([(CONTENT_TYPE, "application/json")], frame.json()).into_response(),
        None => Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the broker gives no answer: see whether it runs, then try again",
        )
        .into_response(),
    }
}
