//! `producer encode`: the embedded default. Without a farm it brings its own:
//! a private broker and one worker, which end with this command.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use common::broker::Broker;
use common::job::run::Run;
use common::matching::plan::Plan;
use common::names::location::Location;
use common::recipe::encoder::{Encoder, Kind};
use common::recipe::{Choice, Recipe};
use common::store::Stores;
use tokio_util::sync::CancellationToken;

use crate::commands::run::{dry_run, enqueue};
use crate::display::units;
use crate::embedded::broker::PrivateBroker;
use crate::embedded::state::State;
use crate::embedded::{Guarded, broker, leftovers, memory, scratch, sweep, worker};
use crate::exit::{Error, Exit};
use crate::recipe::options::{RecipeOptions, check_known};
use crate::recipe::presets::Shelf;
use crate::settings::Settings;
use crate::submit::existing_outputs::Present;
use crate::submit::send::{Entry, Place, Renew, Standing, Terms, Wanted, submit};
use crate::submit::sources::SourceOptions;
use crate::submit::submission;
use crate::submit::submission::{Counts, JobOptions, Order, Results, Told};
use crate::wait::follow::Follower;
use crate::wait::wait::{Ending, attend};

/// What encodes where nothing is said.
const ENCODER: &str = "libx265";
/// How often a worker that ends of its own is started again.
const RESTARTS: u32 = 3;
/// How long the private broker may take to tell what was done.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may take to close.
const FAREWELL: Duration = Duration::from_secs(1);

/// What `--help` says of the default.
const HELP: &str = "Where no option says what to encode with, it is libx265.";

/// What to encode, how, and where to.
#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub struct Options {
    /// What to encode.
    #[command(flatten)]
    pub sources: SourceOptions,
    /// Folder for the results; running the same command again carries on where it was interrupted
    #[arg(short, long, value_name = "DIR")]
    pub output: PathBuf,
    /// How.
    #[command(flatten)]
    pub recipe: RecipeOptions,
    /// On what terms.
    #[command(flatten)]
    pub jobs: JobOptions,
    /// What the private farm is made of.
    #[command(flatten)]
    pub machine: MachineOptions,
}

