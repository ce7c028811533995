//! Where the trash of a replacement keeps sources, and its records.
//!
//! ```text
//! <folder>/.ffmpeg-easy-trash/<batch>/files/<the source's path below the folder>
//!                                    /elsewhere/<the whole path of a source that is not below the folder>
//!                                    /records/<job>.json
//! ```

use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::job::Job;
use crate::job::id::{BatchId, JobId};
use crate::job::input::Input;
use crate::job::sidecar::End;
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::wire;

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
    /// The ends of the names of the sidecars that were to be renamed with the source: they had its stem, and get that of
    /// the output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sidecars: Vec<End>,
    /// When the source was replaced.
    pub replaced: Timestamp,
    /// When the trash may be emptied of the source.
    pub until: Timestamp,
}

impl wire::Message for TrashRecord {}

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
    use crate::job::replacement::Replacement;
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
