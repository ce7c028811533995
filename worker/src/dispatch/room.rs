//! How much room there is for scratch files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::attempt::scratch;
use crate::report::gauge::Gauge;
use crate::report::load::free_space;

/// How long a poll waits for the disk: claiming must not wait for one that is slow.
const LONGEST: Duration = Duration::from_secs(1);

/// What the disk of the scratch folder has, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) free: u64,
    /// By this worker's jobs.
    pub(crate) used: u64,
}

/// Measures that room.
pub(crate) struct RoomGauge(Gauge<Option<Room>>);

impl RoomGauge {
    pub(crate) fn of(folder: PathBuf) -> Self {
        Self(Gauge::new(None, move || measure(&folder)))
    }

    /// The room by now; where the disk does not answer in time, as it was.
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
