//! `producer watch`: hands in what arrives in a folder or bucket prefix.

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::{Duration, Instant};

use clap::Args;
use common::broker::Broker;
use common::location::Location;
use common::printable::printable;
use common::run::State;
use common::store::Stores;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::cli;
use crate::display::output;
use crate::exit::{Error, Exit};
use crate::farm::Settings;
use crate::order::{self, JobOptions};
use crate::preflight;
use crate::presets::Shelf;
use crate::recipe_options::RecipeOptions;
use crate::settle::Settling;
use crate::sources::{Globs, Search, Source, resolved};
use crate::submit::{Entry, Renew, Standing, Terms, submit};
use crate::upload::{self, upload};

/// How long uploads may take to give up.
const GIVE_UP: Duration = Duration::from_secs(3);

/// What to watch, and what becomes of what arrives.
#[derive(Debug, Args)]
pub struct Options {
    /// Folder or s3://bucket/prefix to watch
    #[arg(value_name = "PLACE")]
    pub place: PathBuf,
    /// What of it.
    #[command(flatten)]
    pub globs: Globs,
    /// Folder or s3://bucket/prefix for the results [default: out/ in the store]
    #[arg(short, long, value_name = "LOCATION")]
    pub output: Option<PathBuf>,
    /// How long a file must stay the same before it counts as arrived
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = cli::duration)]
    pub settle: Duration,
    /// Time between two looks
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = cli::duration)]
    pub interval: Duration,
    /// How.
    #[command(flatten)]
    pub recipe: RecipeOptions,
    /// On what terms.
    #[command(flatten)]
    pub jobs: JobOptions,
}

/// Watches until interrupted.
///
/// # Errors
/// Where the options make no sense, or the farm is out of reach at the start.
pub async fn run(
    options: Options,
    settings: &Settings,
    shutdown: CancellationToken,
) -> Result<Exit, Error> {
    let folder = order::results_folder(options.output.as_deref(), settings)?;
    let place = watched(&options.place)?;
    refuse_loop(&place, &folder)?;
    let upload_to = settings.store.clone().filter(Location::is_remote);
    for location in [Some(&place), Some(&folder), upload_to.as_ref()]
        .into_iter()
        .flatten()
    {
        preflight::reach(location).await?;
    }
    let recipe = options.recipe.recipe(Shelf::Farm(settings), None).await?;
    let terms = options.jobs.terms(recipe, Renew::Never)?;
    let broker = settings.connect().await?;
    let input = upload::read_from(upload_to.as_ref(), &place.join("file"));
    let jobs = [[input, folder.join("file")]];
    preflight::check_served(&broker, &terms, &jobs, false).await?;
    let mut watch = Watch {
        settling: Settling::new(options.settle),
        stores: Stores::new(),
        paths: [options.place],
        globs: options.globs,
        json: options.jobs.json,
        folder,
        upload_to,
        terms,
        broker,
    };
    eprintln!("watching {place}; results go to {}", watch.folder);
    let mut trouble = None;
    while !shutdown.is_cancelled() {
        {
            let mut looking = pin!(watch.look(&shutdown));
            tokio::select! {
                result = &mut looking => tell(&mut trouble, result.err()),
                () = shutdown.cancelled() => {
                    // Uploads that are under way give up what they sent.
                    let _ = tokio::time::timeout(GIVE_UP, looking).await;
                }
            }
        }
        tokio::select! {
            () = tokio::time::sleep(options.interval) => {}
            () = shutdown.cancelled() => {}
        }
    }
    eprintln!("stopped watching; what was enqueued stays");
    Ok(Exit::Interrupted)
}

/// The absolute location of what a person wants watched.
fn watched(place: &Path) -> Result<Location, Error> {
    let location =
        match place.to_str().filter(|text| text.contains("://")) {
            Some(text) => Location::from_argument(text),
            None => Location::file(&resolved(place).map_err(|error| {
                Error::usage(format!("cannot read {}: {error}", place.display()))
            })?),
        }
        .map_err(Error::usage)?;
    match location.path() {
        Some(path) if !path.is_dir() => Err(Error::usage(format!(
            "{} is no folder: give one that exists, or s3://bucket/prefix",
            place.display()
        ))),
        _ => Ok(location),
    }
}