/// What the private farm is made of; means nothing where `--nats` names one.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "This machine (without --nats)")]
pub struct MachineOptions {
    /// nats-server 2.12 or later [default: from PATH, or next to producer]
    #[arg(long, value_name = "PATH", env = "NATS_SERVER")]
    pub nats_server: Option<PathBuf>,
    /// The worker program [default: next to producer, or from PATH]
    #[arg(long, value_name = "PATH", env = "WORKER_PROGRAM")]
    pub worker_program: Option<PathBuf>,
    /// The ffmpeg to use [default: from PATH]
    #[arg(long, value_name = "PATH", env = "FFMPEG")]
    pub ffmpeg: Option<PathBuf>,
    /// Files to encode at once [default: by the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_jobs: Option<u32>,
    /// Folder for files in the making [default: the state folder, or the output folder's disk]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

/// Encodes.
///
/// # Errors
/// See [`Exit`].
pub async fn run(
    options: Box<Options>,
    settings: Settings,
    shutdown: CancellationToken,
) -> Result<Exit, Error> {
    let default = ENCODER.parse().map(Choice::Encoder).map_err(Error::usage)?;
    let shelf = match settings.nats {
        Some(_) => Shelf::FarmByName(&settings),
        None => Shelf::BuiltIn,
    };
    let recipe = options.recipe.recipe(shelf, Some(default)).await?;
    if settings.nats.is_some() {
        let job = enqueue::Job {
            sources: &options.sources,
            results: Results::new(Some(&options.output), &settings)?,
            recipe,
            jobs: &options.jobs,
            upload_to: settings.store.clone().filter(Location::is_remote),
            require_worker: false,
            wait: true,
            renew: Renew::Ended,
        };
        return enqueue::hand_in(job, &settings, shutdown).await;
    }
    let folder = submission::output_folder(&options.output)?;
    let Some(path) = folder.path() else {
        return Err(Error::usage(format!(
            "{folder} is no folder of this machine: name the farm with --nats, or use `producer enqueue`"
        )));
    };
    if options.jobs.worker.is_some() {
        return Err(Error::usage(
            "--worker names a worker of a farm: name the farm with --nats",
        ));
    }
    check_known(&recipe, &[])?;
    let terms = options.jobs.terms(recipe.clone(), Renew::Ended)?;
    let stores = Stores::new();
    let results = Results { folder, home: None };
    let mut order = submission::find(&options.sources, &results.folders()?, &stores).await?;
    let server = broker::find(options.machine.nats_server.as_deref()).await?;
    let program = worker::find(options.machine.worker_program.as_deref())?;
    let json = options.jobs.json;
    let inputs: Vec<Location> = order
        .sources
        .iter()
        .map(|source| source.input.location.clone())
        .collect();
    let label = submission::label(&options.sources.paths);
    let private = |state, roots| {
        Ok::<_, Error>(Private {
            setup: setup(&options.machine, &recipe, program.clone(), roots, state)?,
            server: &server,
            ack_wait: settings.ack_wait,
            state,
            terms: &terms,
            label: &label,
        })
    };
    if options.jobs.dry_run {
        // What was done before is known to the folder's own state. What an interrupted command left there is not to
        // be taken up, so the worker that looks has another one.
        let known = path.is_dir().then(|| State::open(&path)).transpose()?;
        let passing = State::passing()?;
        let mut worth = None;
        let told = async {
            let state = known.as_ref().unwrap_or(&passing);
            let ran = private(state, Vec::new())?
                .run(async |_, broker| {
                    dry_run::decide(broker, &stores, &mut order, &results, &terms, None).await
                })
                .await?;
            worth = ran.worth;
            let decided = ran.done?;
            let roots = worker::roots(passing.output(), inputs.iter());
            private(&passing, roots)?
                .run(async |here, broker| {
                    here.start(broker).await?;
                    dry_run::foretell(broker, decided, &terms).await
                })
                .await?
                .done
        };
        let told = tokio::select! {
            told = told => told,
            () = shutdown.cancelled() => Err(Error::interrupted("interrupted")),
        };
        passing.remove();
        if let Some(known) = known {
            close(known, worth);
        }
        return Ok(order.exit(dry_run::tell(&told?, json)?));
    }
    std::fs::create_dir_all(&path).map_err(|error| {
        Error::usage(format!(
            "cannot make the folder {}: {error}",
            path.display()
        ))
    })?;
    let state = State::open(&path)?;
    scratch::clear(&state, &worker::name())?;
    let Ran { done, worth } = private(&state, worker::roots(&path, inputs.iter()))?
        .run(async |here, broker| {
            here.encode(broker, &stores, &mut order, &results, &shutdown)
                .await
        })
        .await?;
    close(state, worth);
    let Done {
        ending,
        mut entries,
        counts,
    } = done?;
    if ending == Ending::Interrupted {
        // What the worker was at has been given back by now.
        for entry in entries.iter_mut().filter(|entry| entry.is_open()) {
            entry.standing = Standing::Pending;
        }
    }
    let told = Told {
        entries: &entries,
        counts,
        left_out: &order.left_out,
        results: &results,
    };
    let carry_on = "run the same command again to carry on";
    let exit = told.conclude(ending, json, carry_on)?;
    Ok(order.exit(exit))
}

/// Leaves of a state what is worth remembering, where nothing is to be carried on with.
fn close(state: State, worth: Option<Vec<Run>>) {
    if let Some(runs) = worth.filter(|_| scratch::is_clear(&state))
        && let Err(error) = state.forget(&runs)
    {
        tracing::warn!(%error, "the state of this encode stays; the next command tidies it up");
    }
    sweep::sweep();
}

/// What is to be remembered of all that was done, where nothing is to be carried on
/// with. A broker that gives no answer is left as it is.
async fn worth_remembering(broker: &Broker) -> Option<Vec<Run>> {
    let worth = tokio::time::timeout(PATIENCE, memory::worth(broker));
    match worth.await {
        Ok(Ok(worth)) => worth,
        Ok(Err(error)) => {
            tracing::debug!(%error, "the state of this encode stays");
            None
        }
        Err(_) => None,
    }
}

fn setup(
    machine: &MachineOptions,
    recipe: &Recipe,
    program: PathBuf,
    roots: Vec<PathBuf>,
    state: &State,
) -> Result<worker::Setup, Error> {
    let absolute = |path: &Path| {
        std::path::absolute(path)
            .map_err(|error| Error::usage(format!("{}: {error}", path.display())))
    };
    Ok(worker::Setup {
        program,
        ffmpeg: machine.ffmpeg.clone(),
        max_jobs: machine.max_jobs,
        roots,
        scratch: match &machine.scratch {
            Some(scratch) => absolute(scratch)?,
            None => scratch::make(state)?,
        },
        encoders: encoders_to_prove(recipe),
    })
}

/// What the worker needs to prove. Hardware may well not be there, and then
/// the alternatives are worth knowing.
fn encoders_to_prove(recipe: &Recipe) -> Option<Vec<Encoder>> {
    match &recipe.video_encode()?.with {
        Choice::Encoder(encoder) if encoder.kind() == Kind::Software => Some(vec![encoder.clone()]),
        _ => Some(Encoder::of(recipe.codec()?).collect()),
    }
}

/// What a private farm is made of, and what it is for.
struct Private<'a> {
    server: &'a Path,
    ack_wait: Duration,
    state: &'a State,
    setup: worker::Setup,
    terms: &'a Terms,
    label: &'a str,
}

