//! `producer enqueue`: hands media to the farm.

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use common::location::Location;
use common::printable::printable;
use common::recipe::Recipe;
use common::store::Stores;
use tokio_util::sync::CancellationToken;

use crate::attend::{Ending, attend};
use crate::exit::{Error, Exit};
use crate::farm::Settings;
use crate::follow::Follower;
use crate::order::{self, Counts, JobOptions};
use crate::preflight;
use crate::presets::Shelf;
use crate::recipe_options::RecipeOptions;
use crate::sources::SourceOptions;
use crate::submit::{Entry, Renew, Standing, submit};
use crate::upload::{self, upload};

/// How long uploads may take to give up.
const GIVE_UP: Duration = Duration::from_secs(3);

/// What to hand in, and how.
#[derive(Debug, Args)]
pub struct Options {
    /// What to encode.
    #[command(flatten)]
    pub sources: SourceOptions,
    /// Folder or s3://bucket/prefix for the results [default: out/ in the store]
    #[arg(short, long, value_name = "LOCATION")]
    pub output: Option<PathBuf>,
    /// How.
    #[command(flatten)]
    pub recipe: RecipeOptions,
    /// On what terms.
    #[command(flatten)]
    pub jobs: JobOptions,
    /// Stay until all jobs have ended, showing progress and a summary
    #[arg(long)]
    pub wait: bool,
    /// Make anew what is done, but whose output is gone
    #[arg(long)]
    pub missing: bool,
    /// Refuse (exit 1) where no live worker has proved the encoder, instead of letting jobs wait for one
    #[arg(long)]
    pub require_worker: bool,
}

/// Jobs to hand in, once the options are read.
pub struct Job<'a> {
    /// What to encode.
    pub sources: &'a SourceOptions,
    /// Where the results go.
    pub folder: Location,
    /// How.
    pub recipe: Recipe,
    /// On what terms.
    pub jobs: &'a JobOptions,
    /// Where local files are uploaded to, where they are.
    pub upload_to: Option<Location>,
    /// Whether to refuse what no live worker can run.
    pub require_worker: bool,
    /// Whether to stay until all have ended.
    pub wait: bool,
    /// Which jobs that are over are made anew.
    pub renew: Renew,
}

/// Enqueues.
///
/// # Errors
/// See [`Exit`].
pub async fn run(
    options: Box<Options>,
    settings: Settings,
    shutdown: CancellationToken,
) -> Result<Exit, Error> {
    let recipe = options.recipe.recipe(Shelf::Farm(&settings), None).await?;
    let folder = order::results_folder(options.output.as_deref(), &settings)?;
    let job = Job {
        sources: &options.sources,
        folder,
        recipe,
        jobs: &options.jobs,
        upload_to: settings.store.clone().filter(Location::is_remote),
        require_worker: options.require_worker,
        wait: options.wait,
        renew: if options.missing {
            Renew::Gone
        } else {
            Renew::Never
        },
    };
    hand_in(job, &settings, shutdown).await
}

/// Hands jobs to a farm, and stays with them where asked to.
///
/// # Errors
/// See [`Exit`].
pub async fn hand_in(
    job: Job<'_>,
    settings: &Settings,
    shutdown: CancellationToken,
) -> Result<Exit, Error> {
    let handed_in = {
        let mut entering = pin!(enter(&job, settings, &shutdown));
        tokio::select! {
            result = &mut entering => result?,
            () = shutdown.cancelled() => {
                // Uploads that are under way give up what they sent.
                let _ = tokio::time::timeout(GIVE_UP, entering).await;
                return Err(Error::interrupted(
                    "interrupted; run the same command again to carry on",
                ));
            }
        }
    };
    let HandedIn {
        follower,
        mut entries,
        is_complete,
    } = handed_in;
    let counts = Counts::of(&entries);
    eprintln!("{}", counts.in_words());
    if !job.wait {
        if job.jobs.json {
            order::print_json(counts, &entries)?;
        }
        return Ok(if counts.skipped + counts.refused > 0 || !is_complete {
            Exit::Failed
        } else {
            Exit::Done
        });
    }
    let ending = if entries.iter().any(Entry::is_open) {
        attend(follower, &mut entries, &shutdown, std::future::pending()).await?
    } else {
        Ending::AllEnded
    };
    let exit = order::conclude(
        ending,
        &entries,
        counts,
        job.jobs.json,
        "the farm carries on without this program",
    )?;
    Ok(if is_complete { exit } else { Exit::Failed })
}

struct HandedIn {
    follower: Follower,
    entries: Vec<Entry>,
    is_complete: bool,
}

async fn enter(
    job: &Job<'_>,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<HandedIn, Error> {
    let terms = job.jobs.terms(job.recipe.clone(), job.renew)?;
    let stores = Stores::new();
    for location in [Some(&job.folder), job.upload_to.as_ref()]
        .into_iter()
        .flatten()
    {
        preflight::reach(location).await?;
    }
    let order = order::find(job.sources, &job.folder, &job.recipe, &stores).await?;
    let broker = settings.connect().await?;
    let jobs: Vec<[Location; 2]> = order
        .sources
        .iter()
        .map(|(source, output)| {
            let input = upload::read_from(job.upload_to.as_ref(), &source.input.location);
            [input, output.clone()]
        })
        .collect();
    preflight::check_served(&broker, &terms, &jobs, job.require_worker).await?;
    let follower = Follower::start(&broker).await?;
    let (mut sources, outputs): (Vec<_>, Vec<_>) = order.sources.into_iter().unzip();
    if let Some(store) = &job.upload_to {
        sources = upload(&stores, store, sources, shutdown).await?;
    }
    let sources = sources.into_iter().zip(outputs).collect();
    let label = order::label(&job.sources.paths);
    let entries = submit(&broker, &stores, sources, &job.folder, &terms, &label).await?;
    for entry in &entries {
        match &entry.standing {
            Standing::Occupied => tracing::info!(output = %entry.job.output, "exists already"),
            Standing::OutputTaken(holder) => {
                eprintln!(
                    "{}: {}",
                    printable(&entry.name),
                    printable(&holder.to_string())
                );
            }
            _ => {}
        }
    }
    Ok(HandedIn {
        follower,
        entries,
        is_complete: order.is_complete,
    })
}
