//! What would become of a file before it is a job: a worker looks into it.

use axum::extract::State;
use axum::http::StatusCode;
use common::farm::preview::Foresee;
use common::recipe::Recipe;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::recipe::check;
use crate::app::App;
use crate::refusal::{Json, Refusal};

/// A file, and what would be done to it.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ForeseeRequest {
    /// The file, below the store's root.
    file: String,
    /// How it would be encoded.
    #[schema(value_type = Object)]
    recipe: Recipe,
}

/// What would become of a file.
#[derive(Serialize, ToSchema)]
pub(crate) struct Foretold {
    /// What would be kept, converted and lost.
    #[schema(value_type = Vec<Object>)]
    changes: Vec<common::job::changes::Change>,
    /// Why its job would fail; none where nothing is known against it.
    refused: Option<String>,
}

/// What would be kept, converted and lost of a file, as far as it can be known before the encode. Changes nothing.
#[utoipa::path(
    post, path = "/foresee", tag = "new", request_body = ForeseeRequest,
    responses(
        (status = OK, body = Foretold),
        (status = UNPROCESSABLE_ENTITY, body = Refusal),
        (status = BAD_GATEWAY, body = Refusal)
    )
)]
pub(crate) async fn foresee(
    State(shared): State<App>,
    Json(ForeseeRequest { file, recipe }): Json<ForeseeRequest>,
) -> Result<axum::Json<Foretold>, Refusal> {
    let media = shared.media()?;
    check(&recipe)?;
    let input = media.input(&file).await?;
    let workers = shared.broker.workers().await?;
    let asked = Foresee { input, recipe };
    let seen = shared.broker.foresee(&workers, 0, asked).await;
    let seen = seen.map_err(|why| Refusal::new(StatusCode::BAD_GATEWAY, why.to_string()))?;
    Ok(axum::Json(Foretold {
        changes: seen.changes,
        refused: seen.refused,
    }))
}
