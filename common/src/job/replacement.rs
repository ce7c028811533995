//! Replacements: an output takes the place of its source, and the source goes to a trash.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::names::location::Location;
use crate::wire::is_default;

/// The name of every trash. Searches for media leave hidden folders out.
pub const TRASH: &str = ".ffmpeg-easy-trash";

/// What becomes of a job's source once its output is verified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Replacement {
    /// The trash that the source goes to.
    pub trash: Location,
    /// The days for which the trash keeps the source.
    pub days: u32,
    /// What to do about a source with further names.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hard_links: HardLinks,
}

/// What to do about a source that has further names (hard links). They keep the old file, so that no space is freed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HardLinks {
    /// The job fails before its encode.
    #[default]
    Refuse,
    /// The name of the job's source is replaced, and the further names keep the old file.
    Replace,
}

/// A replacement that was made, as a report tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Replaced {
    /// The source in the trash.
    pub original: Location,
    /// When the trash may be emptied of the source.
    #[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime))]
    pub until: Timestamp,
}

/// Why a folder can be no trash.
#[derive(Debug, thiserror::Error)]
pub enum TrashError {
    /// A trash of files is a folder, and a trash of objects a prefix of a bucket.
    #[error(
        "{source_file} cannot go to the trash {trash}: files go to a folder, and objects to a bucket (--trash)"
    )]
    OtherStore {
        /// A source.
        source_file: Box<Location>,
        /// The trash.
        trash: Box<Location>,
    },
}

impl Replacement {
    /// The longest time in a trash, in days.
    pub const MOST_DAYS: u32 = 3650;
    /// The usual time in a trash, in days.
    pub const DAYS: u32 = 30;

    /// The trash in a folder or prefix.
    pub fn trash_in(folder: &Location) -> Location {
        folder.join(TRASH)
    }

    /// Checks that the trash can take this source.
    ///
    /// # Errors
    /// One is in a bucket and the other on a disk.
    pub fn check(&self, source: &Location) -> Result<(), TrashError> {
        if self.trash.is_remote() == source.is_remote() {
            return Ok(());
        }
        Err(TrashError::OtherStore {
            source_file: Box::new(source.clone()),
            trash: Box::new(self.trash.clone()),
        })
    }

    /// When the trash may be emptied of a source that is replaced now.
    pub fn until(&self, now: Timestamp) -> Timestamp {
        let days = i64::from(self.days.min(Self::MOST_DAYS));
        let wait = SignedDuration::from_hours(24 * days);
        now.checked_add(wait).unwrap_or(Timestamp::MAX)
    }
}
