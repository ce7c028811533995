//! What happens to results that are downloaded.

use std::path::PathBuf;

use common::job::id::JobId;
use serde::Serialize;

/// What became of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DownloadResult {
    /// It was copied now.
    New(PathBuf),
    /// It was there, whole.
    There(PathBuf),
    /// Something else has its name.
    Occupied(PathBuf),
    /// It is in the bucket no more.
    Gone,
    /// It could not be copied, for this reason.
    Failed(String),
}

impl DownloadResult {
    /// Where it is, where it is there.
    pub(crate) fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::New(path) | Self::There(path) => Some(path),
            Self::Occupied(_) | Self::Gone | Self::Failed(_) => None,
        }
    }

    /// Why it is not there, where it is not.
    pub(crate) fn problem(&self) -> Option<String> {
        match self {
            Self::New(_) | Self::There(_) => None,
            Self::Occupied(path) => Some(format!(
                "another file has its name and was left as it is; move it away, or --overwrite it: {}",
                path.display()
            )),
            Self::Gone => Some("its result is in the bucket no more".to_owned()),
            Self::Failed(why) => Some(format!("its result could not be downloaded: {why}")),
        }
    }
}

/// What happens to results that are being brought.
#[derive(Debug)]
pub(crate) enum DownloadEvent {
    /// So many bytes of one are here.
    Bytes(JobId, u64),
    /// This became of one.
    Ended(JobId, DownloadResult),
}
