//! Jobs: pages of them, and all about one.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::job::event::Event;
use common::job::id::{BatchId, JobId};
use common::job::record::JobRecord;
use common::job::state::JobState;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::app::App;
use crate::index::LISTED;
use crate::index::query::{Ids, Page, Query, Sort};
use crate::refusal::{Named, Params, Refusal};
use crate::snapshot::jobs::{self, JobName};

/// Jobs of one page, at the most.
const MOST: usize = 500;
/// Names of jobs in one answer, at the most.
const MOST_IDS: usize = 100_000;

/// Which jobs, in which order.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct JobsQuery {
    /// Phases, comma-separated; all where left out.
    #[serde(default)]
    phases: String,
    /// Only in this queue.
    #[param(value_type = Option<String>)]
    queue: Option<Queue>,
    /// Only with this worker.
    #[param(value_type = Option<String>)]
    worker: Option<WorkerName>,
    /// Only of this batch.
    #[param(value_type = Option<String>)]
    batch: Option<BatchId>,
    /// Only those whose name or folder holds this, or whose id this is.
    #[serde(default)]
    text: String,
    /// What to sort by.
    #[serde(default)]
    #[param(inline)]
    sort: Sort,
    /// The other way round.
    #[serde(default)]
    descending: bool,
    /// Jobs to leave out first.
    #[serde(default)]
    offset: usize,
    /// Jobs to give, at the most 500.
    #[serde(default = "usual")]
    limit: usize,
}

fn usual() -> usize {
    50
}

impl JobsQuery {
    fn query(self) -> Result<Query, Refusal> {
        let mut phases = Vec::new();
        for name in self.phases.split(',').filter(|name| !name.is_empty()) {
            let phase = LISTED.into_iter().find(|phase| phase.as_str() == name);
            phases
                .push(phase.ok_or_else(|| Refusal::unsound(format!("there is no phase {name}")))?);
        }
        Ok(Query {
            phases,
            queue: self.queue,
            worker: self.worker,
            batch: self.batch,
            text: self.text,
            sort: self.sort,
            descending: self.descending,
            offset: self.offset,
            limit: self.limit.clamp(1, MOST),
        })
    }
}

/// A page of jobs. While the jobs are still being listed, of those listed so far.
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

/// The ids of the first 100,000 jobs, for orders about more of them than a page
/// has. `limit` means nothing here.
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

/// All that is known of a job.
#[derive(Serialize, ToSchema)]
pub(crate) struct Details {
    /// What it is called.
    name: JobName,
    /// Its state in one word.
    state: JobState,
    /// Where it stands: `pending` as it waits, `parked` as its batch is paused, or
    /// `run` as it was last written.
    #[schema(value_type = Object)]
    record: JobRecord,
    /// By whom its recipe may be run, where that is another queue.
    #[schema(value_type = Option<String>)]
    home: Option<Queue>,
    /// Why it is there, in one sentence; points in time in it as in RFC 3339.
    why: String,
    /// What happened to it, oldest first.
    #[schema(value_type = Vec<Object>)]
    events: Vec<Event>,
}

/// All about one job.
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
    Ok(axum::Json(Details {
        home: (home != *queue).then_some(home),
        events: Event::history(record.job(), events),
        name: jobs::name(record.job()),
        state: record.state(),
        why: shared.broker.why(&record).await?.to_string(),
        record,
    }))
}
