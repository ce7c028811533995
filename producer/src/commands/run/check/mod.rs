//! `producer check`: looks for damage in files. Without `--nats` it brings its own farm, which ends with this command and
//! remembers nothing.

mod here;
mod results;

use clap::Args;
use common::broker::{Broker, SubmittedJob};
use common::farm::queue::Priority;
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::kind::CheckDepth;
use common::job::work::Work;
use common::recipe::Recipe;
use common::say;
use common::submit::terms::{JobTerms, Renew};
use tokio_util::sync::CancellationToken;

use self::results::Results;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::encode::MachineOptions;
use crate::display::units;
use crate::submit::entry::Entry;
use crate::submit::preflight;
use crate::submit::sources::{Search, SourceFile, SourceOptions};
use crate::submit::submission::label;
use crate::wait::ended::{WaitEnd, wait_until_ended};
use crate::wait::follow::Follower;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub sources: SourceOptions,
    /// Decode the beginning, the end and a few places between only
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,
    /// Decode every track from its beginning to its end [default]
    #[arg(long)]
    pub full: bool,
    /// Check files again whose results are known on the farm
    #[arg(long)]
    pub again: bool,
    /// With a farm: wait until all files are checked, and tell what was found
    #[arg(long)]
    pub wait: bool,
    /// Priority: 1 (low) to 10 (high)
    #[arg(long, value_name = "1..10", default_value_t)]
    pub priority: Priority,
    /// How many attempts a job has, crashes of workers included
    #[arg(long, value_name = "N", default_value_t = Job::ATTEMPTS, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub attempts: u32,
    /// Only this worker may check the files
    #[arg(long, value_name = "NAME")]
    pub worker: Option<WorkerName>,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub machine: MachineOptions,
}

/// Files that are to be checked.
struct Check<'a> {
    options: &'a Options,
    sources: Vec<SourceFile>,
    /// Whether all files and folders could be read.
    is_complete: bool,
}

pub(crate) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let check = Check::find(&options, settings).await?;
    match settings.names_a_farm() {
        true => check.on_the_farm(settings, shutdown).await,
        false if options.worker.is_some() => {
            Err(Error::usage("--worker needs a farm: name it with --nats"))
        }
        false => check.here(settings, shutdown).await,
    }
}

impl<'a> Check<'a> {
    /// Finds the files. Unlike for an encode, files count that seem to hold no video: they may be damaged.
    async fn find(options: &'a Options, settings: &Settings) -> Result<Self, Error> {
        let stores = settings.stores();
        let SourceOptions { paths, globs } = &options.sources;
        let search = Search::new(globs, &[], &stores)?.that_takes_sound();
        let found = search.run(paths).await?;
        let skipped = found.skipped();
        let (files, bytes) = (found.sources.len(), units::bytes(found.bytes()));
        let mut line = format!("{}, {bytes}", units::count(files, "file"));
        if !skipped.is_empty() {
            line += &format!(" (skipped: {skipped})");
        }
        say!("{line}");
        for warning in found.warnings() {
            say!("warning: {warning}");
        }
        if found.sources.is_empty() {
            return Err(Error::usage("none of the files can be read"));
        }
        Ok(Self {
            options,
            is_complete: found.is_complete(),
            sources: found.sources,
        })
    }

    fn depth(&self) -> CheckDepth {
        match self.options.quick {
            true => CheckDepth::Quick,
            false => CheckDepth::Full,
        }
    }

    /// A check that has failed or was cancelled is made anew; one that is done stands.
    fn terms(&self) -> JobTerms {
        JobTerms {
            priority: self.options.priority,
            attempts: self.options.attempts,
            worker: self.options.worker.clone(),
            again: self.options.again,
            renew: Renew::Ended,
            ..JobTerms::new()
        }
    }

    async fn submit(&self, broker: &Broker) -> Result<Vec<Entry>, Error> {
        let terms = self.terms();
        let label = format!("check {}", label(&self.options.sources.paths));
        let batch = broker.new_batch_of_checks(&label, &terms);
        let works = self.sources.iter().map(|source| {
            let work = Work::check(source.input.clone(), self.depth());
            batch.job(work)
        });
        let jobs = works.collect();
        let submitted = batch.submit(jobs).await?;
        let entry = |(source, job): (&SourceFile, SubmittedJob)| {
            Entry::new(source.name.to_string_lossy().into_owned(), job)
        };
        Ok(self.sources.iter().zip(submitted).map(entry).collect())
    }

    async fn on_the_farm(
        &self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        let submitting = async {
            let broker = settings.connect().await?;
            let places = self
                .sources
                .iter()
                .map(|source| vec![source.input.location.clone()]);
            let places: Vec<_> = places.collect();
            preflight::check_served(&broker, &Recipe::copy(), &self.terms(), &places, false)
                .await?;
            let follower = Follower::start(&broker).await?;
            let entries = self.submit(&broker).await?;
            Ok::<_, Error>((broker, follower, entries))
        };
        let (broker, follower, mut entries) = tokio::select! {
            submitted = submitting => submitted?,
            () = shutdown.cancelled() => return Err(Error::interrupted(
                "interrupted; the same command again submits the rest",
            )),
        };
        let open = entries.iter().filter(|entry| entry.is_open()).count();
        let known = entries.len() - open;
        say!(
            "{} to check, {known} checked already",
            units::count(open, "file")
        );
        if !self.options.wait && open > 0 {
            let batch = entries.iter().find(|entry| entry.is_open());
            if let Some(entry) = batch {
                let batch = entry.job.batch;
                say!(
                    "the same command with --wait tells what was found; `producer batch {batch}` shows how far it is"
                );
            }
            let results = Results::of(&entries);
            results.print(self.options.json)?;
            return Ok(self.exit(results.exit_so_far()));
        }
        let supervise = std::future::pending();
        let waiting = wait_until_ended(
            &broker,
            Some(follower),
            None,
            &mut entries,
            shutdown,
            supervise,
        );
        let end = waiting.await?.end;
        self.conclude(&entries, end, "the farm continues without this program")
    }

    /// Prints what was found.
    fn conclude(&self, entries: &[Entry], end: WaitEnd, carry_on: &str) -> Result<Exit, Error> {
        let results = Results::of(entries);
        results.print(self.options.json)?;
        if end == WaitEnd::Interrupted {
            let open = entries.iter().filter(|entry| entry.is_open()).count();
            let all = units::count(entries.len(), "file");
            return Err(Error::interrupted(format!(
                "interrupted with {open} of {all} left; {carry_on}"
            )));
        }
        Ok(self.exit(results.exit()))
    }

    fn exit(&self, exit: Exit) -> Exit {
        match self.is_complete {
            true => exit,
            false => Exit::Failed,
        }
    }
}
