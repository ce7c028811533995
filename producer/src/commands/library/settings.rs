//! The options of a library beside its recipe.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use common::broker::Broker;
use common::farm::hours::Hours;
use common::farm::queue::Priority;
use common::job::Fallbacks;
use common::job::replacement::Replacement;
use common::job::split::Split;
use common::library::exclude::Exclusions;
use common::library::{Library, Results, check};
use common::names::location::Location;
use common::rules::MinSaving;
use common::rules::condition::Condition;
use common::say;

use crate::cli::args;
use crate::cli::exit::Error;
use crate::submit::paths;
use crate::submit::paths::output_folder;
use crate::submit::replace::HardLinks;
use crate::submit::rules::OriginalOption;
use crate::submit::sidecars::SidecarOption;

#[derive(Debug, Args)]
#[command(next_help_heading = "Library")]
pub(super) struct LibraryOptions {
    /// Folder or s3://bucket/prefix for the results
    #[arg(short, long, value_name = "LOCATION")]
    pub output: Option<PathBuf>,
    /// Put each output in the place of its source, once it is verified; the source goes to a trash, and `producer undo` brings it back
    #[arg(long, conflicts_with = "output")]
    pub replace: bool,
    /// Folder or s3://bucket/prefix whose trash takes the sources [default: the library itself]
    #[arg(long, value_name = "PLACE", requires = "replace")]
    pub trash: Option<PathBuf>,
    /// Days for which the trash keeps a source
    #[arg(long, value_name = "DAYS", requires = "replace", default_value_t = Replacement::DAYS, value_parser = clap::value_parser!(u32).range(1..=i64::from(Replacement::MOST_DAYS)))]
    pub trash_days: u32,
    /// What to do about a source with further names (hard links), which keep the old file
    #[arg(
        long,
        value_name = "WHAT",
        requires = "replace",
        value_enum,
        default_value_t
    )]
    pub hard_links: HardLinks,
    /// Leave files for which this holds as they are, e.g. 'video.codec in [hevc, av1] and height <= 1080'; `none` for no rule
    #[arg(long, value_name = "CONDITION", value_parser = rule)]
    pub skip_if: Option<Rule<Condition>>,
    /// Keep the original unless the output is smaller by this percent, e.g. 10%; `none` for no rule
    #[arg(long, value_name = "PERCENT", value_parser = saving)]
    pub min_saving: Option<Rule<MinSaving>>,
    /// What becomes of originals that are kept: they are left where they are, or also copied to where the output would be [default: leave]
    #[arg(long, value_name = "leave|copy")]
    pub original: Option<OriginalOption>,
    /// What becomes of files beside a source that bear its name, such as film.en.srt, film.nfo and film-poster.jpg [default: carry]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub sidecars: Option<SidecarOption>,
    /// Whether a film is encoded in parts, by as many workers as there are: auto (if it pays), off, or always in chunks of about so much of the film, e.g. 30s [default: auto]
    #[arg(long, value_name = "auto|off|TIME")]
    pub split: Option<Split>,
    /// Enqueue jobs only in these hours, by the scanning worker's local time, e.g. 22:00-07:00; `always` for no limit
    #[arg(long, value_name = "HOURS", value_parser = schedule)]
    pub schedule: Option<Schedule>,
    /// Leave out files whose name or path below the library matches, e.g. 'Extras/**'; may be repeated; `none` for no exclusion
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,
    /// How long a file must stay unchanged before it is looked at [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = args::duration)]
    pub settle: Option<Duration>,
    /// Time from one scan to the next [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = args::duration)]
    pub every: Option<Duration>,
    /// Check so many files a day for damage, those first whose last check is longest ago [default: 0]
    #[arg(long, value_name = "N")]
    pub verify_per_day: Option<u32>,
    /// Priority of its jobs: 1 (low) to 10 (high) [default: 5]
    #[arg(long, value_name = "1..10")]
    pub priority: Option<Priority>,
    /// With several encoders: how long a job waits before the next encoder may take it too, e.g. 10m
    #[arg(long, value_name = "TIME", value_parser = args::duration)]
    pub hop_after: Option<Duration>,
}

/// Hours, or none.
#[derive(Clone, Debug)]
pub(super) struct Schedule(Option<Hours>);

fn schedule(text: &str) -> Result<Schedule, String> {
    match text {
        "always" => Ok(Schedule(None)),
        text => text
            .parse()
            .map(|hours| Schedule(Some(hours)))
            .map_err(|error: common::farm::hours::HoursError| error.to_string()),
    }
}

