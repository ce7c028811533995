//! The replacement of a source by its output.

use serde::{Deserialize, Serialize};

use crate::names::location::Location;

/// Has the output take the place of the source, and keeps the source in a trash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Replacement {
    /// The folder to which the source goes.
    pub trash: Location,
    /// Days that the source stays there.
    pub days: u32,
}
