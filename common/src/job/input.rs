//! The input of a job.

use serde::{Deserialize, Serialize};

use crate::names::location::Location;

/// One exact version of a media file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Input {
    /// The file's location.
    pub location: Location,
    /// The file's size in bytes.
    pub size: u64,
    /// Tells this version from others with the same name and size: the store's etag, or the time of the last change.
    pub version: String,
}