/// A rule, or none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule<T>(Option<T>);

fn rule(text: &str) -> Result<Rule<Condition>, String> {
    read(text)
}

fn saving(text: &str) -> Result<Rule<MinSaving>, String> {
    read(text)
}

fn read<T: FromStr<Err: Display>>(text: &str) -> Result<Rule<T>, String> {
    match text {
        "none" => Ok(Rule(None)),
        text => match text.parse() {
            Ok(rule) => Ok(Rule(Some(rule))),
            Err(why) => Err(why.to_string()),
        },
    }
}

impl LibraryOptions {
    /// Where the results of a library go, if the options say so.
    pub(super) fn results(&self, library: &Location) -> Result<Option<Results>, Error> {
        if self.replace {
            let trash = self.trash.as_deref().map(output_folder).transpose()?;
            return Ok(Some(Results::Replace(Replacement {
                trash: Replacement::trash_in(trash.as_ref().unwrap_or(library)),
                days: self.trash_days,
                hard_links: self.hard_links.into(),
            })));
        }
        let folder = self.output.as_deref().map(output_folder).transpose()?;
        Ok(folder.map(Results::Folder))
    }

    /// Sets what the options name.
    pub(super) fn apply(&self, library: &mut Library) -> Result<(), Error> {
        if let Some(results) = self.results(&library.location)? {
            library.results = results;
        }
        if let Some(Rule(condition)) = &self.skip_if {
            library.rules.skip_if.clone_from(condition);
        }
        if let Some(Rule(saving)) = self.min_saving {
            library.rules.min_saving = saving;
        }
        if let Some(original) = self.original {
            library.rules.original = original.into();
        }
        if let Some(sidecars) = self.sidecars {
            library.sidecars = sidecars.into();
        }
        if let Some(split) = self.split {
            library.split = split;
        }
        if let Some(Schedule(hours)) = &self.schedule {
            library.schedule.clone_from(hours);
        }
        match self.exclude.as_slice() {
            [] => {}
            [none] if none == "none" => library.exclude = Exclusions::default(),
            patterns => library.exclude = Exclusions::new(patterns).map_err(Error::usage)?,
        }
        if let Some(settle) = self.settle {
            library.settle = settle.as_secs();
        }
        if let Some(every) = self.every {
            library.every = every.as_secs();
        }
        if let Some(files) = self.verify_per_day {
            library.verify_per_day = files;
        }
        if let Some(priority) = self.priority {
            library.priority = priority;
        }
        let queues = library.recipe.fallback_queues();
        let before = library.fallbacks.take().map(|fallbacks| fallbacks.after);
        let after = self.hop_after.map(|after| after.as_secs()).or(before);
        if self.hop_after.is_some() && queues.is_empty() {
            return Err(Error::usage(
                "--hop-after needs several encoders: --encoder hevc_nvenc,libx265",
            ));
        }
        library.fallbacks = after
            .filter(|_| !queues.is_empty())
            .map(|after| Fallbacks { queues, after });
        Ok(())
    }
}

/// The location of a library that a person names. Links of this machine are resolved, so that one folder has one
/// name.
pub(super) fn location(place: &Path) -> Result<Location, Error> {
    if let Some(text) = place.to_str().filter(|text| text.contains("://")) {
        let location = Location::from_argument(text).map_err(Error::usage)?;
        return match location.path() {
            Some(path) => local(&path),
            None => Ok(location),
        };
    }
    local(place)
}

fn local(place: &Path) -> Result<Location, Error> {
    let resolved = paths::resolved(place)
        .map_err(|error| Error::usage(format!("cannot read {}: {error}", place.display())))?;
    if resolved.exists() && !resolved.is_dir() {
        return Err(Error::usage(format!(
            "not a folder: {}: a library is a folder, or s3://bucket/prefix",
            place.display()
        )));
    }
    if !resolved.exists() {
        say!(
            "warning: {} is not on this machine: workers must have it under this path",
            resolved.display()
        );
    }
    Location::file(&resolved).map_err(Error::usage)
}

/// Prints what is in the way of a library for now.
pub(super) async fn warn(broker: &Broker, library: &Library) -> Result<(), Error> {
    for warning in check::warnings(library, &broker.workers().await?) {
        say!("warning: {warning}");
    }
    Ok(())
}
