//! What a job reads.

use serde::{Deserialize, Serialize};

use crate::names::location::Location;

/// One exact version of a media file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Where it is.
    pub location: Location,
    /// Its size in bytes.
    pub size: u64,
    /// What else tells it from another version of the same name: the store's
    /// etag, or the time of the last change.
    pub version: String,
}
