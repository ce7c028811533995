//! What `encode` and `enqueue` have in common: from paths to sources with
//! outputs, and from entries to what is told at the end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use common::id::BatchId;
use common::job::{Hops, Job};
use common::location::Location;
use common::queue::Priority;
use common::recipe::Recipe;
use common::run::State;
use common::store::Stores;
use common::worker::WorkerName;
use serde::Serialize;

use crate::attend::{self, Ending};
use crate::cli;
use crate::display::{output, summary, units};
use crate::exit::{Error, Exit};
use crate::farm::Settings;
use crate::sources::{Search, Source, SourceOptions};
use crate::submit::{Entry, Renew, Standing, Terms};
use common::printable::printable;

/// On what terms jobs are made.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Jobs")]
pub struct JobOptions {
    /// How urgent: 1 (low) to 10 (high)
    #[arg(long, value_name = "1..10", default_value_t)]
    pub priority: Priority,
    /// How often a job may be tried, crashes of workers included
    #[arg(long, value_name = "N", default_value_t = Job::ATTEMPTS, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub attempts: u32,
    /// Of several encoders, open each further one to a job that has waited so long for those before it, e.g. 10m
    #[arg(long, value_name = "TIME", value_parser = cli::duration)]
    pub hop_after: Option<Duration>,
    /// Have this worker run them, and no other
    #[arg(long, value_name = "NAME", conflicts_with = "hop_after")]
    pub worker: Option<WorkerName>,
    /// Do it all again, whatever is done, running or waiting already
    #[arg(long)]
    pub again: bool,
    /// Replace files that are there already; sources are never touched
    #[arg(long)]
    pub overwrite: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

impl JobOptions {
    /// The terms, for a recipe.
    ///
    /// # Errors
    /// Where `--hop-after` and several encoders do not come together.
    pub fn terms(&self, recipe: Recipe, renew: Renew) -> Result<Terms, Error> {
        Ok(Terms {
            hops: self.hops(&recipe)?,
            worker: self.worker.clone(),
            recipe,
            priority: self.priority,
            attempts: self.attempts,
            again: self.again,
            overwrite: self.overwrite,
            renew,
        })
    }

    fn hops(&self, recipe: &Recipe) -> Result<Option<Hops>, Error> {
        let queues = recipe.further_queues();
        match (self.hop_after, queues.is_empty()) {
            (None, true) => Ok(None),
            // Its worker takes the first of them that it has proved.
            (None, false) if self.worker.is_some() => Ok(None),
            (None, false) => Err(Error::usage(
                "several encoders need --hop-after TIME: how long a job waits for one before the next is opened to it",
            )),
            (Some(_), true) => Err(Error::usage(
                "--hop-after needs several encoders to hop between: --encoder hevc_nvenc,libx265",
            )),
            (Some(after), false) => Ok(Some(Hops {
                queues,
                after: after.as_secs(),
            })),
        }
    }
}

/// Sources with their outputs.
pub struct Order {
    /// What becomes what.
    pub sources: Vec<(Source, Location)>,
    /// Whether all that was asked for could be looked at.
    pub is_complete: bool,
}

/// Finds the sources and names their outputs; tells what was found.
///
/// # Errors
/// Where there is nothing to do or the outputs cannot be named.
pub async fn find(
    options: &SourceOptions,
    folder: &Location,
    recipe: &Recipe,
    stores: &Stores,
) -> Result<Order, Error> {
    let found = Search::new(&options.globs, Some(folder), stores)?
        .run(&options.paths)
        .await?;
    let outputs = found.outputs(folder, recipe.container)?;
    let mut line = format!(
        "{}, {}",
        units::count(found.sources.len(), "file"),
        units::bytes(found.bytes())
    );
    let skipped = found.skipped();
    if !skipped.is_empty() {
        line += &format!(" (skipped: {skipped})");
    }
    eprintln!("{line}");
    for problem in &found.unreadable {
        eprintln!("warning: cannot be read: {}", printable(problem));
    }
    if found.sources.is_empty() {
        return Err(Error::usage("nothing that was found can be read"));
    }
    Ok(Order {
        is_complete: found.unreadable.is_empty(),
        sources: found.sources.into_iter().zip(outputs).collect(),
    })
}

/// Where results go: to `output` where it is given, else to `out/` in the store.
///
/// # Errors
/// Where neither is named, or it is no folder.
pub fn results_folder(output: Option<&Path>, settings: &Settings) -> Result<Location, Error> {
    match (output, &settings.store) {
        (Some(output), _) => output_folder(output),
        (None, Some(store)) => Ok(store.join("out")),
        (None, None) => Err(Error::usage(
            "nothing says where results go: give -o LOCATION, or --store (STORE_URL)",
        )),
    }
}

/// What a batch is known by: the paths that were given.
pub fn label(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    paths.join(", ")
}

/// The absolute location of an output folder that a person named.
///
/// # Errors
/// Where it is no location, or a file.
pub fn output_folder(text: &Path) -> Result<Location, Error> {
    if let Some(text) = text.to_str().filter(|text| text.contains("://")) {
        let location = Location::from_argument(text).map_err(Error::usage)?;
        return match location.path() {
            Some(path) => local_folder(&path),
            None => Ok(location),
        };
    }
    local_folder(text)
}

fn local_folder(path: &Path) -> Result<Location, Error> {
    let failed = |why: String| {
        Error::usage(format!(
            "cannot use the output folder {}: {why}",
            path.display()
        ))
    };
    let resolved: PathBuf =
        crate::sources::resolved(path).map_err(|error| failed(error.to_string()))?;
    if resolved.exists() && !resolved.is_dir() {
        return Err(failed("it is a file".to_owned()));
    }
    Location::file(&resolved).map_err(Error::usage)
}

/// What came of handing in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The batch of what was handed in now, where anything was.
    pub batch: Option<BatchId>,
    /// Handed in now.
    pub added: usize,
    /// Waiting already.
    pub pending: usize,
    /// Under way already.
    pub running: usize,
    /// Done already.
    pub done: usize,
    /// Failed or cancelled before.
    pub failed: usize,
    /// Left alone for the file at their output.
    pub skipped: usize,
    /// Refused, as another job is about to make their output.
    pub refused: usize,
    /// Of those that are done: those whose output is gone.
    pub gone: usize,
}

