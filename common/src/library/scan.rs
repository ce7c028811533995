//! Scans: which worker looks at a library, and what its last scan has found.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::farm::worker_name::WorkerName;
use crate::job::id::BatchId;
use crate::names::location::Location;
use crate::wire;
use crate::wire::is_default;

/// The scan lease of a library, with what its holder tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanRecord {
    /// The worker that scans.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub worker: WorkerName,
    /// When its lease runs out, by the broker's clock.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub until: Timestamp,
    /// What it is doing.
    pub phase: ScanPhase,
    /// The last scan that went to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<ScanReport>,
    /// Why the last scan did not go to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// Where the library's folder really is, without links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real: Option<Location>,
    /// The library's location when its holder looked where it really is. A library that was moved since is elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub real_of: Option<Location>,
    /// The checks of files that were enqueued last.
    #[serde(default, skip_serializing_if = "is_default")]
    pub checks: DayOfChecks,
    /// Batches that wait because the library is paused or its schedule is over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<BatchId>,
}

impl wire::Message for ScanRecord {
    fn version(&self) -> u32 {
        wire::LIBRARIES
    }
}

/// What the holder of a scan lease is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ScanPhase {
    /// It waits for the time of the next scan.
    #[default]
    Resting,
    /// It lists the files, and compares them with the records.
    Listing,
    /// It looks at new and changed files.
    Probing {
        /// Files that it has looked at.
        done: usize,
        /// Files that it has to look at.
        of: usize,
    },
    /// It enqueues jobs.
    Enqueueing,
}

/// What a scan has found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ScanReport {
    /// When it began.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub began: Timestamp,
    /// When it ended.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub ended: Timestamp,
    /// Media files that it has seen.
    pub files: usize,
    /// Files that have not settled yet.
    pub arriving: usize,
    /// Files that it has probed.
    pub probed: usize,
    /// Jobs that it has enqueued.
    pub enqueued: usize,
    /// What it has left for later: files that wait, files to probe, and unreadable folders.
    #[serde(default, skip_serializing_if = "is_default")]
    pub left: usize,
    /// Files that can have no job for now.
    #[serde(default, skip_serializing_if = "is_default")]
    pub refused: usize,
    /// Records of files that are gone.
    pub gone: usize,
    /// Paths that could not be read, each with the reason; the first ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
}

/// How many checks of files were enqueued on one day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DayOfChecks {
    /// The day, in UTC.
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = Date))]
    pub day: Option<jiff::civil::Date>,
    /// How many checks were enqueued on that day.
    pub files: u32,
}

impl DayOfChecks {
    /// How many more may be enqueued today.
    pub fn left(&self, today: jiff::civil::Date, per_day: u32) -> u32 {
        match self.day {
            Some(day) if day == today => per_day.saturating_sub(self.files),
            _ => per_day,
        }
    }

    /// The count after so many more were enqueued today.
    #[must_use]
    pub fn plus(&self, today: jiff::civil::Date, files: u32) -> Self {
        let before = if self.day == Some(today) {
            self.files
        } else {
            0
        };
        Self {
            day: Some(today),
            files: before.saturating_add(files),
        }
    }
}

impl ScanRecord {
    /// A lease that was just taken. What the last holder knew of the library stays.
    pub(crate) fn taken(worker: WorkerName, until: Timestamp, before: Option<Self>) -> Self {
        match before {
            Some(before) => Self {
                worker,
                until,
                phase: ScanPhase::Resting,
                ..before
            },
            None => Self {
                worker,
                until,
                phase: ScanPhase::Resting,
                last: None,
                problem: None,
                real: None,
                real_of: None,
                checks: DayOfChecks::default(),
                held: Vec::new(),
            },
        }
    }

    /// Where a library at this location really is, if that is known: what was found at another location before it was
    /// moved does not count.
    pub fn place_of(&self, location: &Location) -> Option<&Location> {
        let is_its = self.real_of.as_ref().is_none_or(|seen| seen == location);
        self.real.as_ref().filter(|_| is_its)
    }

    /// Whether the lease has not run out.
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.until > now
    }
}
