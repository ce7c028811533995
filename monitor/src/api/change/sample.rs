//! New samples of a film.

use axum::extract::State;
use axum::http::StatusCode;
use common::broker::{SamplePlanError, SubmittedJob};
use common::farm::preview::ForecastRequest;
use common::farm::queue::Priority;
use common::farm::worker_name::WorkerName;
use common::job::id::{BatchId, JobId};
use common::matching::pin;
use common::recipe::Recipe;
use common::rules::Rules;
use common::submit::existing_outputs::{ExistingFile, ExistingOutputs};
use common::submit::result::SubmitResult;
use common::submit::sample;
use common::submit::sample::{PlannedSample, SampleWish};
use common::submit::terms::{JobTerms, Renew};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::further::FurtherInputs;
use crate::web::app::App;
use crate::web::refusal::{Json, Refusal};

/// The samples to make.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewSamples {
    /// The film, below the store's root.
    file: String,
    recipe: Recipe,
    /// The folder for the clips, below the store's root: each order has a folder of its own in it.
    #[serde(default = "folder")]
    output: String,
    /// Number of samples, spread evenly: 1 to 100, 3 by default.
    #[serde(default = "count")]
    count: u32,
    /// Seconds of each sample, at least 1; 20 by default.
    #[serde(default = "length")]
    length: f64,
    /// Where samples begin, in seconds of the film, instead of spreading them.
    #[serde(default)]
    at: Vec<f64>,
    /// 1 (low) to 10 (high); 5 by default.
    #[serde(default)]
    priority: Priority,
    /// The only worker that may encode the samples.
    worker: Option<WorkerName>,
}

fn folder() -> String {
    "samples".to_owned()
}

fn count() -> u32 {
    SampleWish::COUNT
}

fn length() -> f64 {
    SampleWish::LENGTH
}

/// The result of a request for samples.
#[derive(Serialize, ToSchema)]
pub(crate) struct SampleReceipt {
    /// The batch of the samples, for `GET /samples/{batch}`: an earlier one if all of them are known; `null` if there is
    /// none.
    batch: Option<BatchId>,
    samples: Vec<NewSample>,
}

/// A sample that was asked for.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewSample {
    /// Where it begins, in seconds of the part that the recipe keeps.
    from: f64,
    /// Its length in seconds.
    length: f64,
    /// The job that encodes it; `null` if there is none.
    job: Option<JobId>,
    /// Whether the job is new.
    added: bool,
    /// Why no job was added.
    why: Option<String>,
}

/// Enqueues a job for each sample of a film, once a worker has looked at the film. The same request again finds the clips
/// that were made.
#[utoipa::path(
    post, path = "/samples", tag = "new", request_body = NewSamples,
    responses(
        (status = OK, body = SampleReceipt),
        (status = NOT_FOUND, body = Refusal),
        (status = UNPROCESSABLE_ENTITY, body = Refusal),
        (status = BAD_GATEWAY, body = Refusal)
    )
)]
pub(crate) async fn sample(
    State(shared): State<App>,
    Json(request): Json<NewSamples>,
) -> Result<axum::Json<SampleReceipt>, Refusal> {
    let media = shared.media()?;
    // A recipe without samples needs no look at the film.
    sample::recipe(&request.recipe, None, None).map_err(|why| Refusal::unsound(why.to_string()))?;
    let input = media.input(&request.file).await?;
    let limited = media.limited()?;
    let mut further = FurtherInputs::new(&limited, &request.recipe).await?;
    let further = further.of(&input).await?.map_err(Refusal::unsound)?;
    let mut workers = shared.broker.workers().await?;
    if let Some(worker) = &request.worker {
        let needed = [media.root().join("file")];
        pin::check(&request.recipe, worker, &workers, &needed)
            .map_err(|why| Refusal::unsound(why.to_string()))?;
        workers.retain(|one| one.name == *worker);
    }
    let wish = SampleWish {
        count: request.count,
        length: request.length,
        at: request.at.clone(),
    };
    let asked = ForecastRequest {
        input: input.clone(),
        further: further.clone(),
        recipe: request.recipe.clone(),
        rules: Rules::default(),
    };
    let plan = shared.broker.plan_samples(&workers, asked, &wish).await;
    let plan = plan.map_err(|why| match why {
        SamplePlanError::Unseen(_) => Refusal::new(StatusCode::BAD_GATEWAY, why.to_string()),
        why => Refusal::unsound(why.to_string()),
    })?;
    let film = plan.film.clone();
    let place = media.place(&request.output);
    let (folder, works) = sample::works((&input, &further), &plan.samples, &place);
    let mut existing = ExistingOutputs::default();
    for work in &works {
        let is_download = false;
        if let Some(size) = media.size(&work.output).await? {
            let file = ExistingFile { size, is_download };
            existing.files.insert(work.output.clone(), file);
        }
    }
    let outputs = works.iter().map(|work| work.output.clone());
    existing.jobs = shared.broker.jobs_by_output(outputs).await?;
    let terms = JobTerms {
        priority: request.priority,
        worker: request.worker.clone(),
        renew: Renew::Ended,
        ..JobTerms::new()
    };
    let label = sample::label(&request.file);
    let batch = shared
        .broker
        .new_batch_of_samples(&label, &folder, existing, &terms, film.clone());
    let jobs = works.into_iter().map(|work| batch.job(work)).collect();
    let submitted = batch.submit(jobs).await?;
    let is_added = |job: &&SubmittedJob| job.result == SubmitResult::Added;
    let has_job = |job: &&SubmittedJob| id(job).is_some();
    let first = submitted.iter().find(is_added);
    let first = first.or_else(|| submitted.iter().find(has_job));
    let rows = plan.samples.iter().zip(&submitted);
    let rows = rows.map(|(PlannedSample { window, .. }, job)| NewSample {
        from: window.map_or(0.0, |window| window.from),
        length: window.map_or(film.length, |window| window.length),
        job: id(job),
        added: is_added(&job),
        why: job.result.reason(),
    });
    Ok(axum::Json(SampleReceipt {
        batch: first.map(|first| first.job.batch),
        samples: rows.collect(),
    }))
}

/// The job of a sample, new or known.
fn id(submitted: &SubmittedJob) -> Option<JobId> {
    match &submitted.result {
        SubmitResult::Added | SubmitResult::Pending | SubmitResult::Run(_) => {
            Some(submitted.job.id)
        }
        SubmitResult::OutputTaken(_) | SubmitResult::Occupied(_) => None,
    }
}
