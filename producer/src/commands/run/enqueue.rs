//! `producer enqueue`: hands media to the farm.

use std::path::PathBuf;
use std::pin::pin;
use std::time::Duration;

use clap::Args;
use common::job::id::BatchId;
use common::names::location::Location;
use common::names::printable::printable;
use common::recipe::Recipe;
use common::store::Stores;
use tokio_util::sync::CancellationToken;

use crate::commands::run::dry_run;
use crate::display::units;
use crate::exit::{Error, Exit};
use crate::recipe::options::RecipeOptions;
use crate::recipe::presets::Shelf;
use crate::results::bring::Bringing;
use crate::results::home::Home;
use crate::settings::Settings;
use crate::submit::existing_outputs::Present;
use crate::submit::send::{Entry, Place, Renew, Standing, Terms, Wanted, submit};
use crate::submit::sources::{Source, SourceOptions};
use crate::submit::submission::{Counts, JobOptions, Order, Results, Told};
use crate::submit::upload::upload;
use crate::submit::{preflight, submission, upload};
use crate::wait::follow::Follower;
use crate::wait::wait::attend;

/// How long uploads may take to give up.
const GIVE_UP: Duration = Duration::from_secs(3);
/// Files without a job that are told one by one.
const TOLD: usize = 20;

/// What to submit, and how.
#[derive(Debug, Args)]
pub struct Options {
    /// What to encode.
    #[command(flatten)]
    pub sources: SourceOptions,
    /// Folder or s3://bucket/prefix for the results [default: out/ in the store]; with a store, results for a folder are made there and downloaded (--wait, or `producer download` later)
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

/// Jobs to submit, once the options are read.
pub struct Job<'a> {
    /// What to encode.
    pub sources: &'a SourceOptions,
    /// Where the results go.
    pub results: Results,
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
    let results = Results::new(options.output.as_deref(), &settings)?;
    let job = Job {
        sources: &options.sources,
        results,
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
    if job.jobs.dry_run {
        return tokio::select! {
            told = foretell(&job, settings) => told,
            () = shutdown.cancelled() => Err(Error::interrupted("interrupted")),
        };
    }
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
        stores,
        mut entries,
        order,
    } = handed_in;
    let counts = Counts::of(&entries);
    eprintln!("{}", counts.in_words());
    let overwrite = job.jobs.overwrite || job.jobs.again;
    let told = |entries, counts| Told {
        entries,
        counts,
        left_out: &order.left_out,
        results: &job.results,
    };
    if !job.wait {
        if let Some(home) = &job.results.home {
            eprintln!("{}", how_to_download(home, &entries));
        }
        if job.jobs.json {
            told(&entries, counts).print_json()?;
        }
        let is_done = counts.skipped + counts.refused == 0;
        return Ok(order.exit(if is_done { Exit::Done } else { Exit::Failed }));
    }
    let bringing = match job.results.home.clone() {
        Some(home) => Some(Bringing::start(&stores, home, overwrite)?),
        None => None,
    };
    let ending = attend(
        Some(follower),
        bringing,
        &mut entries,
        &shutdown,
        std::future::pending(),
    )
    .await?;
    let carry_on = match &job.results.home {
        None => "the farm carries on without this program".to_owned(),
        Some(home) => format!(
            "the farm carries on without this program; {}",
            how_to_download(home, &entries)
        ),
    };
    let exit = told(&entries, counts).conclude(ending, job.jobs.json, &carry_on)?;
    Ok(order.exit(exit))
}

/// What brings results home that this command does not wait for.
fn how_to_download(home: &Home, entries: &[Entry]) -> String {
    let mut batches: Vec<BatchId> = Vec::new();
    for entry in entries {
        let is_made = !matches!(
            entry.standing,
            Standing::Occupied(_) | Standing::OutputTaken(_)
        );
        if is_made && !batches.contains(&entry.job.batch) {
            batches.push(entry.job.batch);
        }
    }
    let dir = home.dir().display();
    match batches.as_slice() {
        [batch] => format!(
            "results are made in {}; `producer download {batch} {dir}` brings them home",
            home.folder()
        ),
        _ => format!(
            "results are made in {}; the same command with --wait brings them home to {dir}",
            home.folder()
        ),
    }
}

