//! `producer watch`: submits the files that arrive in a folder or bucket prefix.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant};

use clap::Args;
use common::broker::Broker;
use common::job::run::RunState;
use common::names::location::Location;
use common::names::printable::printable;
use common::recipe::Video;
use common::say;
use common::store::Stores;
use common::submit::output_set::OutputSet;
use common::submit::result::SubmitResult;
use common::submit::terms::{JobTerms, Renew};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::on_farm::Request;
use crate::cli::args;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::output;
use crate::notify::Told;
use crate::recipe::options::RecipeOptions;
use crate::recipe::presets::PresetSource;
use crate::submit::arrivals::StabilityTracker;
use crate::submit::destination::Destination;
use crate::submit::entry::Entry;
use crate::submit::replace::ReplaceOptions;
use crate::submit::send::{Wanted, submit};
use crate::submit::sidecars::check_sidecars;
use crate::submit::sources::{Globs, Search, SourceFile, SourceOptions};
use crate::submit::submission::Order;
use crate::submit::terms::JobOptions;
use crate::submit::{existing_outputs, paths, preflight, submission, upload};

/// How long uploads may take to stop.
const GIVE_UP: Duration = Duration::from_secs(3);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Folder or s3://bucket/prefix to watch
    #[arg(value_name = "PLACE")]
    pub place: PathBuf,
    #[command(flatten)]
    pub globs: Globs,
    /// Folder or s3://bucket/prefix for the results [default: out/ in the store]
    #[arg(short, long, value_name = "LOCATION")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub replace: ReplaceOptions,
    /// How long a file must stay unchanged before it is submitted
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = args::duration)]
    pub settle: Duration,
    /// Time between two scans
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = args::duration)]
    pub interval: Duration,
    #[command(flatten)]
    pub recipe: RecipeOptions,
    #[command(flatten)]
    pub jobs: JobOptions,
}

