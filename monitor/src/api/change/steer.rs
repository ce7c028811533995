//! Changes of jobs: cancel, retry, move. Each answer says for every job whether it was changed, and
//! if not, why.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use common::broker::{Broker, BrokerError, SteerResult};
use common::farm::queue::{Priority, Queue};
use common::farm::worker::Heartbeat;
use common::job::id::JobId;
use common::job::state::JobState;
use common::matching::pin;
use futures::{Stream, StreamExt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::jobs::{AT_ONCE, Jobs, checked};
use crate::audit::told::Told;
use crate::web::app::App;
use crate::web::refusal::{Json, Refusal};

/// The jobs to move, and where to.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Move {
    /// At most 1000 ids.
    jobs: Vec<JobId>,
    /// The new queue; `on_<worker>` for one worker alone. Left out: the queue stays.
    queue: Option<Queue>,
    /// Move each job back to the queue of its recipe.
    #[serde(default)]
    home: bool,
    /// The new priority, 1 (low) to 10 (high).
    priority: Option<Priority>,
}

/// The result for one job.
#[derive(Serialize, ToSchema)]
pub(crate) struct Outcome {
    job: JobId,
    /// Whether the job was changed.
    done: bool,
    /// The job's state now.
    state: Option<JobState>,
    /// Why the job was not changed.
    why: Option<String>,
}

impl Outcome {
    fn of(job: JobId, answer: Result<SteerResult, BrokerError>) -> Self {
        let not = |state, why: String| Self {
            job,
            done: false,
            state,
            why: Some(why),
        };
        match answer {
            Ok(SteerResult::Done(run)) => Self {
                job,
                done: true,
                state: Some(JobState::from(&run.state)),
                why: None,
            },
            Ok(SteerResult::TooLate(run)) => not(
                Some(JobState::from(&run.state)),
                format!("it is {}", run.too_late()),
            ),
            Ok(SteerResult::OutputTaken(holder)) => not(None, holder.to_string()),
            Ok(SteerResult::Refused(why)) => not(None, why),
            Ok(SteerResult::Unknown) => not(None, "job not found".to_owned()),
            Err(error) => not(None, error.to_string()),
        }
    }

    fn refused(job: JobId, why: String) -> Self {
        Self {
            job,
            done: false,
            state: None,
            why: Some(why),
        }
    }
}

/// The results, in the order of the jobs.
pub(crate) struct Outcomes(Vec<Outcome>);

impl Outcomes {
    /// Collects the results, several requests at a time.
    async fn of(outcomes: impl Stream<Item = impl Future<Output = Outcome>>) -> Self {
        Self(outcomes.buffered(AT_ONCE).collect().await)
    }
}

impl IntoResponse for Outcomes {
    fn into_response(self) -> Response {
        let done = self.0.iter().filter(|outcome| outcome.done).count();
        let told = Told(format!("{done} of {} done", self.0.len()));
        (Extension(told), axum::Json(self.0)).into_response()
    }
}

/// Makes one change to each job.
async fn each(
    broker: &Broker,
    jobs: Vec<JobId>,
    change: impl AsyncFn(&Broker, &JobId) -> Result<SteerResult, BrokerError>,
) -> Result<Outcomes, Refusal> {
    checked(&jobs)?;
    let change = &change;
    let outcomes = jobs
        .into_iter()
        .map(|job| async move { Outcome::of(job, change(broker, &job).await) });
    Ok(Outcomes::of(futures::stream::iter(outcomes)).await)
}

/// Cancels jobs that wait or run.
#[utoipa::path(
    post, path = "/jobs/cancel", tag = "steer", request_body = Jobs,
    responses((status = OK, body = Vec<Outcome>), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn cancel(
    State(App { broker, .. }): State<App>,
    Json(Jobs { jobs }): Json<Jobs>,
) -> Result<Outcomes, Refusal> {
    each(&broker, jobs, Broker::cancel).await
}

/// Retries jobs that failed or were cancelled.
#[utoipa::path(
    post, path = "/jobs/retry", tag = "steer", request_body = Jobs,
    responses((status = OK, body = Vec<Outcome>), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn retry(
    State(App { broker, .. }): State<App>,
    Json(Jobs { jobs }): Json<Jobs>,
) -> Result<Outcomes, Refusal> {
    each(&broker, jobs, Broker::retry).await
}

/// Puts the sources of completed jobs back that their outputs have replaced, and removes the outputs. The jobs are
/// cancelled then. An output that was changed since is left alone.
#[utoipa::path(
    post, path = "/jobs/undo", tag = "steer", request_body = Jobs,
    responses((status = OK, body = Vec<Outcome>), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn undo(
    State(App { broker, .. }): State<App>,
    Json(Jobs { jobs }): Json<Jobs>,
) -> Result<Outcomes, Refusal> {
    each(&broker, jobs, async |broker, job| {
        broker.undo(job, false).await
    })
    .await
}

/// Moves jobs to another queue, another priority, or both. A job is pinned to a worker only if the
/// worker has proved what the job needs.
#[utoipa::path(
    post, path = "/jobs/move", tag = "steer", request_body = Move,
    responses((status = OK, body = Vec<Outcome>), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn move_jobs(
    State(App { broker, .. }): State<App>,
    Json(change): Json<Move>,
) -> Result<Outcomes, Refusal> {
    checked(&change.jobs)?;
    if change.queue.is_none() && change.priority.is_none() && !change.home {
        return Err(Refusal::unsound("say where to: queue, home or priority"));
    }
    if change.queue.is_some() && change.home {
        return Err(Refusal::unsound("queue and home exclude each other"));
    }
    let workers = match &change.queue {
        Some(Queue::On(_)) => broker.workers().await?,
        _ => Vec::new(),
    };
    let jobs = change.jobs.clone();
    let outcomes = jobs
        .into_iter()
        .map(|job| move_one(&broker, job, &change, &workers));
    Ok(Outcomes::of(futures::stream::iter(outcomes)).await)
}

async fn move_one(broker: &Broker, job: JobId, change: &Move, workers: &[Heartbeat]) -> Outcome {
    let (recipe, needed) = match broker.job(&job).await {
        Ok(Some(record)) => (record.job().recipe.clone(), record.job().needed()),
        Ok(None) => return Outcome::of(job, Ok(SteerResult::Unknown)),
        Err(error) => return Outcome::of(job, Err(error)),
    };
    let queue = match &change.queue {
        Some(Queue::On(worker)) => {
            if let Err(why) = pin::check(&recipe, worker, workers, &needed) {
                return Outcome::refused(job, why.to_string());
            }
            change.queue.clone()
        }
        None if change.home => Some(recipe.queue()),
        other => other.clone(),
    };
    Outcome::of(
        job,
        broker.move_job(&job, queue.as_ref(), change.priority).await,
    )
}
