//! Batches and their progress.

use std::time::Duration;

use axum::extract::State;
use common::farm::orders::Target;
use common::job::id::BatchId;
use common::job::state::JobState;
use common::matching::outlook::Outlook;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::index::{BatchSum, LISTED};
use crate::snapshot::moment::Moment;
use crate::snapshot::{ControlRow, Snapshot};
use crate::web::app::App;
use crate::web::refusal::Refusal;

/// The most batches in the answer.
const MOST: usize = 200;

/// How long to wait for the state of the farm.
const FRAME: Duration = Duration::from_secs(2);

/// A batch and its progress.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchRow {
    id: BatchId,
    /// The name that a person knows the batch by.
    label: String,
    /// How many jobs were enqueued with the batch.
    jobs: u64,
    enqueued: Moment,
    /// The batch's jobs by state, as far as they are in the index.
    states: Vec<(JobState, usize)>,
    /// Estimated seconds until all jobs of the batch have ended. Left out if there is no estimate,
    /// or if some jobs cannot run.
    eta: Option<f64>,
}

/// The latest batches, the latest first.
#[utoipa::path(
    get, path = "/batches", operation_id = "list_batches", tag = "jobs",
    responses((status = OK, body = Vec<BatchRow>), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(crate) async fn list(State(shared): State<App>) -> Result<axum::Json<Vec<BatchRow>>, Refusal> {
    let _viewer = shared.audience.join();
    let sums = shared.search(|listing| listing.read().batches()).await?;
    let batches = shared.broker.batches().await?;
    let frame = shared.board.frame(FRAME).await;
    let is_complete = shared.listing.is_complete();
    let now = shared.broker.now();
    let rows = batches.into_iter().rev().filter_map(|batch| {
        let sum = sums.get(&batch.id).cloned().unwrap_or_default();
        let snapshot = frame.as_ref().map(|frame| &*frame.snapshot);
        // Before all jobs are in the index, their number is not known.
        let batch = if is_complete {
            batch.counted(sum.counts.sum() as u64, now)?
        } else {
            batch
        };
        Some(BatchRow {
            id: batch.id,
            label: batch.label,
            jobs: batch.jobs,
            enqueued: Moment(batch.enqueued),
            states: LISTED
                .into_iter()
                .map(|state| (state, sum.counts.of(state)))
                .collect(),
            eta: snapshot.and_then(|snapshot| eta(&batch.id, &sum, snapshot, now)),
        })
    });
    Ok(axum::Json(rows.take(MOST).collect()))
}

/// Estimated seconds until all jobs of a batch have ended, from its running jobs and from recent
/// jobs of the same queues.
fn eta(batch: &BatchId, sum: &BatchSum, snapshot: &Snapshot, now: Timestamp) -> Option<f64> {
    let target = Target::Batch(*batch).to_string();
    let is_paused = |order: &&ControlRow| order.paused && order.target == target;
    if snapshot.controls.iter().any(|order| is_paused(&order)) {
        return None;
    }
    let mut outlook = Outlook::default();
    let mut slots = 0;
    for queue in &sum.queues {
        let row = snapshot.queues.iter().find(|row| row.queue == *queue)?;
        if row.unserved.is_some() {
            return None;
        }
        outlook.past(row.past);
        slots = slots.max(row.slots);
    }
    let own = snapshot.running.iter().filter(|row| row.batch == *batch);
    for row in own {
        let seconds = now.duration_since(row.since.0).as_secs_f64();
        outlook.running(row.input_size, seconds, row.eta);
    }
    outlook.waiting(sum.waiting);
    outlook.seconds_left(slots).map(f64::round)
}