/// Tells what would be done.
async fn foretell(job: &Job<'_>, settings: &Settings) -> Result<Exit, Error> {
    let terms = job.jobs.terms(job.recipe.clone(), job.renew)?;
    let stores = Stores::new();
    let mut order = submission::find(job.sources, &job.results.folders()?, &stores).await?;
    let broker = settings.connect().await?;
    let store = job.upload_to.as_ref();
    let decided = dry_run::decide(&broker, &stores, &mut order, &job.results, &terms, store);
    let foretold = dry_run::foretell(&broker, decided.await?, &terms).await?;
    Ok(order.exit(dry_run::tell(&foretold, job.jobs.json)?))
}

struct HandedIn {
    follower: Follower,
    stores: Stores,
    entries: Vec<Entry>,
    order: Order,
}

async fn enter(
    job: &Job<'_>,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<HandedIn, Error> {
    let terms = job.jobs.terms(job.recipe.clone(), job.renew)?;
    let stores = Stores::new();
    let Results { folder, home } = &job.results;
    for location in [Some(folder), job.upload_to.as_ref()].into_iter().flatten() {
        preflight::reach(location).await?;
    }
    let mut order = submission::find(job.sources, &job.results.folders()?, &stores).await?;
    let read_from =
        |source: &Source| upload::read_from(job.upload_to.as_ref(), &source.input.location);
    let inputs: Vec<Location> = order.sources.iter().map(read_from).collect();
    job.results.refuse_scattered(&inputs)?;
    let broker = settings.connect().await?;
    let container = job.recipe.container;
    let (pairs, makers) = order.name(&broker, &job.results, container).await?;
    let jobs: Vec<[Location; 2]> = pairs
        .iter()
        .map(|(source, output)| [read_from(source), output.clone()])
        .collect();
    preflight::check_served(&broker, &terms, &jobs, job.require_worker).await?;
    let follower = Follower::start(&broker).await?;
    let outputs = pairs.iter().map(|(_, output)| output);
    let place = Place {
        folder,
        present: Present::look(&stores, folder, home.as_ref(), outputs).await?,
        makers,
    };
    let store = job.upload_to.as_ref();
    let wanted = upload_wanted(&stores, store, pairs, (&place, &terms), shutdown).await?;
    let label = submission::label(&job.sources.paths);
    let entries = submit(&broker, wanted, &place, &terms, &label).await?;
    tell_refusals(&entries);
    Ok(HandedIn {
        follower,
        stores,
        entries,
        order,
    })
}

/// Uploads what is needed: not the sources of which it is known already that there
/// will be no job.
///
/// # Errors
/// See [`upload`](upload::upload).
pub async fn upload_wanted(
    stores: &Stores,
    store: Option<&Location>,
    pairs: Vec<(Source, Location)>,
    (place, terms): (&Place<'_>, &Terms),
    shutdown: &CancellationToken,
) -> Result<Vec<Wanted>, Error> {
    let mut wanted: Vec<Wanted> = pairs
        .into_iter()
        .map(|(source, output)| {
            let input = upload::copy_of(store, &source);
            Wanted {
                verdict: place.verdict(&input, &output, terms),
                source,
                output,
            }
        })
        .collect();
    let Some(store) = store else {
        return Ok(wanted);
    };
    let is_wanted = |wanted: &Wanted| wanted.verdict.is_none();
    let sources = wanted.iter().filter(|one| is_wanted(one));
    let sources = sources.map(|one| one.source.clone()).collect();
    let copies = upload(stores, store, sources, shutdown).await?;
    let missing = wanted.iter_mut().filter(|one| is_wanted(one));
    for (one, copy) in missing.zip(copies) {
        one.source = copy;
    }
    Ok(wanted)
}

/// Tells which files get no job, and why.
pub fn tell_refusals(entries: &[Entry]) {
    let reason = |entry: &Entry| match &entry.standing {
        Standing::Occupied(why) => Some(why.clone()),
        Standing::OutputTaken(holder) => Some(holder.to_string()),
        _ => None,
    };
    let mut refused = entries
        .iter()
        .filter_map(|entry| Some((&entry.name, reason(entry)?)));
    for (name, why) in refused.by_ref().take(TOLD) {
        eprintln!("{}: {}", printable(name), printable(&why));
    }
    let more = refused.count();
    if more > 0 {
        eprintln!("… and {} like that", units::count(more, "file"));
    }
}
