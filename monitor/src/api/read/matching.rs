//! Which workers could run a recipe or a job.

use axum::extract::State;
use common::broker::BrokerError;
use common::farm::worker_name::WorkerName;
use common::job::record::JobRecord;
use common::matching::pin;
use common::matching::plan::Plan;
use common::names::location::Location;
use common::names::token::Token;
use common::recipe::{Outputs, Recipe};
use common::submit::output_set::OutputSet;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::jobs::{AT_ONCE, Jobs, checked};
use crate::web::app::App;
use crate::web::refusal::{Json, Refusal};

#[derive(Deserialize, ToSchema)]
pub(crate) struct PlanRequest {
    recipe: Recipe,
    /// The names and renditions of the outputs, which must fit the recipe. The plan is that of the first rendition.
    #[serde(default)]
    outputs: Outputs,
    /// The preset that the recipe began with, for the placeholder `{preset}` of names.
    preset: Option<Token>,
}

/// Which workers could run a recipe, how fast, and which other encoders could be used. Changes
/// nothing.
#[utoipa::path(
    post, path = "/plan", tag = "new", request_body = PlanRequest,
    responses((status = OK, body = Plan), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn plan(
    State(shared): State<App>,
    Json(PlanRequest {
        recipe,
        outputs,
        preset,
    }): Json<PlanRequest>,
) -> Result<axum::Json<Plan>, Refusal> {
    let set = OutputSet::new(&recipe, &outputs, preset)
        .map_err(|why| Refusal::unsound(why.to_string()))?;
    let (workers, reports) =
        tokio::try_join!(shared.broker.workers(), shared.broker.recent_reports())?;
    let history = reports.iter().collect();
    let mut plan = Plan::of(set.first(), &workers);
    if let Ok(media) = shared.media() {
        let file = media.root().join("file");
        plan = plan.between(&workers, &[vec![file.clone(), file]]);
    }
    Ok(axum::Json(plan.measured(&history)))
}

/// Whether a worker could run all of the jobs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Fit {
    worker: WorkerName,
    /// Whether the worker could run all of the jobs.
    fits: bool,
    /// Why the worker could not.
    why: Option<String>,
}

/// Which live workers could run all of these jobs. Changes nothing.
#[utoipa::path(
    post, path = "/jobs/fit", tag = "steer", request_body = Jobs,
    responses((status = OK, body = Vec<Fit>), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn fits(
    State(App { broker, .. }): State<App>,
    Json(Jobs { jobs }): Json<Jobs>,
) -> Result<axum::Json<Vec<Fit>>, Refusal> {
    checked(&jobs)?;
    let records: Vec<Result<Option<JobRecord>, BrokerError>> = futures::stream::iter(jobs)
        .map(|job| {
            let broker = broker.clone();
            async move { broker.job(&job).await }
        })
        .buffered(AT_ONCE)
        .collect()
        .await;
    // Jobs with the same needs are checked once.
    let mut kinds: Vec<(Recipe, Vec<Location>)> = Vec::new();
    for record in records {
        let Some(record) = record? else { continue };
        let (recipe, needed) = (&record.job().recipe, record.job().needed());
        let folders = || needed.iter().map(Location::folder);
        let is_known = kinds.iter().any(|(known, other)| {
            known == recipe && other.iter().map(Location::folder).eq(folders())
        });
        if !is_known {
            kinds.push((recipe.clone(), needed));
        }
    }
    let workers = broker.workers().await?;
    let fits = workers.iter().map(|worker| {
        let why = kinds
            .iter()
            .find_map(|(recipe, needed)| pin::judge(recipe, worker, needed).err());
        Fit {
            worker: worker.name.clone(),
            fits: why.is_none(),
            why,
        }
    });
    Ok(axum::Json(fits.collect()))
}
