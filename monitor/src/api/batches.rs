//! Batches: what was enqueued together, and how far it is.

use axum::extract::State;
use common::id::BatchId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Refusal, Shared};
use crate::index::Phase;
use crate::view::snapshot::Moment;

/// Batches that are told of, the latest.
const MOST: usize = 200;

/// What was enqueued together.
#[derive(Serialize, ToSchema)]
pub(super) struct BatchRow {
    /// Which.
    #[schema(value_type = String)]
    id: BatchId,
    /// What a person may know it by.
    label: String,
    /// Jobs that were added with it.
    jobs: u64,
    /// When.
    #[schema(value_type = String)]
    enqueued: Moment,
    /// Its jobs by phase, as far as they are listed.
    phases: Vec<(Phase, usize)>,
}

/// The latest batches, the latest first.
#[utoipa::path(
    get, path = "/batches", tag = "jobs",
    responses((status = OK, body = Vec<BatchRow>), (status = SERVICE_UNAVAILABLE, body = Refusal))
)]
pub(super) async fn list(
    State(shared): State<Shared>,
) -> Result<axum::Json<Vec<BatchRow>>, Refusal> {
    let _viewer = shared.audience.join();
    shared.listing.caught_up().await;
    let batches = shared.broker.batches().await?;
    let counts = shared.listing.read().batches();
    let is_complete = shared.listing.is_complete();
    let now = shared.broker.now();
    let rows = batches.into_iter().rev().filter_map(|batch| {
        let counts = counts.get(&batch.id).copied().unwrap_or_default();
        // While not all jobs are listed, nobody knows how many there are.
        let batch = if is_complete {
            batch.counted(counts.total(&[]) as u64, now)?
        } else {
            batch
        };
        Some(BatchRow {
            id: batch.id,
            label: batch.label,
            jobs: batch.jobs,
            enqueued: Moment(batch.enqueued),
            phases: Phase::ALL
                .into_iter()
                .map(|phase| (phase, counts.of(phase)))
                .collect(),
        })
    });
    Ok(axum::Json(rows.take(MOST).collect()))
}
