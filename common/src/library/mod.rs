//! Libraries: folders and bucket prefixes that the farm keeps in shape for as long as they stand.
//!
//! A [`Library`] is what a person has set. Of each of its files there is a [`file::FileRecord`]. What is done next about
//! a file is decided in [`next`], from what a scan has seen, the record and the job. All of this is pure; a worker scans.

pub mod check;
pub mod exclude;
pub mod file;
pub mod mandate;
pub mod next;
pub mod scan;
pub mod summary;

use std::time::Duration;

use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use crate::farm::hours::Hours;
use crate::farm::queue::Priority;
use crate::job::Fallbacks;
use crate::job::replacement::Replacement;
use crate::job::sidecar::Sidecars;
use crate::job::signature::JobSignature;
use crate::job::split::Split;
use crate::library::exclude::Exclusions;
use crate::names::location::Location;
use crate::names::token::Token;
use crate::recipe::{Outputs, Recipe};
use crate::rules::Rules;
use crate::submit::terms::JobTerms;
use crate::wire;
use crate::wire::is_default;

/// What a person has set for a library.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Library {
    /// The folder or bucket prefix of the files.
    pub location: Location,
    /// How its files are encoded.
    pub recipe: Recipe,
    /// How the outputs are named.
    #[serde(default, skip_serializing_if = "is_default")]
    pub outputs: Outputs,
    /// The preset that the recipe began with, for the names of outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub preset: Option<Token>,
    /// Which files are left as they are.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rules: Rules,
    /// Where the outputs go.
    pub results: Results,
    /// What becomes of the files beside its files.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sidecars: Sidecars,
    /// Whether its files are encoded in parts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub split: Split,
    /// When jobs are enqueued, by the clock of the worker that scans; always if not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub schedule: Option<Hours>,
    /// Files that are left out.
    #[serde(default, skip_serializing_if = "is_default")]
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<String>))]
    pub exclude: Exclusions,
    /// Seconds for which a file must stay as it is before it is looked at.
    #[serde(default = "usual_settle")]
    pub settle: u64,
    /// Seconds from the end of one scan to the next.
    #[serde(default = "usual_every")]
    pub every: u64,
    /// How many files are checked for damage each day, those first whose last check is longest ago.
    #[serde(default, skip_serializing_if = "is_default")]
    pub verify_per_day: u32,
    /// The priority of its jobs.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = u8))]
    pub priority: Priority,
    /// Further queues that open to a waiting job, if the recipe names several encoders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallbacks: Option<Fallbacks>,
    /// Whether a person has paused it: it is not scanned, and no job is enqueued.
    #[serde(default, skip_serializing_if = "is_default")]
    pub paused: bool,
    /// When it was added.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub added: Timestamp,
    /// When a person last asked for a scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub asked: Option<Timestamp>,
    /// Who vouches for what its jobs may do: for all of its jobs, with its mandate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Box<JobSignature>>,
}

/// Where the outputs of a library go.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Results {
    /// Into another folder, at the same path as the source.
    Folder(Location),
    /// Into the place of the source, which goes to a trash.
    Replace(Replacement),
}

impl wire::Message for Library {
    fn version(&self) -> u32 {
        wire::LIBRARIES
    }
}

/// The default of [`Library::settle`].
const SETTLE: Duration = Duration::from_secs(60);
/// The default of [`Library::every`].
const EVERY: Duration = Duration::from_secs(600);

fn usual_settle() -> u64 {
    SETTLE.as_secs()
}

fn usual_every() -> u64 {
    EVERY.as_secs()
}

impl Library {
    /// Most jobs of one library that wait or run at the same time.
    pub const MOST_AHEAD: usize = 1000;

    /// A library with the usual times, added now. Its outputs are a library as well, so that sidecars belong to them.
    pub fn new(location: Location, recipe: Recipe, results: Results, now: Timestamp) -> Self {
        Self {
            location,
            recipe,
            outputs: Outputs::default(),
            preset: None,
            rules: Rules::default(),
            results,
            sidecars: Sidecars::Carry,
            split: Split::Auto,
            schedule: None,
            exclude: Exclusions::default(),
            settle: usual_settle(),
            every: usual_every(),
            verify_per_day: 0,
            priority: Priority::default(),
            fallbacks: None,
            paused: false,
            added: now,
            asked: None,
            signature: None,
        }
    }

    /// How long a file must stay as it is before it is looked at.
    pub fn settle(&self) -> Duration {
        Duration::from_secs(self.settle)
    }

    /// The time from the end of one scan to the next.
    pub fn every(&self) -> Duration {
        Duration::from_secs(self.every)
    }

    /// Whether jobs are enqueued at that moment.
    pub fn is_open(&self, at: &Zoned) -> bool {
        let is_scheduled = self.schedule.as_ref().is_none_or(|hours| hours.include(at));
        !self.paused && is_scheduled
    }

    /// The folder below which outputs are named: that of the library itself if they take the place of their sources.
    pub fn output_folder(&self) -> &Location {
        match &self.results {
            Results::Folder(folder) => folder,
            Results::Replace(_) => &self.location,
        }
    }

    /// The replacement of its files, if outputs take their places.
    pub fn replacement(&self) -> Option<&Replacement> {
        match &self.results {
            Results::Folder(_) => None,
            Results::Replace(replacement) => Some(replacement),
        }
    }

    /// What holds for its jobs.
    pub fn terms(&self) -> JobTerms {
        JobTerms {
            priority: self.priority,
            fallbacks: self.fallbacks.clone(),
            rules: self.rules.clone(),
            sidecars: self.sidecars,
            split: self.split,
            ..JobTerms::new()
        }
    }

    /// A location that a worker must be able to use, for each place that the library needs.
    pub fn needed(&self) -> Vec<Location> {
        let trash = self.replacement().map(|replacement| &replacement.trash);
        let folders = [Some(&self.location), Some(self.output_folder()), trash];
        let folders = folders.into_iter().flatten();
        folders.map(|folder| folder.join("file")).collect()
    }
}
