//! Saving and removing presets.

use axum::extract::State;
use axum::http::StatusCode;
use common::broker::Overwrite;
use common::names::token::Token;
use common::recipe::preset::Preset;
use common::recipe::{Outputs, Recipe};
use common::submit::output_set::OutputSet;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::web::app::App;
use crate::web::refusal::{Json, Named, Params, Refusal};

/// A recipe to save under a name.
#[derive(Deserialize, ToSchema)]
pub(crate) struct PresetBody {
    recipe: Recipe,
    /// What the preset is for, in one line.
    note: Option<String>,
    /// The names and renditions of the outputs.
    #[serde(default)]
    outputs: Outputs,
    /// The revision to replace, from `GET /settings`. Left out: nothing may be replaced.
    revision: Option<u64>,
}

/// The revision that was saved.
#[derive(Serialize, ToSchema)]
pub(crate) struct Saved {
    revision: u64,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RevisionQuery {
    /// Remove only this revision, from `GET /settings`.
    revision: Option<u64>,
}

/// Saves a preset: a new one, or the next revision of one.
#[utoipa::path(
    put, path = "/presets/{preset}", tag = "settings", params(("preset" = String, Path)),
    request_body = PresetBody,
    responses(
        (status = OK, body = Saved), (status = UNPROCESSABLE_ENTITY, body = Refusal),
        (status = CONFLICT, body = Refusal, description = "there is one already, or another revision")
    )
)]
pub(crate) async fn save(
    State(shared): State<App>,
    Named(name): Named<Token>,
    Json(body): Json<PresetBody>,
) -> Result<axum::Json<Saved>, Refusal> {
    let preset = Preset::new(body.recipe, body.note.as_deref())
        .map_err(|error| Refusal::unsound(error.to_string()))?
        .with_outputs(&name, body.outputs)
        .map_err(|error| Refusal::unsound(error.to_string()))?;
    // Its jobs would be refused, too.
    OutputSet::new(&preset.recipe, &preset.outputs, Some(name.clone()))
        .map_err(|error| Refusal::unsound(error.to_string()))?;
    let over = body
        .revision
        .map_or(Overwrite::Nothing, Overwrite::Revision);
    let revision = shared.broker.save_preset(&name, &preset, over).await?;
    Ok(axum::Json(Saved { revision }))
}

/// Removes a saved preset. Jobs keep the recipe that they were made with.
#[utoipa::path(
    delete, path = "/presets/{preset}", tag = "settings",
    params(("preset" = String, Path), RevisionQuery),
    responses(
        (status = NO_CONTENT), (status = UNPROCESSABLE_ENTITY, body = Refusal),
        (status = CONFLICT, body = Refusal, description = "it is another revision")
    )
)]
pub(crate) async fn remove(
    State(shared): State<App>,
    Named(name): Named<Token>,
    Params(RevisionQuery { revision }): Params<RevisionQuery>,
) -> Result<StatusCode, Refusal> {
    shared.broker.remove_preset(&name, revision).await?;
    Ok(StatusCode::NO_CONTENT)
}
