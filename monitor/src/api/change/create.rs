//! New jobs.

use std::path::Path;

use axum::extract::State;
use common::broker::{Broker, NamesError, Outputs as NamedOutputs, SubmittedJob};
use common::farm::queue::Priority;
use common::farm::worker_name::WorkerName;
use common::job::Fallbacks;
use common::job::further::FurtherInput;
use common::job::id::{BatchId, JobId};
use common::job::input::Input;
use common::job::ladder::Ladder;
use common::job::replacement::{Replacement, TRASH};
use common::job::sidecar::Sidecars;
use common::job::split::Split;
use common::job::work::Work;
use common::matching::pin;
use common::names::location::Location;
use common::names::token::Token;
use common::recipe::{NameTemplate, Outputs, Recipe, Rendition};
use common::rules::Rules;
use common::store::StoreError;
use common::submit::existing_outputs::{ExistingFile, ExistingOutputs};
use common::submit::naming::{NamedSource, Output};
use common::submit::output_set::OutputSet;
use common::submit::result::SubmitResult;
use common::submit::terms::JobTerms;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::change::replacement::WantedReplacement;
use crate::api::further::FurtherInputs;
use crate::api::media::Media;
use crate::web::app::App;
use crate::web::refusal::{Json, Refusal};

/// The most files of one request.
const MOST: usize = 1000;
/// The most requests to the store at the same time.
const AT_ONCE: usize = 16;

/// The jobs to create.
#[derive(Deserialize, ToSchema)]
pub(crate) struct NewJobs {
    /// At most 1000 files, below the store's root.
    files: Vec<String>,
    /// The folder of the outputs, below the store's root. Needed unless the outputs `replace` their sources.
    output: Option<String>,
    /// Has outputs take the places of their sources, instead of `output`. The sources go to a trash, and
    /// `POST /jobs/undo` brings them back.
    replace: Option<WantedReplacement>,
    recipe: Recipe,
    /// Sizes of the outputs, e.g. `["1080p", "720p:3M"]`: each file becomes an output of each.
    renditions: Option<Vec<Rendition>>,
    /// The outputs' names, without extension; by default `{stem}`, or `{stem}-{height}p` for
    /// renditions.
    name: Option<NameTemplate>,
    /// The preset that the recipe began with, for the placeholder `{preset}` of names.
    preset: Option<Token>,
    /// 1 (low) to 10 (high); 5 by default.
    #[serde(default)]
    priority: Priority,
    /// The only worker that may run the jobs.
    worker: Option<WorkerName>,
    /// Seconds after which each fallback encoder opens to a waiting job. Needed if the recipe names
    /// several encoders.
    hop_after: Option<u64>,
    /// When the original is the better result, so that the job ends as `kept`.
    #[serde(default)]
    rules: Rules,
    /// What becomes of the files beside the sources; by default `carry` with `replace`, and else `leave`.
    sidecars: Option<Sidecars>,
    /// Whether a film is encoded in parts; `auto` by default.
    split: Option<Split>,
}

/// The result of a request for new jobs.
#[derive(Serialize, ToSchema)]
pub(crate) struct Receipt {
    /// The batch of the new jobs; `null` if no job is new.
    batch: Option<BatchId>,
    files: Vec<FileReceipt>,
}

/// The result for one output of a file.
#[derive(Serialize, ToSchema)]
pub(crate) struct FileReceipt {
    file: String,
    job: Option<JobId>,
    /// Whether the job is new.
    added: bool,
    /// Why no job was added.
    why: Option<String>,
}

