//! One place, the record of its absence, and a job's need of it.

use std::time::Duration;

use common::names::location::Location;
use jiff::Timestamp;
use tokio::time::Instant;

/// The wait before the first trial: a job that is admitted because only a job can find out whether a place is back.
/// It doubles with each trial.
pub(super) const FIRST_TRIAL: Duration = Duration::from_secs(5);
/// The longest wait between two trials.
pub(super) const LONGEST_TRIAL_WAIT: Duration = Duration::from_secs(60);

/// What is known of a bucket or a root.
#[derive(Default)]
pub(super) struct Place {
    /// An object that existed when it was last requested.
    pub(super) known: Option<Location>,
    /// When the place last came back.
    pub(super) back: Option<Instant>,
    /// Is `Some` while the place is away.
    pub(super) gone: Option<Gone>,
}

/// A place that is away.
pub(super) struct Gone {
    pub(super) since: Timestamp,
    pub(super) error: String,
    /// The location that a job needed.
    pub(super) near: Location,
    /// The number of bytes that a job had to write; `None` if it had to read.
    pub(super) room: Option<u64>,
    /// Whether the place can be read, but not written.
    pub(super) only_writing: bool,
    /// Is `Some` if only a job can find out whether the place is back.
    pub(super) trial: Option<Trial>,
}

impl Gone {
    /// Whether the place fails this need.
    pub(super) fn lacks(&self, need: Need<'_>) -> bool {
        !self.only_writing || need.room.is_some()
    }

    pub(super) fn trouble(&self, name: &Location) -> String {
        let verb = if self.only_writing {
            "write to"
        } else {
            "reach"
        };
        format!("cannot {verb} {name}: {}", self.error)
    }
}

/// When a job may find out whether a place is back.
pub(super) struct Trial {
    pub(super) at: Instant,
    pub(super) wait: Duration,
}

impl Trial {
    pub(super) fn first() -> Self {
        Self {
            at: Instant::now() + FIRST_TRIAL,
            wait: FIRST_TRIAL,
        }
    }

    /// Whether a trial is due. If so, schedules the next one.
    pub(super) fn is_due(&mut self) -> bool {
        let is_due = Instant::now() >= self.at;
        if is_due {
            self.wait = (self.wait * 2).min(LONGEST_TRIAL_WAIT);
            self.at = Instant::now() + self.wait;
        }
        is_due
    }
}

/// A job's need of a place.
#[derive(Clone, Copy)]
pub struct Need<'a> {
    pub(super) location: &'a Location,
    /// The number of bytes to write; `None` to read.
    pub(super) room: Option<u64>,
    /// How often the bytes were refused for lack of room.
    pub(super) refused: Option<u32>,
}

impl<'a> Need<'a> {
    /// The need to read this location.
    pub fn read(location: &'a Location) -> Self {
        Self {
            location,
            room: None,
            refused: None,
        }
    }

    /// The need to write this many bytes.
    pub fn write(location: &'a Location, bytes: u64) -> Self {
        Self {
            location,
            room: Some(bytes),
            refused: None,
        }
    }

    /// The same need after it was refused for lack of room, `times` times by now.
    #[must_use]
    pub fn refused(self, times: u32) -> Self {
        Self {
            refused: Some(times),
            ..self
        }
    }
}
