//! Kinds of jobs: what a worker does with the input.

use serde::{Deserialize, Serialize};

/// What a job does with its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum JobKind {
    /// Makes an output by the job's recipe.
    #[default]
    Encode,
    /// Looks for damage in the input, and writes nothing. The output of such a job is the location of its input.
    Check(CheckDepth),
}

impl JobKind {
    /// Whether the job makes an output.
    pub fn writes(self) -> bool {
        self == Self::Encode
    }
}

/// How much of a file is looked at for damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum CheckDepth {
    /// The container, and a few places of the film.
    Quick,
    /// The container, and every packet of every track.
    Full,
}
