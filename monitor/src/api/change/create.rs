//! New jobs.

use std::path::Path;

use axum::extract::State;
use common::broker::{Broker, EnqueueResult, Enqueued, JobsByOutput, NamesError, Outputs};
use common::farm::queue::{Lane, Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::id::{BatchId, JobId};
use common::job::{Fallbacks, Job};
use common::matching::pin;
use common::names::location::Location;
use common::recipe::Recipe;
use common::store::StoreError;
use common::submit::naming::{NamedSource, Output};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::media::Media;
use crate::web::app::App;
use crate::web::refusal::{Json, Refusal};

/// The most files of one request.
const MOST: usize = 1000;
/// Requests to the store at the same time.
const AT_ONCE: usize = 16;

/// The jobs to create.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Order {
    /// At most 1000 files, below the store's root.
    files: Vec<String>,
    /// The folder of the outputs, below the store's root.
    output: String,
    #[schema(value_type = Object)]
    recipe: Recipe,
    /// 1 (low) to 10 (high); 5 by default.
    #[serde(default)]
    priority: Priority,
    /// The only worker that may run the jobs.
    worker: Option<WorkerName>,
    /// Seconds after which each fallback encoder opens to a waiting job. Needed if the recipe names
    /// several encoders.
    hop_after: Option<u64>,
}

/// The result of a request for new jobs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// The batch of the new jobs; `null` if no job is new.
    batch: Option<BatchId>,
    files: Vec<FileReceipt>,
}

/// The result for one file.
#[derive(Serialize, ToSchema)]
pub(crate) struct FileReceipt {
    file: String,
    job: Option<JobId>,
    /// Whether the job is new.
    added: bool,
    /// Why no job was added.
    why: Option<String>,
}

/// Enqueues a job for each file. Files whose output exists, and jobs that exist already, are left
/// alone.
#[utoipa::path(
    post, path = "/jobs", tag = "new", request_body = Order,
    responses((status = OK, body = Receipt), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn create(
    State(shared): State<App>,
    Json(order): Json<Order>,
) -> Result<axum::Json<Receipt>, Refusal> {
    let media = shared.media()?;
    if order.files.is_empty() || order.files.len() > MOST {
        return Err(Refusal::unsound(format!("name 1 to {MOST} files")));
    }
    let queue = match &order.worker {
        Some(worker) => {
            let workers = shared.broker.workers().await?;
            let needed = [media.root().join("file")];
            pin::check(&order.recipe, worker, &workers, &needed)
                .map_err(|why| Refusal::unsound(why.to_string()))?;
            Queue::On(worker.clone())
        }
        None => order.recipe.queue(),
    };
    let fallbacks = fallbacks(&order)?;
    let lane = Lane {
        priority: order.priority,
        queue,
    };
    let folder = media.place(&order.output);
    let mut submission = shared.broker.submission(&label(&order), &folder);
    let batch = submission.batch();
    let Outputs {
        outputs,
        jobs_by_output,
    } = named(&shared.broker, media, &order, &folder).await?;
    let prepared: Vec<Result<Job, String>> =
        futures::stream::iter(order.files.clone().into_iter().zip(outputs))
            .map(|(file, output)| {
                prepare(media, file, output, &order.recipe, (batch, &jobs_by_output))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
    let now = shared.broker.now();
    let jobs: Vec<(Job, Lane)> = prepared
        .iter()
        .flatten()
        .map(|job| {
            let mut job = job.clone();
            job.fallbacks.clone_from(&fallbacks);
            job.enqueued = now;
            (job, lane.clone())
        })
        .collect();
    let outcomes = submission.enqueue(&jobs).await?;
    let batch = submission.close().await?;
    let mut outcomes = outcomes.into_iter();
    let files = order
        .files
        .into_iter()
        .zip(prepared)
        .map(|(file, prepared)| match prepared {
            Ok(_) => receipt(file, outcomes.next()),
            Err(why) => FileReceipt {
                file,
                job: None,
                added: false,
                why: Some(why),
            },
        });
    Ok(axum::Json(Receipt {
        batch: batch.map(|batch| batch.id),
        files: files.collect(),
    }))
}

/// Names the outputs.
async fn named(
    broker: &Broker,
    media: &Media,
    order: &Order,
    folder: &Location,
) -> Result<Outputs, Refusal> {
    let places: Vec<Location> = order.files.iter().map(|file| media.place(file)).collect();
    let sources: Vec<NamedSource<'_>> = order
        .files
        .iter()
        .zip(&places)
        .map(|(file, location)| NamedSource {
            name: Path::new(file),
            location,
        })
        .collect();
    let named = broker.name_outputs(&sources, folder, order.recipe.container);
    named.await.map_err(|error| match error {
        NamesError::Naming(error) => Refusal::unsound(error.to_string()),
        NamesError::Broker(error) => error.into(),
    })
}

/// The fallbacks of the jobs. A pinned job has none: its worker uses the first encoder that it has
/// proved.
fn fallbacks(order: &Order) -> Result<Option<Fallbacks>, Refusal> {
    let queues = order.recipe.further_queues();
    match (order.hop_after, queues.is_empty()) {
        (_, true) => Ok(None),
        (_, false) if order.worker.is_some() => Ok(None),
        (Some(after @ 1..), false) => Ok(Some(Fallbacks { queues, after })),
        (None | Some(0), false) => Err(Refusal::unsound(
            "several encoders need hop_after: the seconds that a job waits for one before the next is opened to it",
        )),
    }
}

/// The job for a file, or why there is none.
async fn prepare(
    media: &Media,
    file: String,
    output: Output,
    recipe: &Recipe,
    (batch, jobs_by_output): (BatchId, &JobsByOutput),
) -> Result<Result<Job, String>, StoreError> {
    let output = match output {
        Ok(output) => output,
        Err(why) => return Ok(Err(why.to_string())),
    };
    let input = match media.input(&file).await {
        Ok(input) => input,
        Err(StoreError::Missing(_)) => return Ok(Err("it is not there any more".to_owned())),
        Err(error) => return Err(error),
    };
    if media.is_taken(&output).await? {
        let last_job = jobs_by_output
            .get(&output)
            .filter(|last_job| last_job.report().is_some());
        return Ok(Err(match last_job {
            Some(last_job) if last_job.does(&input, recipe) => {
                format!(
                    "{output} is there already, made by job {}",
                    last_job.job().id
                )
            }
            Some(last_job) => last_job.differs(&input.location, recipe),
            None => format!("there is a file at {output} already"),
        }));
    }
    Ok(Ok(Job::new(batch, input, output, recipe.clone(), None)))
}

fn receipt(file: String, outcome: Option<Enqueued>) -> FileReceipt {
    let (job, why) = match outcome {
        Some((job, EnqueueResult::Added)) => (Some(job), None),
        Some((job, EnqueueResult::AlreadyPending)) => {
            (Some(job), Some("it waits already".to_owned()))
        }
        Some((job, EnqueueResult::Known(run))) => (
            Some(job),
            Some(format!("it is {} already", run.state.as_str())),
        ),
        Some((_, EnqueueResult::OutputTaken(holder))) => {
            (Some(holder.job), Some(holder.to_string()))
        }
        None => (None, Some("the broker said nothing of it".to_owned())),
    };
    FileReceipt {
        file,
        job,
        added: why.is_none(),
        why,
    }
}

/// The batch's label.
fn label(order: &Order) -> String {
    match &order.files[..] {
        [file] => file.clone(),
        files => format!("{} and {} more", files[0], files.len() - 1),
    }
}
