//! New jobs.

use std::path::Path;

use axum::extract::State;
use common::broker::{Broker, EnqueueResult, Enqueued, Makers, NamesError, Outputs};
use common::farm::queue::{Lane, Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::id::{BatchId, JobId};
use common::job::{Fallbacks, Job};
use common::matching::pin;
use common::names::location::Location;
use common::recipe::Recipe;
use common::store::StoreError;
use common::submit::naming::{Named, Output};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::media::Media;
use crate::api::recipe::check;
use crate::app::App;
use crate::refusal::{Json, Refusal};

/// Files of one order, at the most.
const MOST: usize = 1000;
/// Files that the store is asked about at the same time.
const AT_ONCE: usize = 16;

/// What to encode, and how.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Order {
    /// Files below the store's root, at the most 1000.
    files: Vec<String>,
    /// The folder below the store's root that outputs go to.
    output: String,
    /// How to encode.
    #[schema(value_type = Object)]
    recipe: Recipe,
    /// How urgently, 1 to 10; 5 where left out.
    #[serde(default)]
    #[schema(value_type = Option<u8>)]
    priority: Priority,
    /// The only worker that may run them.
    #[schema(value_type = Option<String>)]
    worker: Option<WorkerName>,
    /// Where the recipe names several encoders: seconds that a job waits for one
    /// before the next is opened to it.
    hop_after: Option<u64>,
}

/// What became of an order.
#[derive(Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// What the new jobs are known by together; none where no job is new.
    #[schema(value_type = Option<String>)]
    batch: Option<BatchId>,
    /// Each file.
    files: Vec<FileReceipt>,
}

/// What became of a file.
#[derive(Serialize, ToSchema)]
pub(crate) struct FileReceipt {
    file: String,
    /// Its job.
    #[schema(value_type = Option<String>)]
    job: Option<JobId>,
    /// Whether the job is new.
    added: bool,
    /// Why not.
    why: Option<String>,
}

/// Submits a job for each file. Files whose output is there already are left
/// alone, and so is what waits, runs or is done.
#[utoipa::path(
    post, path = "/jobs", tag = "new", request_body = Order,
    responses((status = OK, body = Receipt), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn create(
    State(shared): State<App>,
    Json(order): Json<Order>,
) -> Result<axum::Json<Receipt>, Refusal> {
    let media = shared.media()?;
    check(&order.recipe)?;
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
    let mut hand_in = shared.broker.hand_in(&label(&order), &folder);
    let batch = hand_in.batch();
    let Outputs { outputs, makers } = named(&shared.broker, media, &order, &folder).await?;
    let prepared: Vec<Result<Job, String>> =
        futures::stream::iter(order.files.clone().into_iter().zip(outputs))
            .map(|(file, output)| prepare(media, file, output, &order.recipe, (batch, &makers)))
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
    let outcomes = hand_in.enqueue(&jobs).await?;
    let batch = hand_in.close().await?;
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

/// What the outputs of an order are called.
async fn named(
    broker: &Broker,
    media: &Media,
    order: &Order,
    folder: &Location,
) -> Result<Outputs, Refusal> {
    let places: Vec<Location> = order.files.iter().map(|file| media.place(file)).collect();
    let sources: Vec<Named<'_>> = order
        .files
        .iter()
        .zip(&places)
        .map(|(file, location)| Named {
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

/// How the jobs go on to further encoders. A worker of their own takes the first
/// that it has proved.
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

/// The job for a file, or why there is none to be done.
async fn prepare(
    media: &Media,
    file: String,
    output: Output,
    recipe: &Recipe,
    (batch, makers): (BatchId, &Makers),
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
        let maker = makers.get(&output).filter(|maker| maker.report().is_some());
        return Ok(Err(match maker {
            Some(maker) if maker.does(&input, recipe) => {
                format!("{output} is there already, made by job {}", maker.job().id)
            }
            Some(maker) => maker.differs(&input.location, recipe),
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

/// What a person may know the batch by.
fn label(order: &Order) -> String {
    match &order.files[..] {
        [file] => file.clone(),
        files => format!("{} and {} more", files[0], files.len() - 1),
    }
}