/// # Errors
/// If the options make no sense, or the farm is out of reach at the start.
pub(crate) async fn run(
    options: Options,
    settings: &Settings,
    shutdown: &CancellationToken,
) -> Result<Exit, Error> {
    let named = std::slice::from_ref(&options.place);
    let destination =
        Destination::by(&options.replace, named, options.output.as_deref(), settings)?;
    if destination.download_to.is_some() {
        return Err(Error::usage(
            "results are made in the store, and `watch` does not download them: leave -o out, or give -o s3://BUCKET/PREFIX; \
             `producer download BATCH DIR` downloads them",
        ));
    }
    let place = watched(&options.place)?;
    if destination.replacing.is_none() {
        refuse_loop(&place, &destination.folder)?;
    }
    let upload_to = destination.upload_to(settings);
    for location in [Some(&place), Some(&destination.folder), upload_to.as_ref()]
        .into_iter()
        .flatten()
    {
        preflight::reach(location, &settings.stores()).await?;
    }
    let outputs = options
        .recipe
        .output_set(PresetSource::Farm(settings), None)
        .await?;
    let outputs = destination.fit(outputs)?;
    if options.jobs.dry_run {
        let sources = SourceOptions {
            paths: vec![options.place],
            globs: options.globs,
        };
        let request = Request {
            order: Order::Each(&sources),
            destination,
            outputs,
            jobs: &options.jobs,
            upload_to,
            require_worker: false,
            wait: false,
            told: Told::default(),
            renew: Renew::Never,
        };
        return request.run(settings, shutdown).await;
    }
    let terms = options.jobs.terms(&outputs, Renew::Never)?;
    let is_uploaded = upload_to.as_ref().is_some_and(Location::is_remote) && !place.is_remote();
    check_sidecars(&terms, &destination, is_uploaded)?;
    let broker = settings.connect().await?;
    let input = upload::read_from(upload_to.as_ref(), &place.join("file"));
    destination.refuse_scattered([&input])?;
    let jobs = [vec![input, destination.folder.join("file")]];
    preflight::check_served(&broker, outputs.first(), &terms, &jobs, false).await?;
    let mut watch = Watch {
        arrivals: StabilityTracker::new(options.settle),
        warnings: HashSet::new(),
        stores: settings.stores(),
        paths: [options.place],
        globs: options.globs,
        json: options.jobs.json,
        destination,
        upload_to,
        outputs,
        terms,
        broker,
    };
    say!(
        "watching {place}; results go to {}",
        watch.destination.folder
    );
    let mut problem = None;
    while !shutdown.is_cancelled() {
        {
            let mut looking = pin!(watch.look(shutdown));
            tokio::select! {
                result = &mut looking => report_problem(&mut problem, result.err()),
                () = shutdown.cancelled() => {
                    // Running uploads remove what they sent.
                    let _ = tokio::time::timeout(GIVE_UP, looking).await;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(options.interval) => {}
            () = shutdown.cancelled() => {}
        }
    }
    say!("stopped watching; enqueued jobs stay");
    Ok(Exit::Interrupted)
}

/// The absolute location of the watched place.
fn watched(place: &Path) -> Result<Location, Error> {
    let location =
        match place.to_str().filter(|text| text.contains("://")) {
            Some(text) => Location::from_argument(text),
            None => Location::file(&paths::resolved(place).map_err(|error| {
                Error::usage(format!("cannot read {}: {error}", place.display()))
            })?),
        }
        .map_err(Error::usage)?;
    match location.path() {
        Some(path) if !path.is_dir() => Err(Error::usage(format!(
            "not a folder: {}: give an existing folder, or s3://bucket/prefix",
            place.display()
        ))),
        _ => Ok(location),
    }
}

/// Prints when a problem begins and when it ends, each once.
fn report_problem(problem: &mut Option<String>, now: Option<Error>) {
    let now = now.map(|error| error.to_string());
    match (&problem, &now) {
        (Some(before), Some(now)) if before == now => {}
        (_, Some(now)) => say!("warning: {now}; retrying"),
        (Some(_), None) => say!("the problem is over"),
        (None, None) => {}
    }
    *problem = now;
}

/// Refuses a folder for results whose files would be taken for new ones. A folder below the watched one is allowed: the
/// search leaves it out.
fn refuse_loop(place: &Location, folder: &Location) -> Result<(), Error> {
    let is_within = match (place.path(), folder.path()) {
        (Some(place), Some(folder)) => place.starts_with(folder),
        (None, None) if place.bucket() == folder.bucket() => {
            Path::new(&place.key()).starts_with(folder.key())
        }
        _ => false,
    };
    if is_within {
        return Err(Error::usage(format!(
            "{place} lies in {folder}, where results go: choose another folder with -o, so that results are not submitted again"
        )));
    }
    Ok(())
}

struct Watch {
    broker: Broker,
    stores: Stores,
    paths: [PathBuf; 1],
    globs: Globs,
    destination: Destination,
    upload_to: Option<Location>,
    outputs: OutputSet,
    terms: JobTerms,
    json: bool,
    arrivals: StabilityTracker,
    /// The warnings of the last scan.
    warnings: HashSet<String>,
}

impl Watch {
    /// Scans once, and submits the files that have arrived.
    async fn look(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let outputs = self.destination.folders()?;
        let search =
            Search::new(&self.globs, &outputs, &self.stores)?.for_recipe(self.outputs.first());
        let mut found = search.that_may_find_nothing().run(&self.paths).await?;
        if self.destination.replacing.is_some() {
            let sources = std::mem::take(&mut found.sources);
            found.sources = submission::without_own_outputs(&self.broker, sources).await?;
        }
        let warnings: HashSet<String> = found.warnings().collect();
        for warning in warnings.difference(&self.warnings) {
            say!("warning: {warning}");
        }
        self.warnings = warnings;
        let inputs = found.sources.iter().map(SourceFile::inputs);
        let mut arrived = self.arrivals.look(inputs, Instant::now());
        arrived.retain(|index| self.holds_media(&found.sources[*index]));
        if arrived.is_empty() {
            return Ok(());
        }
        // All files are named together, so that no two outputs share a name.
        let (sources, set) = (&found.sources, &self.outputs);
        let named = submission::named(&self.broker, sources, &self.destination, set);
        let (mut outputs, jobs_by_output) = named.await?;
        let mut wanted: Vec<Wanted> = Vec::new();
        for index in arrived {
            let source = &found.sources[index];
            match std::mem::replace(&mut outputs[index], Ok((Vec::new(), None))) {
                Ok(outputs) => {
                    let destination = &self.destination;
                    wanted.extend(submission::wanted_of(
                        source,
                        outputs,
                        destination,
                        &self.outputs,
                    ));
                }
                Err(why) => self.leave(source, &why.to_string()),
            }
        }
        let recipe_files = self.stores.recipe_files(self.outputs.first()).await?;
        for one in &mut wanted {
            one.source.further.extend(recipe_files.iter().cloned());
        }
        let arrivals: Vec<Location> = wanted
            .iter()
            .map(|one| one.source.input.location.clone())
            .collect();
        let folder = &self.destination.folder;
        let existing =
            existing_outputs::look(&self.stores, folder, None, &wanted, jobs_by_output).await?;
        let label = submission::label(&self.paths);
        let batch = self.broker.new_batch(&label, folder, existing, &self.terms);
        let store = self.upload_to.as_ref();
        let wanted = upload::upload_needed(&self.stores, store, wanted, &batch, shutdown).await?;
        let entries = submit(batch, wanted).await?;
        for (entry, arrival) in entries.iter().zip(&arrivals) {
            report(entry, self.json)?;
            self.arrivals.done(arrival);
        }
        Ok(())
    }

    /// Whether a file may hold what the recipe works on; prints why not.
    fn holds_media(&mut self, source: &SourceFile) -> bool {
        match source.unfit(self.outputs.first().video == Video::None) {
            Ok(Some(why)) => {
                self.leave(source, &why.refusal());
                false
            }
            // A file that cannot be read now is read again when it is submitted.
            Ok(None) | Err(_) => true,
        }
    }

    /// Skips a file until it changes.
    fn leave(&mut self, source: &SourceFile, why: &str) {
        let name = source.name.to_string_lossy();
        say!("{name}: skipped: {why}");
        self.arrivals.done(&source.input.location);
    }
}

#[derive(Serialize)]
struct Line<'a> {
    job: String,
    batch: String,
    input: &'a Location,
    output: &'a Location,
}

/// Prints what became of a new file. Prints nothing if its job is done or running already.
fn report(entry: &Entry, json: bool) -> Result<(), Error> {
    let job = &entry.job;
    let name = printable(&entry.name);
    if let Some(why) = entry.refusal() {
        say!("{name}: skipped: {why}");
    }
    match &entry.state {
        SubmitResult::Added if json => output::print_json_line(&Line {
            job: job.id.to_string(),
            batch: job.batch.to_string(),
            input: &job.input.location,
            output: &job.output,
        })?,
        SubmitResult::Added => output::print(&format!("{name}: enqueued as {}", job.id)),
        SubmitResult::Run(run) => match run.state {
            RunState::Failed { .. } | RunState::Cancelled => say!(
                "{name}: skipped: its job is {}; `producer retry {}` retries it",
                run.state.as_str(),
                job.id
            ),
            _ => {}
        },
        SubmitResult::Pending | SubmitResult::Occupied(_) | SubmitResult::OutputTaken(_) => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_never_arrive() {
        let at = |text: &str| Location::from_argument(text).expect("a location");
        for (place, folder) in [
            ("s3://media/in", "s3://media/in"),
            ("s3://media/out/in", "s3://media/out"),
            ("s3://media/in", "s3://media"),
            ("file:///media/in", "file:///media"),
        ] {
            assert!(refuse_loop(&at(place), &at(folder)).is_err(), "{place}");
        }
        for (place, folder) in [
            ("s3://media/in", "s3://media/in/out"),
            ("s3://media/inbox", "s3://media/in"),
            ("s3://media/in", "s3://other/in"),
            ("file:///media/in", "s3://media/in"),
        ] {
            refuse_loop(&at(place), &at(folder)).expect("apart");
        }
    }
}
