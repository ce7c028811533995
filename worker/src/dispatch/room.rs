//! The room for scratch files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use common::job::Job;
use common::job::part::Part;

use crate::attempt::{input, scratch};
use crate::cli::config::ReadMode;
use crate::report::gauge::Gauge;
use crate::report::load::free_space;

/// How long a poll waits for the disk: a slow disk must not delay claims.
const LONGEST: Duration = Duration::from_secs(1);

/// The least scratch space reserved for a job, in bytes.
const LEAST: u64 = 16 << 20;

/// The share of a job's scratch space that one of its parts needs is one in so many.
const SHARE_OF_PART: u64 = 4;

/// Bytes of scratch space that a job may need: an output is seldom larger than its input. A rendition of a ladder lies
/// there twice while it is packaged.
pub(crate) fn need(job: &Job, read: ReadMode) -> u64 {
    let outputs = match job.ladder {
        _ if !job.kind.writes() => 0,
        Some(_) => 2,
        None => 1,
    };
    let made = match job.id.part() {
        Part::Whole => job.bytes().saturating_mul(outputs),
        // A part of a file is seldom larger than this share of it.
        Part::Chunk(_) | Part::Twin(_) | Part::Rest => job.bytes() / SHARE_OF_PART,
    };
    copied(job, read).saturating_add(made).max(LEAST)
}

/// Bytes of copies that the worker makes on its own disk before it encodes: of downloaded files, and of parts that are
/// joined.
pub(crate) fn copied(job: &Job, read: ReadMode) -> u64 {
    let inputs = job.inputs().enumerate();
    let downloaded = inputs.filter(|(number, input)| {
        let mode = input::mode(job, *number, read);
        input.location.is_remote() && mode == ReadMode::Download
    });
    let downloaded: u64 = downloaded.map(|(_, input)| input.size).sum();
    // Parts are copied one by one before they are joined at worst. These copies go before the output is made.
    let joined = if job.is_joined() { job.bytes() } else { 0 };
    downloaded.saturating_add(joined)
}

/// The room on the disk of the scratch folder, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) free: u64,
    /// What this worker's jobs use.
    pub(crate) used: u64,
}

/// Measures the room.
pub(crate) struct RoomGauge(Gauge<Option<Room>>);

impl RoomGauge {
    pub(crate) fn of(folder: PathBuf) -> Self {
        Self(Gauge::new(None, move || measure(&folder)))
    }

    /// The current room; the last known room if the disk does not answer in time.
    pub(crate) async fn read(&self) -> Option<Room> {
        self.0.read(LONGEST).await
    }
}

fn measure(folder: &Path) -> Option<Room> {
    free_space(folder).map(|free| Room {
        free,
        used: scratch::size(folder),
    })
}
