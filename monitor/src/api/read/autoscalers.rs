//! Autoscalers: their workers and decisions.

use axum::extract::State;
use common::matching::scale::autoscaler::Autoscaler;

use crate::web::app::App;
use crate::web::refusal::Refusal;

/// Every autoscaler of the farm, by name.
#[utoipa::path(
    get, path = "/autoscalers", operation_id = "list_autoscalers", tag = "state",
    responses((status = OK, body = Vec<Autoscaler>), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(crate) async fn list(
    State(shared): State<App>,
) -> Result<axum::Json<Vec<Autoscaler>>, Refusal> {
    Ok(axum::Json(shared.broker.autoscalers().await?))
}
