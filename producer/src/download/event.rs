//! What happens to results that are downloaded.

use std::path::PathBuf;

use common::job::id::JobId;
use serde::Serialize;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DownloadResult {
    /// Downloaded now.
    New(PathBuf),
    /// Complete before.
    There(PathBuf),
    /// Another file has its name.
    Occupied(PathBuf),
    /// No longer in the bucket.
    Gone,
    Failed(String),
}

impl DownloadResult {
    /// The path of a complete result.
    pub(crate) fn path(&self) -> Option<&PathBuf> {
        match self {
            Self::New(path) | Self::There(path) => Some(path),
            Self::Occupied(_) | Self::Gone | Self::Failed(_) => None,
        }
    }

    /// Why there is no complete result.
    pub(crate) fn problem(&self) -> Option<String> {
        match self {
            Self::New(_) | Self::There(_) => None,
            Self::Occupied(path) => Some(format!(
                "another file has the name of the result and was kept; move it away, or replace it with --overwrite: {}",
                path.display()
            )),
            Self::Gone => Some("the result is no longer in the bucket".to_owned()),
            Self::Failed(why) => Some(format!("cannot download the result: {why}")),
        }
    }
}

#[derive(Debug)]
pub(crate) enum DownloadEvent {
    /// So many bytes are downloaded.
    Bytes(JobId, u64),
    Ended(JobId, DownloadResult),
}
