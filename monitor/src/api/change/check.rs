//! New checks of files.

use axum::extract::State;
use common::broker::SubmittedJob;
use common::farm::queue::Priority;
use common::job::id::{BatchId, JobId};
use common::job::input::Input;
use common::job::kind::CheckDepth;
use common::job::work::Work;
use common::store::StoreError;
use common::submit::result::SubmitResult;
use common::submit::terms::{JobTerms, Renew};
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::media::Media;
use crate::web::app::App;
use crate::web::refusal::{Json, Refusal};

/// The most files of one request.
const MOST: usize = 1000;
/// The most requests to the store at the same time.
const AT_ONCE: usize = 16;

/// The files to check for damage.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewChecks {
    /// At most 1000 files, below the store's root.
    files: Vec<String>,
    /// How much of each file is decoded.
    depth: CheckDepth,
    /// 1 (low) to 10 (high); 5 by default.
    #[serde(default)]
    priority: Priority,
    /// Check files again whose results are known.
    #[serde(default)]
    again: bool,
}

/// The result of a request for checks.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckReceipt {
    /// The batch of the new jobs; `null` if no job is new.
    batch: Option<BatchId>,
    files: Vec<CheckedFile>,
}

/// The check of a file.
#[derive(Serialize, ToSchema)]
pub(crate) struct CheckedFile {
    file: String,
    /// The job that checks the file, or has checked it; `null` if there is none.
    job: Option<JobId>,
    /// Whether the job is new.
    added: bool,
    /// Why there is no job.
    why: Option<String>,
}

/// Enqueues a check for each file. A file that was checked and has not changed keeps its result.
#[utoipa::path(
    post, path = "/checks", tag = "new", request_body = NewChecks,
    responses((status = OK, body = CheckReceipt), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn check(
    State(shared): State<App>,
    Json(request): Json<NewChecks>,
) -> Result<axum::Json<CheckReceipt>, Refusal> {
    let media = shared.media()?;
    let NewChecks { files, depth, .. } = request;
    if files.is_empty() || files.len() > MOST {
        return Err(Refusal::unsound(format!("name 1 to {MOST} files")));
    }
    let found = futures::stream::iter(files.clone())
        .map(|file| find(media, file))
        .buffered(AT_ONCE);
    let found: Vec<_> = found.try_collect().await?;
    let terms = JobTerms {
        priority: request.priority,
        again: request.again,
        renew: Renew::Ended,
        ..JobTerms::new()
    };
    let label = match &files[..] {
        [file] => format!("check {file}"),
        files => format!("check {} and {} more", files[0], files.len() - 1),
    };
    let batch = shared.broker.new_batch_of_checks(&label, &terms);
    let inputs = found.iter().flatten().cloned();
    let jobs = inputs.map(|input| batch.job(Work::check(input, depth)));
    let jobs = jobs.collect();
    let submitted = batch.submit(jobs).await?;
    let is_added = |job: &&SubmittedJob| job.result == SubmitResult::Added;
    let batch = submitted.iter().find(is_added).map(|job| job.job.batch);
    let mut submitted = submitted.into_iter();
    let receipt = |(file, found): (String, Option<_>)| {
        let job = found.and_then(|_| submitted.next());
        CheckedFile {
            file,
            added: job.as_ref().is_some_and(|job| is_added(&job)),
            why: match &job {
                Some(job) => job.result.reason(),
                None => Some("it is not there any more".to_owned()),
            },
            job: job.map(|job| job.job.id),
        }
    };
    let files = files.into_iter().zip(found).map(receipt);
    Ok(axum::Json(CheckReceipt {
        batch,
        files: files.collect(),
    }))
}

/// A file as it is now; `None` if it is not there.
async fn find(media: &Media, file: String) -> Result<Option<Input>, StoreError> {
    match media.input(&file).await {
        Ok(input) => Ok(Some(input)),
        Err(StoreError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}