/// Enqueues a job for each file, or for each rendition of each file. Files whose output exists, and jobs that exist already, are left
/// alone. With `replace`, each verified output takes the place of its source.
#[utoipa::path(
    post, path = "/jobs", tag = "new", request_body = NewJobs,
    responses((status = OK, body = Receipt), (status = UNPROCESSABLE_ENTITY, body = Refusal))
)]
pub(crate) async fn create(
    State(shared): State<App>,
    Json(request): Json<NewJobs>,
) -> Result<axum::Json<Receipt>, Refusal> {
    let media = shared.media()?;
    if request.files.is_empty() || request.files.len() > MOST {
        return Err(Refusal::unsound(format!("name 1 to {MOST} files")));
    }
    let outputs = Outputs::new(request.name.clone(), request.renditions.clone())
        .map_err(|why| Refusal::unsound(why.to_string()))?;
    let outputs = OutputSet::new(&request.recipe, &outputs, request.preset.clone())
        .map_err(|why| Refusal::unsound(why.to_string()))?;
    let (outputs, folder, replacement) = destination(media, &request, outputs)?;
    if let Some(worker) = &request.worker {
        let workers = shared.broker.workers().await?;
        let trash = replacement.iter().map(|wanted| wanted.trash.clone());
        let needed: Vec<Location> = trash.chain([media.root().join("file")]).collect();
        pin::check(&request.recipe, worker, &workers, &needed)
            .map_err(|why| Refusal::unsound(why.to_string()))?;
    }
    let rules = request.rules.clone();
    rules
        .check(&outputs)
        .map_err(|why| Refusal::unsound(why.to_string()))?;
    let usual = Sidecars::usual(replacement.is_some());
    let sidecars = request.sidecars.unwrap_or(usual);
    if sidecars == Sidecars::Carry && outputs.is_ladder() {
        let why = "players of a ladder read no files beside it: leave `sidecars` out";
        return Err(Refusal::unsound(why));
    }
    let split = request.split.unwrap_or(Split::Auto);
    outputs
        .check_split(split)
        .map_err(|why| Refusal::unsound(why.to_string()))?;
    let terms = JobTerms {
        rules,
        fallbacks: fallbacks(&request)?,
        worker: request.worker.clone(),
        priority: request.priority,
        sidecars,
        split,
        ..JobTerms::new()
    };
    let named = named(&shared.broker, media, &request, &outputs, &folder).await?;
    let jobs_by_output = named.jobs_by_output;
    let mut each: Vec<(String, Recipe, Option<Ladder>)> = Vec::with_capacity(named.outputs.len());
    for (file, ladder) in request.files.iter().zip(&named.ladders) {
        let recipes = outputs.recipes().iter().cloned();
        each.extend(recipes.map(|recipe| (file.clone(), recipe, ladder.clone())));
    }
    let mut found: Vec<Result<FoundFile, String>> =
        futures::stream::iter(each.clone().into_iter().zip(named.outputs))
            .map(|((file, recipe, ladder), output)| find(media, file, (recipe, ladder), output))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
    let limited = media.limited()?;
    let mut further = FurtherInputs::new(&limited, &request.recipe).await?;
    for one in &mut found {
        let Ok(file) = one else { continue };
        match further.of(&file.input).await? {
            Ok(further) => file.further = further,
            Err(why) => *one = Err(why),
        }
    }
    let at_output = |found: &FoundFile| Some((found.output.clone(), found.existing?));
    let mut existing = ExistingOutputs {
        files: found.iter().flatten().filter_map(at_output).collect(),
        jobs: jobs_by_output,
    };
    let mut masters = Vec::new();
    for ladder in named.ladders.iter().flatten() {
        masters.extend([ladder.master.clone(), ladder.manifest()]);
    }
    let sizes: Vec<(Location, Option<u64>)> = futures::stream::iter(masters)
        .map(async |place| media.size(&place).await.map(|size| (place, size)))
        .buffered(AT_ONCE)
        .try_collect()
        .await?;
    for (place, size) in sizes {
        existing
            .files
            .extend(size.map(|size| (place, at_place(size))));
    }
    let batch = shared
        .broker
        .new_batch(&label(&request), &folder, existing, &terms);
    let job = |found: &FoundFile| {
        let (input, output) = (found.input.clone(), found.output.clone());
        batch.job(Work {
            further: found.further.clone(),
            ladder: found.ladder.clone(),
            replacement: replacement.clone(),
            ..Work::new(input, found.recipe.clone(), output)
        })
    };
    let jobs = found.iter().flatten().map(job).collect();
    let submitted = batch.submit(jobs).await?;
    let added = submitted
        .iter()
        .find(|file| file.result == SubmitResult::Added);
    let batch = added.map(|file| file.job.batch);
    let mut submitted = submitted.into_iter();
    let receipt = |((file, ..), found): ((String, _, _), _)| match found {
        Ok(_) => Some(FileReceipt::new(file, &submitted.next()?)),
        Err(why) => Some(FileReceipt::without_job(file, why)),
    };
    let files = each.into_iter().zip(found).filter_map(receipt);
    Ok(axum::Json(Receipt {
        batch,
        files: files.collect(),
    }))
}

