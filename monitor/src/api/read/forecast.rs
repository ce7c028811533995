//! The changes to expect of a file, before it is a job: a worker probes the file.

use axum::extract::State;
use axum::http::StatusCode;
use common::farm::preview::ForecastRequest;
use common::matching::estimate::Estimate;
use common::matching::plan::Plan;
use common::recipe::Recipe;
use common::rules::Rules;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::further::FurtherInputs;
use crate::web::app::App;
use crate::web::refusal::{Json, Refusal};

/// A file and a recipe.
#[derive(Deserialize, ToSchema)]
pub(crate) struct ForecastBody {
    /// The file, below the store's root.
    file: String,
    recipe: Recipe,
    /// The rules of the job.
    #[serde(default)]
    rules: Rules,
}

/// The changes to expect.
#[derive(Serialize, ToSchema)]
pub(crate) struct ForecastAnswer {
    /// What would be kept, converted and lost.
    changes: Vec<common::job::changes::Change>,
    /// Why the job would fail; `null` if nothing speaks against it.
    refused: Option<String>,
    /// Why the original would be kept without an encode; `null` if no rule holds.
    kept: Option<String>,
    /// What the job is expected to make and to take; `null` if the file cannot be read.
    estimate: Option<Estimate>,
    /// Bytes of the file.
    size: u64,
}

/// What an encode would keep, convert and lose of a file, as far as that can be known before.
/// Changes nothing.
#[utoipa::path(
    post, path = "/forecast", tag = "new", request_body = ForecastBody,
    responses(
        (status = OK, body = ForecastAnswer),
        (status = UNPROCESSABLE_ENTITY, body = Refusal),
        (status = BAD_GATEWAY, body = Refusal)
    )
)]
pub(crate) async fn forecast(
    State(shared): State<App>,
    Json(ForecastBody {
        file,
        recipe,
        rules,
    }): Json<ForecastBody>,
) -> Result<axum::Json<ForecastAnswer>, Refusal> {
    let media = shared.media()?;
    let input = media.input(&file).await?;
    let limited = media.limited()?;
    let mut further = FurtherInputs::new(&limited, &recipe).await?;
    let (workers, reports) =
        tokio::try_join!(shared.broker.workers(), shared.broker.recent_reports())?;
    let size = input.size;
    let further = match further.of(&input).await? {
        Ok(further) => further,
        Err(why) => {
            return Ok(axum::Json(ForecastAnswer {
                changes: Vec::new(),
                refused: Some(why),
                kept: None,
                estimate: None,
                size: input.size,
            }));
        }
    };
    let plan = Plan::of(&recipe, &workers);
    let asked = ForecastRequest {
        input,
        further,
        recipe: recipe.clone(),
        rules,
    };
    let seen = shared.broker.forecast(&workers, 0, asked).await;
    let seen = seen.map_err(|why| Refusal::new(StatusCode::BAD_GATEWAY, why.to_string()))?;
    let media = seen
        .media
        .filter(|_| seen.refused.is_none() && seen.kept.is_none());
    let estimate = media.map(|media| {
        let history = reports.iter().collect();
        Estimate::of(&recipe, (size, &media), &plan.candidates, &history)
    });
    Ok(axum::Json(ForecastAnswer {
        changes: seen.changes,
        refused: seen.refused,
        kept: seen.kept.map(|why| why.foreseen()),
        estimate,
        size,
    }))
}
