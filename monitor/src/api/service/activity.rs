//! The last changes.

use axum::extract::State;

use crate::audit::RecordedChange;
use crate::web::app::App;

/// The last 500 changes since the monitor began, newest first: who changed what, when, and what came of it.
#[utoipa::path(
    get, path = "/activity", tag = "access",
    responses((status = OK, body = Vec<RecordedChange>))
)]
pub(crate) async fn activity(
    State(App { audit, .. }): State<App>,
) -> axum::Json<Vec<RecordedChange>> {
    axum::Json(audit.last())
}