impl Counts {
    /// Counts entries as they stand after handing in.
    pub fn of(entries: &[Entry]) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            counts.gone += usize::from(entry.is_gone);
            let count = match &entry.standing {
                Standing::Added => {
                    counts.batch = Some(entry.job.batch);
                    &mut counts.added
                }
                Standing::Pending => &mut counts.pending,
                Standing::Occupied => &mut counts.skipped,
                Standing::OutputTaken(_) => &mut counts.refused,
                Standing::Run(run) => match run.state {
                    State::Completed { .. } => &mut counts.done,
                    State::Failed { .. } | State::Cancelled => &mut counts.failed,
                    State::Running { .. } => &mut counts.running,
                    State::Queued { .. } | State::Waiting { .. } => &mut counts.pending,
                },
            };
            *count += 1;
        }
        counts
    }

    /// The counts in words.
    pub fn in_words(self) -> String {
        let mut parts = vec![match self.batch {
            None => "nothing to add".to_owned(),
            Some(batch) => format!("{} added (batch {batch})", self.added),
        }];
        let others = [
            (self.pending, "pending already"),
            (self.running, "running already"),
            (self.done, "done already"),
            (self.failed, "failed earlier (--again tries anew)"),
            (
                self.skipped,
                "skipped, for their outputs exist (--overwrite replaces them)",
            ),
            (
                self.refused,
                "refused, for another job is making their outputs",
            ),
            (
                self.gone,
                "of those done have lost their outputs (--missing makes them anew)",
            ),
        ];
        parts.extend(
            others
                .into_iter()
                .filter(|(count, _)| *count > 0)
                .map(|(count, what)| format!("{count} {what}")),
        );
        parts.join(", ")
    }
}

/// The outcome for machines.
#[derive(Serialize)]
struct Outcome {
    #[serde(flatten)]
    counts: Counts,
    jobs: Vec<summary::Line>,
}

/// Prints the outcome for machines.
///
/// # Errors
/// Never, for plain data.
pub fn print_json(counts: Counts, entries: &[Entry]) -> Result<(), Error> {
    output::print_json(&Outcome {
        counts,
        jobs: summary::json(entries),
    })
}

/// Tells what became of everything.
///
/// # Errors
/// Where the user interrupted; `carry_on` says what becomes of the rest.
pub fn conclude(
    ending: Ending,
    entries: &[Entry],
    counts: Counts,
    json: bool,
    carry_on: &str,
) -> Result<Exit, Error> {
    if json {
        print_json(counts, entries)?;
    } else {
        output::print(&summary::of(entries));
        output::print(&summary::totals(entries));
    }
    if ending == Ending::Interrupted {
        let open = entries.iter().filter(|entry| entry.is_open()).count();
        return Err(Error::interrupted(format!(
            "interrupted with {} of {} to go; {carry_on}",
            open,
            units::count(entries.len(), "file")
        )));
    }
    Ok(attend::exit(entries))
}
