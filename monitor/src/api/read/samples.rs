//! How far the samples of a film are, and what they tell about the whole.

use axum::extract::State;
use common::job::id::{BatchId, JobId};
use common::job::record::JobRecord;
use common::job::run::RunState;
use common::job::state::JobState;
use common::names::location::Location;
use common::submit::sample::{Clip, SampleForecast};
use serde::Serialize;
use utoipa::ToSchema;

use crate::web::app::App;
use crate::web::refusal::{Named, Refusal};

/// The samples of a film.
#[derive(Serialize, ToSchema)]
pub(crate) struct Samples {
    batch: BatchId,
    /// The name that a person knows the batch by.
    label: String,
    /// The film; `null` once none of its jobs is known.
    input: Option<Location>,
    /// Bytes of the film, as far as it would be encoded.
    input_size: u64,
    /// Seconds of the film, as far as it would be encoded.
    length: f64,
    /// The samples in the order of the film.
    samples: Vec<SampleRow>,
    /// What the whole would take, by the clips that are there so far; `null` without one.
    forecast: Option<SampleForecast>,
    /// Whether all jobs have ended.
    done: bool,
}

/// A sample, encoded or not.
#[derive(Serialize, ToSchema)]
pub(crate) struct SampleRow {
    job: JobId,
    /// Where it begins, in seconds of the input.
    from: f64,
    state: JobState,
    /// The clip with its size, time and quality; `null` until it is encoded.
    clip: Option<Clip>,
    /// Why the sample was not encoded.
    why: Option<String>,
}

impl SampleRow {
    fn of(record: &JobRecord) -> Self {
        let (job, state) = (record.job(), record.state());
        let run = record.run().map(|run| &run.state);
        Self {
            job: job.id,
            from: job.recipe.trim.map_or(0.0, |trim| trim.from),
            state,
            clip: match run {
                Some(RunState::Completed { report }) => {
                    Some(Clip::new(job.id, job.output.clone(), &job.recipe, report))
                }
                _ => None,
            },
            why: match run {
                Some(RunState::Failed { failure }) => Some(failure.message.clone()),
                _ => None,
            },
        }
    }
}

/// The samples of a batch that `POST /samples` or `producer sample` has enqueued, and the forecast for the whole film.
#[utoipa::path(
    get, path = "/samples/{batch}", tag = "jobs", params(("batch" = String, Path)),
    responses((status = OK, body = Samples), (status = NOT_FOUND, body = Refusal))
)]
pub(crate) async fn samples(
    State(shared): State<App>,
    Named(batch): Named<BatchId>,
) -> Result<axum::Json<Samples>, Refusal> {
    let found = shared.broker.batch(&batch).await?;
    let found = found.ok_or_else(|| Refusal::unknown(format!("batch not found: {batch}")))?;
    let film = found
        .film
        .ok_or_else(|| Refusal::unknown(format!("the batch {batch} holds no samples")))?;
    let records = shared.broker.jobs_of(&film.jobs).await?;
    let records: Vec<&JobRecord> = film
        .jobs
        .iter()
        .filter_map(|job| records.get(job))
        .collect();
    let rows: Vec<SampleRow> = records.iter().map(|record| SampleRow::of(record)).collect();
    let clips: Vec<Clip> = rows.iter().filter_map(|row| row.clip.clone()).collect();
    Ok(axum::Json(Samples {
        batch,
        label: found.label,
        input: records
            .first()
            .map(|record| record.job().input.location.clone()),
        input_size: film.size,
        length: film.length,
        forecast: SampleForecast::of(&clips, &film),
        done: records.iter().all(|record| record.has_ended()),
        samples: rows,
    }))
}