/// Says that something is wrong, or right again: once, however long it lasts.
fn tell(trouble: &mut Option<String>, now: Option<Error>) {
    let now = now.map(|error| error.to_string());
    match (&trouble, &now) {
        (Some(before), Some(now)) if before == now => {}
        (_, Some(now)) => eprintln!("warning: {now}; trying again"),
        (Some(_), None) => eprintln!("all is well again"),
        (None, None) => {}
    }
    *trouble = now;
}

/// Refuses results that would be taken for arrivals. A folder for results below
/// the watched one is left out by the search.
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
            "{place} lies in {folder}, where results go: choose another one with -o, so that results are not taken for arrivals"
        )));
    }
    Ok(())
}

/// What is watched, and what becomes of what arrives.
struct Watch {
    broker: Broker,
    stores: Stores,
    paths: [PathBuf; 1],
    globs: Globs,
    folder: Location,
    upload_to: Option<Location>,
    terms: Terms,
    json: bool,
    settling: Settling,
}

impl Watch {
    /// Looks once, and hands in what has arrived.
    async fn look(&mut self, shutdown: &CancellationToken) -> Result<(), Error> {
        let search = Search::new(&self.globs, Some(&self.folder), &self.stores)?;
        let found = search.that_may_find_nothing().run(&self.paths).await?;
        let inputs = found.sources.iter().map(|source| &source.input);
        let arrived = self.settling.look(inputs, Instant::now());
        if arrived.is_empty() {
            return Ok(());
        }
        // Named beside all that is there, so that no two ever share a name.
        let container = self.terms.recipe.container;
        let outputs = found.outputs(&self.folder, container)?;
        let (mut sources, outputs): (Vec<Source>, Vec<Location>) = arrived
            .into_iter()
            .map(|index| (found.sources[index].clone(), outputs[index].clone()))
            .unzip();
        let arrivals: Vec<Location> = sources
            .iter()
            .map(|source| source.input.location.clone())
            .collect();
        if let Some(store) = &self.upload_to {
            sources = upload(&self.stores, store, sources, shutdown).await?;
        }
        let entries = submit(
            &self.broker,
            &self.stores,
            sources.into_iter().zip(outputs).collect(),
            &self.folder,
            &self.terms,
            &order::label(&self.paths),
        )
        .await?;
        for (entry, arrival) in entries.iter().zip(&arrivals) {
            report(entry, self.json)?;
            self.settling.done(arrival);
        }
        Ok(())
    }
}

#[derive(Serialize)]
struct Line<'a> {
    job: String,
    batch: String,
    input: &'a Location,
    output: &'a Location,
}

/// Tells what became of an arrival. What is done or under way already is not
/// worth a word.
fn report(entry: &Entry, json: bool) -> Result<(), Error> {
    let job = &entry.job;
    let name = printable(&entry.name);
    match &entry.standing {
        Standing::Added if json => output::print_json_line(&Line {
            job: job.id.to_string(),
            batch: job.batch.to_string(),
            input: &job.input.location,
            output: &job.output,
        })?,
        Standing::Added => output::print(&format!("{name}: enqueued as {}", job.id)),
        Standing::Occupied => {
            eprintln!("{name}: left alone, for its output exists (--overwrite replaces it)")
        }
        Standing::Run(run) => match run.state {
            State::Failed { .. } | State::Cancelled => eprintln!(
                "{name}: left alone, as it was {} earlier; `producer retry {}` has it tried again",
                run.state.word(),
                job.id
            ),
            _ => {}
        },
        Standing::OutputTaken(holder) => eprintln!("{name}: left alone: {holder}"),
        Standing::Pending => {}
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
