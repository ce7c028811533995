//! The parts of a split job.

use std::time::Duration;

use axum::extract::State;
use common::job::id::JobId;
use common::job::run::RunState;
use common::matching::parts::{PartRow, Parts};

use crate::web::app::App;
use crate::web::refusal::{Named, Refusal};

/// How long to wait for the live state.
const PATIENCE: Duration = Duration::from_secs(5);

/// The parts of a split job: with their progress while they run, and as they were made afterwards. None for a job that is not split.
#[utoipa::path(
    get, path = "/jobs/{job}/parts", tag = "jobs", params(("job" = String, Path)),
    responses((status = OK, body = [PartRow]), (status = NOT_FOUND, body = Refusal))
)]
pub(crate) async fn parts(
    State(shared): State<App>,
    Named(job): Named<JobId>,
) -> Result<axum::Json<Vec<PartRow>>, Refusal> {
    let record = shared.broker.job(&job).await?;
    let record = record.ok_or_else(|| Refusal::unknown(format!("job not found: {job}")))?;
    match record.run().map(|run| &run.state) {
        Some(RunState::Completed { report }) => {
            return Ok(axum::Json(PartRow::of_report(report)));
        }
        Some(RunState::Split { .. } | RunState::Running { .. }) => {
            let _viewer = shared.audience.join();
            let frame = shared.board.frame(PATIENCE).await;
            let live = frame.and_then(|frame| frame.parts.get(&job).cloned());
            if let Some(rows) = live {
                return Ok(axum::Json(rows));
            }
        }
        _ => {}
    }
    let stored = shared.broker.parts(&job).await?;
    Ok(axum::Json(
        stored.as_ref().map(Parts::rows).unwrap_or_default(),
    ))
}
