//! The state, once.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::{Shared, error};

/// How long the first look at the broker may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// `GET /api/v1/state`: every section as one JSON object.
pub(super) async fn state(State(shared): State<Shared>) -> Response {
    let _viewer = shared.audience.join();
    let mut frames = shared.board.subscribe();
    let frame = tokio::time::timeout(PATIENCE, frames.wait_for(Option::is_some)).await;
    match frame
        .ok()
        .and_then(Result::ok)
        .and_then(|frame| frame.clone())
    {
        Some(frame) => ([(CONTENT_TYPE, "application/json")], frame.json()).into_response(),
        None => error(
            StatusCode::SERVICE_UNAVAILABLE,
            "the broker gives no answer: see whether it runs, then try again",
        ),
    }
}
