//! What `encode` and `enqueue` have in common: from paths to sources with
//! outputs, and from entries to what is told at the end.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use common::broker::{Broker, Makers, NamesError, Outputs};
use common::farm::queue::Priority;
use common::farm::worker_name::WorkerName;
use common::job::id::BatchId;
use common::job::run::RunState;
use common::job::{Fallbacks, Job};
use common::names::location::Location;
use common::recipe::{Container, Recipe};
use common::store::Stores;
use common::submit::naming;
use common::submit::naming::Named;
use serde::Serialize;

use crate::args;
use crate::display::{output, summary, units};
use crate::exit::{Error, Exit};
use crate::results::bring::Brought;
use crate::results::home::Home;
use crate::settings::Settings;
use crate::submit::send::{Entry, Renew, Standing, Terms};
use crate::submit::sources::{Search, Source, SourceOptions};
use crate::wait::wait;
use crate::wait::wait::Ending;
use common::names::printable::printable;

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
    #[arg(long, value_name = "TIME", value_parser = args::duration)]
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
    /// Only tell what would be done to each file: its output, or why it is skipped, and what would be kept, converted or lost
    #[arg(long)]
    pub dry_run: bool,
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
            fallbacks: self.fallbacks(&recipe)?,
            worker: self.worker.clone(),
            recipe,
            priority: self.priority,
            attempts: self.attempts,
            again: self.again,
            overwrite: self.overwrite,
            renew,
        })
    }

    fn fallbacks(&self, recipe: &Recipe) -> Result<Option<Fallbacks>, Error> {
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
            (Some(after), false) => Ok(Some(Fallbacks {
                queues,
                after: after.as_secs(),
            })),
        }
    }
}

/// A file that was asked for and gets no job.
#[derive(Clone, Debug, Serialize)]
pub struct LeftOut {
    /// Its path below the folder that was given, or its name.
    file: String,
    /// Why.
    error: String,
}

impl LeftOut {
    fn new(name: &Path, error: impl ToString) -> Self {
        Self {
            file: name.to_string_lossy().into_owned(),
            error: error.to_string(),
        }
    }
}

/// What is to be encoded.
pub struct Order {
    /// The files.
    pub sources: Vec<Source>,
    /// What was asked for and cannot be done.
    pub left_out: Vec<LeftOut>,
    /// Whether all that was asked for could be looked at.
    pub is_complete: bool,
}

/// Finds the sources; tells what was found. What lies in folders of outputs is left
/// out.
///
/// # Errors
/// Where there is nothing to do.
pub async fn find(
    options: &SourceOptions,
    outputs: &[Location],
    stores: &Stores,
) -> Result<Order, Error> {
    let mut found = Search::new(&options.globs, outputs, stores)?
        .run(&options.paths)
        .await?;
    let left_out: Vec<LeftOut> = found
        .sift()
        .into_iter()
        .map(|(name, why)| LeftOut::new(&name, why.refusal()))
        .collect();
    let mut line = format!(
        "{}, {}",
        units::count(found.sources.len(), "file"),
        units::bytes(found.bytes())
    );
    let skipped = found.skipped();
    if !skipped.is_empty() {
        line += &format!(" (skipped: {skipped})");
    }
    let refusal = |left: &LeftOut| printable(&format!("{} {}", left.file, left.error));
    if let ([only], []) = (left_out.as_slice(), found.sources.as_slice()) {
        return Err(Error::failed(refusal(only)));
    }
    eprintln!("{line}");
    if let Some(told) = found.without_video() {
        eprintln!("{}", printable(&told));
    }
    for left in &left_out {
        eprintln!("{}", refusal(left));
    }
    for problem in &found.unreadable {
        eprintln!("warning: cannot be read: {}", printable(problem));
    }
    if found.sources.is_empty() {
        return Err(if !left_out.is_empty() {
            Error::failed("none of the files that were named is a video")
        } else if found.unreadable.is_empty() {
            Error::usage(format!("no media found (skipped: {skipped})"))
        } else {
            Error::usage("nothing that was found can be read")
        });
    }
    Ok(Order {
        is_complete: found.unreadable.is_empty(),
        sources: found.sources,
        left_out,
    })
}

