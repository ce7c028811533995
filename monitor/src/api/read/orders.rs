//! The orders that are in force.

use axum::extract::State;

use crate::snapshot::ControlRow;
use crate::web::app::App;
use crate::web::refusal::Refusal;

/// Every order that is in force.
#[utoipa::path(
    get, path = "/controls", operation_id = "list_controls", tag = "steer",
    responses((status = OK, body = Vec<ControlRow>), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(crate) async fn list(
    State(shared): State<App>,
) -> Result<axum::Json<Vec<ControlRow>>, Refusal> {
    let controls = shared.broker.orders().await?;
    Ok(axum::Json(ControlRow::all(&controls)))
}
