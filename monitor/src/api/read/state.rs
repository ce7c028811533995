//! The live state as one answer.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::ToSchema;

use crate::snapshot::Snapshot;
use crate::snapshot::workers::CardRow;
use crate::web::app::App;
use crate::web::refusal::Refusal;

/// How long to wait for the first frame.
const PATIENCE: Duration = Duration::from_secs(5);

/// The live state: every section of it, as the board keeps it as text.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the answer, which is text already")]
struct LiveState {
    #[schema(inline)]
    #[serde(flatten)]
    snapshot: Snapshot,
    /// The capabilities of each worker, by name.
    cards: BTreeMap<String, CardRow>,
}

/// Every section of the live state as one JSON object, and the workers' `cards`.
#[utoipa::path(
    get, path = "/state", tag = "state",
    responses((status = OK, body = LiveState), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(crate) async fn state(State(shared): State<App>) -> Response {
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