impl Order {
    /// Names the outputs of its sources, beside those that were named before. What
    /// cannot have one is left out, and told.
    ///
    /// # Errors
    /// Where the outputs cannot be named, or the broker gives no answer.
    pub async fn name(
        &mut self,
        broker: &Broker,
        results: &Results,
        container: Container,
    ) -> Result<(Vec<(Source, Location)>, Makers), Error> {
        let sources = std::mem::take(&mut self.sources);
        let (outputs, makers) = named(broker, &sources, results, container).await?;
        let mut pairs = Vec::with_capacity(sources.len());
        for (source, output) in sources.into_iter().zip(outputs) {
            match output {
                Ok(output) => pairs.push((source, output)),
                Err(why) => {
                    let left = LeftOut::new(&source.name, why);
                    eprintln!("{}", printable(&format!("{}: {}", left.error, left.file)));
                    self.left_out.push(left);
                }
            }
        }
        Ok((pairs, makers))
    }

    /// The exit code, given that of its jobs.
    pub fn exit(&self, jobs: Exit) -> Exit {
        match jobs {
            Exit::Done if !self.is_complete || !self.left_out.is_empty() => Exit::Failed,
            exit => exit,
        }
    }
}

/// The outputs of sources, and whose they are.
///
/// # Errors
/// Where they cannot be named, or the broker gives no answer.
pub async fn named(
    broker: &Broker,
    sources: &[Source],
    results: &Results,
    container: Container,
) -> Result<(Vec<naming::Output>, Makers), Error> {
    let named: Vec<Named<'_>> = sources.iter().map(Source::named).collect();
    let outputs = broker.name_outputs(&named, &results.folder, container);
    let Outputs { outputs, makers } = outputs.await.map_err(|error| match error {
        NamesError::Naming(error) => Error::usage(error),
        NamesError::Broker(error) => error.into(),
    })?;
    if let Some(home) = &results.home {
        let places: Vec<Location> = outputs
            .iter()
            .flatten()
            .filter_map(|output| home.place(output))
            .collect();
        naming::refuse_sources(&named, &places).map_err(Error::usage)?;
    }
    Ok((outputs, makers))
}

/// Where results go.
#[derive(Clone, Debug)]
pub struct Results {
    /// Where they are made.
    pub folder: Location,
    /// Where they are brought to from there, if anywhere.
    pub home: Option<Home>,
}

impl Results {
    /// Results go to `output` where it is given, else to `out/` in the store. With a
    /// store in a bucket, what is to be in a folder of this machine is made in the
    /// bucket and brought home from there.
    ///
    /// # Errors
    /// Where neither is named, or it is no folder.
    pub fn new(output: Option<&Path>, settings: &Settings) -> Result<Self, Error> {
        let at = |folder| Self { folder, home: None };
        match (output, &settings.store) {
            (Some(output), store) => {
                let folder = output_folder(output)?;
                match (folder.path(), store) {
                    (Some(dir), Some(store)) if store.is_remote() => {
                        let home = Home::in_store(store, dir);
                        Ok(Self {
                            folder: home.folder().clone(),
                            home: Some(home),
                        })
                    }
                    _ => Ok(at(folder)),
                }
            }
            (None, Some(store)) => Ok(at(store.join("out"))),
            (None, None) => Err(Error::usage(
                "nothing says where results go: give -o LOCATION, or --store (STORE_URL)",
            )),
        }
    }

    /// Every folder that holds results.
    ///
    /// # Errors
    /// Where one has no location.
    pub fn folders(&self) -> Result<Vec<Location>, Error> {
        let home = self.home.as_ref().map(Home::location).transpose()?;
        Ok(std::iter::once(self.folder.clone()).chain(home).collect())
    }

    /// Refuses to leave results of what is in a bucket on the disks of whichever
    /// workers make them.
    ///
    /// # Errors
    /// Where that would be so.
    pub fn refuse_scattered<'a>(
        &self,
        inputs: impl IntoIterator<Item = &'a Location>,
    ) -> Result<(), Error> {
        let remote = inputs.into_iter().find(|input| input.is_remote());
        match remote {
            Some(input) if !self.folder.is_remote() => Err(Error::usage(format!(
                "each worker would leave its results on its own disk, as {input} is in a bucket and {} is not:                  give --store s3://BUCKET/PREFIX to have results brought here, or -o s3://BUCKET/PREFIX",
                self.folder
            ))),
            _ => Ok(()),
        }
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
        crate::submit::sources::resolved(path).map_err(|error| failed(error.to_string()))?;
    if resolved.exists() && !resolved.is_dir() {
        return Err(failed("it is a file".to_owned()));
    }
    Location::file(&resolved).map_err(Error::usage)
}