/// What a private farm was used for.
struct Ran<T> {
    done: Result<T, Error>,
    /// What is worth remembering of it, where nothing is to be carried on with.
    worth: Option<Vec<Run>>,
}

impl Private<'_> {
    /// Does something with the farm, which knows what was done before, and takes it
    /// down whatever comes of it.
    ///
    /// # Errors
    /// Where its broker cannot be started.
    async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut Here<'_>, &Broker) -> Result<T, Error>,
    ) -> Result<Ran<T>, Error> {
        let mut broker = PrivateBroker::start(self.server, self.state).await?;
        let mut here = Here {
            private: self,
            url: broker.url().to_owned(),
            worker: None,
        };
        let connected = broker.connect(self.ack_wait).await;
        let done = match &connected {
            Ok(connection) => {
                let work = async {
                    connection.restore(&self.state.remembered()).await?;
                    work(&mut here, connection).await
                };
                tokio::select! {
                    done = work => done,
                    error = broker.ended() => Err(error),
                }
            }
            Err(error) => Err(error.clone()),
        };
        if let Some(worker) = here.worker.take() {
            worker.stop().await;
        }
        let mut worth = None;
        if let Ok(connection) = connected {
            if done.is_ok() {
                worth = worth_remembering(&connection).await;
            }
            if let Err(error) = connection.client().drain().await {
                tracing::debug!(%error, "the connection was closed before");
            }
            // Draining only begins there: this comes back once it is over. A broker that goes first is taken for lost.
            let _ = tokio::time::timeout(FAREWELL, connection.client().flush()).await;
        }
        broker.stop().await;
        if let Err(error) = scratch::clear(self.state, &worker::name()) {
            tracing::warn!(%error, "scratch files may be left; the next command removes them");
        }
        Ok(Ran { done, worth })
    }
}

/// A private farm whose broker runs.
struct Here<'a> {
    private: &'a Private<'a>,
    url: String,
    /// Runs from when there is something to do.
    worker: Option<Guarded>,
}

/// What was done.
struct Done {
    ending: Ending,
    entries: Vec<Entry>,
    counts: Counts,
}

