//! The room for scratch files.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::attempt::scratch;
use crate::report::gauge::Gauge;
use crate::report::load::free_space;

/// How long a poll waits for the disk: a slow disk must not delay claims.
const LONGEST: Duration = Duration::from_secs(1);

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
