//! Settings of the farm: how long history is kept, and the default preset.

use axum::extract::State;
use axum::http::StatusCode;
use common::farm::retention::Days;
use common::names::token::Token;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::web::app::App;
use crate::web::refusal::{Json, Refusal};

/// How long to keep history.
#[derive(Deserialize, ToSchema)]
pub(crate) struct KeepHistory {
    /// 1 to 3650 days.
    days: Days,
}

#[derive(Deserialize, ToSchema)]
pub(crate) struct DefaultPreset {
    preset: Token,
}

/// Keeps history for so many days; older history is deleted at once. Runs of jobs are no history
/// and stay: they keep the same file from being encoded twice.
#[utoipa::path(
    put, path = "/settings/history", tag = "settings", request_body = KeepHistory,
    responses((status = NO_CONTENT), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn keep_history(
    State(shared): State<App>,
    Json(KeepHistory { days }): Json<KeepHistory>,
) -> Result<StatusCode, Refusal> {
    shared.broker.set_retention(days).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes a preset the recipe of jobs that name none.
#[utoipa::path(
    put, path = "/settings/default", tag = "settings", request_body = DefaultPreset,
    responses((status = NO_CONTENT), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn set_default(
    State(shared): State<App>,
    Json(DefaultPreset { preset }): Json<DefaultPreset>,
) -> Result<StatusCode, Refusal> {
    shared.broker.set_default_preset(Some(&preset)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Removes the default preset: each job must name a recipe.
#[utoipa::path(
    delete, path = "/settings/default", tag = "settings", responses((status = NO_CONTENT))
)]
pub(crate) async fn leave_default(State(shared): State<App>) -> Result<StatusCode, Refusal> {
    shared.broker.set_default_preset(None).await?;
    Ok(StatusCode::NO_CONTENT)
}