impl Here<'_> {
    /// Starts the worker, and waits until it has proved what the recipe needs.
    async fn start(&mut self, broker: &Broker) -> Result<(), Error> {
        let Private {
            setup,
            state,
            terms,
            ..
        } = self.private;
        let worker = self
            .worker
            .insert(worker::start(setup, state, &self.url, false)?);
        prove(&terms.recipe, worker, broker).await
    }

    async fn encode(
        &mut self,
        broker: &Broker,
        stores: &Stores,
        order: &mut Order,
        results: &Results,
        shutdown: &CancellationToken,
    ) -> Result<Done, Error> {
        let interrupted = || Error::interrupted("interrupted; nothing has been encoded yet");
        let Private { terms, label, .. } = self.private;
        let handed_in = async {
            leftovers::release(broker).await?;
            let follower = Follower::start(broker).await?;
            let container = terms.recipe.container;
            let (pairs, mut makers) = order.name(broker, results, container).await?;
            leftovers::give_up(broker, &pairs, &mut makers, terms).await?;
            let outputs = pairs.iter().map(|(_, output)| output);
            let place = Place {
                folder: &results.folder,
                present: Present::look(stores, &results.folder, None, outputs).await?,
                makers,
            };
            let wanted = pairs.into_iter().map(|(source, output)| Wanted {
                source,
                output,
                verdict: None,
            });
            let entries = submit(broker, wanted.collect(), &place, terms, label).await?;
            enqueue::tell_refusals(&entries);
            leftovers::tidy(broker, &entries).await?;
            Ok::<_, Error>((follower, entries))
        };
        let (follower, mut entries) = tokio::select! {
            result = handed_in => result?,
            () = shutdown.cancelled() => return Err(interrupted()),
        };
        let counts = Counts::of(&entries);
        tell(counts);
        let ending = if entries.iter().any(Entry::is_open) {
            tokio::select! {
                proved = self.start(broker) => proved?,
                () = shutdown.cancelled() => return Err(interrupted()),
            }
            attend(
                Some(follower),
                None,
                &mut entries,
                shutdown,
                self.supervise(),
            )
            .await?
        } else {
            Ending::AllEnded
        };
        Ok(Done {
            ending,
            entries,
            counts,
        })
    }

    /// Starts the worker again where it ends of its own: the job that it was
    /// at has a limit of attempts, so one that crashes workers ends as well.
    async fn supervise(&mut self) -> Error {
        for left in (0..RESTARTS).rev() {
            let error = ended(&mut self.worker).await;
            tracing::warn!(%error, left, "starting the worker again");
            match worker::start(&self.private.setup, self.private.state, &self.url, true) {
                Ok(next) => self.worker = Some(next),
                Err(error) => return error,
            }
        }
        ended(&mut self.worker).await
    }
}

async fn ended(worker: &mut Option<Guarded>) -> Error {
    match worker {
        Some(worker) => worker.ended().await,
        None => std::future::pending().await,
    }
}

/// Waits for the worker's card and checks that it can run the recipe.
async fn prove(recipe: &Recipe, worker: &mut Guarded, broker: &Broker) -> Result<(), Error> {
    let spinner = indicatif::ProgressBar::new_spinner();
    spinner.set_message("testing the encoder");
    spinner.enable_steady_tick(std::time::Duration::from_millis(100));
    let card = worker::ready(worker, broker).await;
    spinner.finish_and_clear();
    let plan = Plan::of(recipe, &[card?]);
    let Some(candidate) = plan.candidates.first() else {
        return Err(Error::failed(cannot_run(&plan)));
    };
    for warning in &candidate.warnings {
        eprintln!("warning: {warning}");
    }
    Ok(())
}

fn cannot_run(plan: &Plan) -> String {
    let reason = plan
        .unfit
        .first()
        .map_or("no reason given", |unfit| unfit.reason.as_str());
    let proved: Vec<String> = plan
        .alternatives
        .iter()
        .map(|other| format!("--encoder {}", other.encoder))
        .collect();
    let instead = if proved.is_empty() {
        "`worker capabilities` lists what works here".to_owned()
    } else {
        format!("what works here: {}", proved.join(", "))
    };
    format!("this machine cannot run the recipe: {reason}; {instead}")
}

fn tell(counts: Counts) {
    let open = counts.added + counts.pending + counts.running;
    let mut line = match open {
        0 => "nothing to encode".to_owned(),
        open => format!("{} to encode", units::count(open, "file")),
    };
    let others = [
        (counts.done, "done already"),
        (
            counts.skipped,
            "skipped, for their outputs exist (--overwrite replaces them)",
        ),
    ];
    for (count, what) in others {
        if count > 0 {
            line += &format!(", {count} {what}");
        }
    }
    eprintln!("{line}");
}
