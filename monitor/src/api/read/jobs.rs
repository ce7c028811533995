//! Pages of jobs, and the details of one job.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use common::broker::LadderView;
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::job::event::Event;
use common::job::id::{BatchId, JobId};
use common::job::ladder::Ladder;
use common::job::record::JobRecord;
use common::job::run::Run;
use common::job::state::JobState;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::index::LISTED;
use crate::index::query::{Ids, Page, Query, Sort};
use crate::snapshot::jobs;
use crate::snapshot::jobs::JobName;
use crate::web::app::App;
use crate::web::refusal::{Named, Params, Refusal};

/// The most jobs of a page.
const MOST: usize = 500;
/// The most ids in one answer.
const MOST_IDS: usize = 100_000;

/// Which jobs, in which order.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct JobsQuery {
    /// States, comma-separated; all by default.
    #[serde(default)]
    state: String,
    /// Only jobs of this queue.
    #[param(value_type = Option<String>)]
    queue: Option<Queue>,
    /// Only jobs of this worker.
    #[param(value_type = Option<String>)]
    worker: Option<WorkerName>,
    /// Only jobs of this batch.
    #[param(value_type = Option<String>)]
    batch: Option<BatchId>,
    /// Only jobs whose name or folder contains this text, or whose id this is.
    #[serde(default)]
    text: String,
    /// `damaged`: only checks that have found damage.
    #[param(inline)]
    health: Option<HealthFilter>,
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// In descending order.
    #[serde(default)]
    descending: bool,
    /// Jobs to skip.
    #[serde(default)]
    offset: usize,
    /// The most jobs in the answer, up to 500; 50 by default.
    #[serde(default = "usual")]
    limit: usize,
}

/// Which results of checks are listed.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HealthFilter {
    Damaged,
}

fn usual() -> usize {
    50
}

impl JobsQuery {
    fn query(self) -> Result<Query, Refusal> {
        let names = self.state.split(',').filter(|name| !name.is_empty());
        Ok(Query {
            states: names.map(listed_state).collect::<Result<_, _>>()?,
            queue: self.queue,
            worker: self.worker,
            batch: self.batch,
            text: self.text,
            damaged: matches!(self.health, Some(HealthFilter::Damaged)),
            sort: self.sort,
            descending: self.descending,
            offset: self.offset,
            limit: self.limit.clamp(1, MOST),
        })
    }
}

/// A state by which jobs are listed.
fn listed_state(name: &str) -> Result<JobState, Refusal> {
    let state = LISTED.into_iter().find(|state| state.as_str() == name);
    state.ok_or_else(|| {
        let known = LISTED.map(JobState::as_str).join(", ");
        Refusal::unsound(format!("unknown state '{name}': one of {known}"))
    })
}

/// A page of jobs. Until the index holds all jobs, a page of those read so far.
#[utoipa::path(
    get, path = "/jobs", operation_id = "list_jobs", tag = "jobs", params(JobsQuery),
    responses((status = OK, body = Page), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn list(
    State(shared): State<App>,
    Params(asked): Params<JobsQuery>,
) -> Result<Response, Refusal> {
    let query = asked.query()?;
    let pages = shared.pages.clone();
    let page = shared
        .search(move |listing| pages.page(query, listing))
        .await?;
    Ok(([(CONTENT_TYPE, "application/json")], page).into_response())
}

/// The ids of the first 100,000 jobs that match, for changes of more jobs than a page holds.
/// `limit` is ignored.
#[utoipa::path(
    get, path = "/jobs/ids", tag = "jobs", params(JobsQuery),
    responses((status = OK, body = Ids), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn ids(
    State(shared): State<App>,
    Params(asked): Params<JobsQuery>,
) -> Result<axum::Json<Ids>, Refusal> {
    let query = Query {
        limit: MOST_IDS,
        ..asked.query()?
    };
    let ids = shared
        .search(move |listing| listing.read().ids(&query))
        .await?;
    Ok(axum::Json(ids))
}

/// The details of a job.
#[derive(Serialize, ToSchema)]
pub(crate) struct Details {
    name: JobName,
    state: JobState,
    /// The stored record: `pending`, `parked` while the batch is paused, or `run` as it was last
    /// written.
    record: JobRecord,
    /// The number of the latest attempt, as people count; 0 before the first one.
    attempt: u32,
    /// The queue of the job's recipe, if that is another.
    home: Option<Queue>,
    /// Why the job is in this state, in one sentence; times in RFC 3339.
    why: String,
    /// The history of the job, oldest event first.
    events: Vec<Event>,
    /// The ladder that the job makes a rendition of.
    ladder: Option<LadderView>,
}

/// The details of one job.
#[utoipa::path(
    get, path = "/jobs/{job}", tag = "jobs", params(("job" = String, Path)),
    responses((status = OK, body = Details), (status = NOT_FOUND, body = Refusal))
)]
pub(crate) async fn one(
    State(shared): State<App>,
    Named(job): Named<JobId>,
) -> Result<axum::Json<Details>, Refusal> {
    let (record, events) = tokio::try_join!(shared.broker.job(&job), shared.broker.events(&job))?;
    let record = record.ok_or_else(|| Refusal::unknown(format!("job not found: {job}")))?;
    let (queue, home) = (record.queue(), record.job().recipe.queue());
    let ladder: Vec<Ladder> = record.job().ladder.iter().cloned().collect();
    let ladder = shared.broker.ladders(ladder).await?;
    Ok(axum::Json(Details {
        ladder: ladder.first().map(LadderView::from),
        home: (home != *queue).then_some(home),
        attempt: record.run().map_or(0, Run::tries),
        events: Event::history(record.job(), events),
        name: jobs::name(record.job()),
        state: record.state(),
        why: shared.broker.why(&record).await?.to_string(),
        record,
    }))
}