/// What came of submitting. Once all jobs have ended, each but `added` counts how it
/// has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// The batch of what was submitted now, where anything was.
    pub batch: Option<BatchId>,
    /// Handed in now.
    pub added: usize,
    /// Waiting: at first those that waited already.
    pub pending: usize,
    /// Under way.
    pub running: usize,
    /// Done.
    pub done: usize,
    /// Failed or cancelled.
    pub failed: usize,
    /// Left alone for the file at their output.
    pub skipped: usize,
    /// Results that are where they were to be brought.
    pub downloaded: usize,
    /// Refused, as another job is about to make their output.
    pub refused: usize,
    /// Of those that are done: those whose output is gone.
    pub gone: usize,
}

impl Counts {
    /// Counts entries as they stand after submitting.
    pub fn of(entries: &[Entry]) -> Self {
        let mut counts = Self::default();
        for entry in entries {
            counts.gone += usize::from(entry.is_gone);
            let brought = entry.brought.as_ref().and_then(Brought::path);
            counts.downloaded += usize::from(brought.is_some());
            let count = match &entry.standing {
                Standing::Added => {
                    counts.batch = Some(entry.job.batch);
                    &mut counts.added
                }
                Standing::Pending => &mut counts.pending,
                Standing::Occupied(_) => &mut counts.skipped,
                Standing::OutputTaken(_) => &mut counts.refused,
                Standing::Run(run) => match run.state {
                    RunState::Completed { .. } => &mut counts.done,
                    RunState::Failed { .. } | RunState::Cancelled => &mut counts.failed,
                    RunState::Running { .. } => &mut counts.running,
                    RunState::Queued { .. } | RunState::Waiting { .. } => &mut counts.pending,
                },
            };
            *count += 1;
        }
        counts
    }

    /// The same at the end: what was submitted counts as what has become of it, too.
    #[must_use]
    pub fn at_end(self, entries: &[Entry]) -> Self {
        let now = Self::of(entries);
        Self {
            batch: self.batch,
            added: self.added,
            pending: now.pending + now.added,
            ..now
        }
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
struct Outcome<'a> {
    #[serde(flatten)]
    counts: Counts,
    /// Where results are made.
    results: &'a Location,
    /// Where they are brought to from there.
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<&'a Path>,
    /// What got no job.
    left_out: &'a [LeftOut],
    jobs: Vec<summary::Line>,
}

/// What a command came to.
pub struct Told<'a> {
    /// Its jobs.
    pub entries: &'a [Entry],
    /// How many stand how.
    pub counts: Counts,
    /// What got no job.
    pub left_out: &'a [LeftOut],
    /// Where the results are.
    pub results: &'a Results,
}

impl Told<'_> {
    /// Prints it for machines.
    ///
    /// # Errors
    /// Never, for plain data.
    pub fn print_json(&self) -> Result<(), Error> {
        output::print_json(&Outcome {
            counts: self.counts,
            results: &self.results.folder,
            home: self.results.home.as_ref().map(Home::dir),
            left_out: self.left_out,
            jobs: summary::json(self.entries),
        })
    }

    /// Tells what became of everything.
    ///
    /// # Errors
    /// Where the user interrupted; `carry_on` says what becomes of the rest.
    pub fn conclude(mut self, ending: Ending, json: bool, carry_on: &str) -> Result<Exit, Error> {
        let entries = self.entries;
        self.counts = self.counts.at_end(entries);
        if json {
            self.print_json()?;
        } else {
            output::print(&summary::of(entries));
            output::print(&summary::totals(entries));
            for line in summary::losses(entries) {
                output::print(&line);
            }
        }
        if ending == Ending::Interrupted {
            let open = entries.iter().filter(|entry| entry.is_open()).count();
            return Err(Error::interrupted(format!(
                "interrupted with {} of {} to go; {carry_on}",
                open,
                units::count(entries.len(), "file")
            )));
        }
        Ok(wait::exit(entries))
    }
}
