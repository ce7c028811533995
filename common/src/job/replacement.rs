//! Replacements: an output takes the place of its source, and the source goes to a trash.
//!
//! ```text
//! <folder>/.ffmpeg-easy-trash/<batch>/files/<the source's path below the folder>
//!                                    /elsewhere/<the whole path of a source that is not below the folder>
//!                                    /records/<job>.json
//! ```

use std::path::{Component, Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::job::id::{BatchId, JobId};
use crate::job::{Job, input::Input};
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::wire;
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

/// Where a trash keeps the source of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrashEntry {
    /// The trash.
    pub trash: Location,
    /// The source in the trash.
    pub original: Location,
    /// The record of the replacement.
    pub record: Location,
}

/// The record of a replacement, a file in the trash. It is written before anything moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrashRecord {
    /// The job that replaces the source.
    pub job: JobId,
    /// Its batch.
    pub batch: BatchId,
    /// The source: its location, size and version.
    pub original: Input,
    /// The permissions of the source; `None` where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<u32>,
    /// The location of the output.
    pub output: Location,
    /// Bytes of the output.
    pub output_size: u64,
    /// Digest of the output.
    pub output_digest: Digest,
    /// When the source was replaced.
    pub replaced: Timestamp,
    /// When the trash may be emptied of the source.
    pub until: Timestamp,
}

impl wire::Message for TrashRecord {}

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
        source_file: Location,
        /// The trash.
        trash: Location,
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
            source_file: source.clone(),
            trash: self.trash.clone(),
        })
    }

    /// When the trash may be emptied of a source that is replaced now.
    pub fn until(&self, now: Timestamp) -> Timestamp {
        let days = i64::from(self.days.min(Self::MOST_DAYS));
        let wait = SignedDuration::from_hours(24 * days);
        now.checked_add(wait).unwrap_or(Timestamp::MAX)
    }
}

impl TrashEntry {
    /// Where a trash keeps a job's source. The path in the trash mirrors that of the source, so that no two sources of
    /// a batch get the same.
    pub fn new(trash: &Location, batch: &BatchId, job: &JobId, source: &Location) -> Self {
        let folder = trash.join(&batch.to_string());
        Self {
            trash: trash.clone(),
            original: mirrored(&trash.folder(), source, &folder),
            record: folder.join(&format!("records/{job}.json")),
        }
    }

    /// The folder of the batch.
    pub fn batch(&self) -> Location {
        self.record.folder().folder()
    }
}

/// The location below `folder` that mirrors the source's: below `top` if it is there, or else its whole path.
fn mirrored(top: &Location, source: &Location, folder: &Location) -> Location {
    const BELOW: &str = "files";
    const ELSEWHERE: &str = "elsewhere";
    if let (Some(top), Some(path), Some(to)) = (top.path(), source.path(), folder.path()) {
        // Names need not be text, so paths stay paths.
        let to = match path.strip_prefix(&top) {
            Ok(rest) => to.join(BELOW).join(rest),
            Err(_) => to.join(ELSEWHERE).join(names(&path)),
        };
        return Location::file(&to).unwrap_or_else(|_| folder.join(ELSEWHERE));
    }
    let key = source.key();
    let top_key = top.key();
    let top_key = top_key.trim_end_matches('/');
    let below = match key.strip_prefix(top_key) {
        Some(rest) if top_key.is_empty() || rest.starts_with('/') => Some(rest),
        _ => None,
    };
    match below.filter(|_| source.bucket() == top.bucket()) {
        Some(rest) => folder.join(BELOW).join(rest),
        None => folder
            .join(ELSEWHERE)
            .join(source.bucket().unwrap_or_default())
            .join(&key),
    }
}

/// The names of a path, without its beginning.
fn names(path: &Path) -> PathBuf {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}

impl Job {
    /// Where the trash keeps the job's source; `None` if the job replaces nothing.
    pub fn trash_entry(&self) -> Option<TrashEntry> {
        let replacement = self.replacement.as_ref()?;
        let (batch, job, source) = (&self.batch, &self.id, &self.input.location);
        Some(TrashEntry::new(&replacement.trash, batch, job, source))
    }

    /// Whether the output gets the very name of the source.
    pub fn replaces_in_place(&self) -> bool {
        self.replacement.is_some() && self.output == self.input.location
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::Choice;
    use crate::recipe::encoder::Codec;
    use crate::testing;

    #[test]
    fn a_trash_mirrors_the_paths_of_sources_and_no_two_are_alike() {
        let job = testing::job(Choice::Codec(Codec::Hevc), 1);
        let at = |text: &str| Location::from_argument(text).expect("a location");
        let kept = |folder: &str, source: &str| {
            let trash = Replacement::trash_in(&at(folder));
            let entry = TrashEntry::new(&trash, &job.batch, &job.id, &at(source));
            assert_eq!(entry.batch(), trash.join(&job.batch.to_string()));
            assert!(entry.record.is_below(&entry.batch()) && entry.original.is_below(&trash));
            let text = entry.original.to_string();
            let below = text.split_once(&format!("{}/", job.batch));
            below.expect("in the folder of the batch").1.to_owned()
        };
        for (folder, source, expected) in [
            ("/films", "/films/a/b.mkv", "files/a/b.mkv"),
            ("/films", "/filmsx/b.mkv", "elsewhere/filmsx/b.mkv"),
            ("/trash", "/films/b.mkv", "elsewhere/films/b.mkv"),
            ("/", "/films/b.mkv", "files/films/b.mkv"),
            ("s3://m/in", "s3://m/in/a/b #1.mkv", "files/a/b #1.mkv"),
            ("s3://m", "s3://m/in/b.mkv", "files/in/b.mkv"),
            ("s3://m/in", "s3://m/inbox/b.mkv", "elsewhere/m/inbox/b.mkv"),
            ("s3://t", "s3://m/b.mkv", "elsewhere/m/b.mkv"),
        ] {
            assert_eq!(kept(folder, source), expected, "{folder} {source}");
        }
    }
}