/// Where the outputs go: to a folder, or to the places of their sources. Names are then made below the store's root.
fn destination(
    media: &Media,
    request: &NewJobs,
    set: OutputSet,
) -> Result<(OutputSet, Location, Option<Replacement>), Refusal> {
    let wanted = match (&request.output, &request.replace) {
        (Some(output), None) => return Ok((set, media.place(output), None)),
        (None, Some(wanted)) => wanted,
        _ => {
            return Err(Refusal::unsound(
                "say where the outputs go: give either output or replace",
            ));
        }
    };
    let is_in_trash = |file: &&String| file.split('/').any(|part| part == TRASH);
    if let Some(file) = request.files.iter().find(is_in_trash) {
        return Err(Refusal::unsound(format!(
            "{file} is in a trash: undo its job to bring the original back"
        )));
    }
    let set = set.that_replaces().map_err(|_| {
        Refusal::unsound(
            "replace needs one output of each file: leave the renditions out, or choose another container",
        )
    })?;
    let root = media.root().clone();
    let replacement = wanted.replacement_in(&root)?;
    Ok((set, root, Some(replacement)))
}

/// Names the outputs.
async fn named(
    broker: &Broker,
    media: &Media,
    request: &NewJobs,
    set: &OutputSet,
    folder: &Location,
) -> Result<NamedOutputs, Refusal> {
    let places: Vec<Location> = request.files.iter().map(|file| media.place(file)).collect();
    let sources: Vec<NamedSource<'_>> = request
        .files
        .iter()
        .zip(&places)
        .map(|(file, location)| NamedSource {
            name: Path::new(file),
            location,
        })
        .collect();
    let named = broker.name_outputs(&sources, folder, set);
    named.await.map_err(|error| match error {
        NamesError::Naming(error) => Refusal::unsound(error.to_string()),
        NamesError::Broker(error) => error.into(),
    })
}

/// The fallbacks of the jobs. A pinned job has none: its worker uses the first encoder that it has
/// proved.
fn fallbacks(request: &NewJobs) -> Result<Option<Fallbacks>, Refusal> {
    let queues = request.recipe.fallback_queues();
    match (request.hop_after, queues.is_empty()) {
        (_, true) => Ok(None),
        (_, false) if request.worker.is_some() => Ok(None),
        (Some(after @ 1..), false) => Ok(Some(Fallbacks { queues, after })),
        (None | Some(0), false) => Err(Refusal::unsound(
            "several encoders need hop_after: the seconds that a job waits for one before the next is opened to it",
        )),
    }
}

/// A file, and what is at its output.
struct FoundFile {
    input: Input,
    further: Vec<FurtherInput>,
    recipe: Recipe,
    ladder: Option<Ladder>,
    output: Location,
    existing: Option<ExistingFile>,
}

/// Looks for a file and its output; a file without input or output gives the reason.
async fn find(
    media: &Media,
    file: String,
    (recipe, ladder): (Recipe, Option<Ladder>),
    output: Output,
) -> Result<Result<FoundFile, String>, StoreError> {
    let output = match output {
        Ok(output) => output,
        Err(why) => return Ok(Err(why.to_string())),
    };
    let input = match media.input(&file).await {
        Ok(input) => input,
        Err(StoreError::Missing(_)) => return Ok(Err("it is not there any more".to_owned())),
        Err(error) => return Err(error),
    };
    let size = media.size(&output).await?;
    Ok(Ok(FoundFile {
        input,
        further: Vec::new(),
        recipe,
        ladder,
        output,
        existing: size.map(at_place),
    }))
}

/// A file of this size where a job would put one.
fn at_place(size: u64) -> ExistingFile {
    ExistingFile {
        size,
        is_download: false,
    }
}

impl FileReceipt {
    fn new(file: String, submitted: &SubmittedJob) -> Self {
        Self {
            file,
            job: match &submitted.result {
                SubmitResult::Added | SubmitResult::Pending | SubmitResult::Run(_) => {
                    Some(submitted.job.id)
                }
                SubmitResult::OutputTaken(holder) => Some(holder.job),
                SubmitResult::Occupied(_) => None,
            },
            added: submitted.result == SubmitResult::Added,
            why: submitted.result.reason(),
        }
    }

    fn without_job(file: String, why: String) -> Self {
        Self {
            file,
            job: None,
            added: false,
            why: Some(why),
        }
    }
}

/// The label of the batch.
fn label(request: &NewJobs) -> String {
    match &request.files[..] {
        [file] => file.clone(),
        files => format!("{} and {} more", files[0], files.len() - 1),
    }
}
