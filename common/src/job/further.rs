//! Further inputs of a job: files that its output is made of besides its input.

use serde::{Deserialize, Serialize};

use crate::job::input::Input;
use crate::recipe::Language;
use crate::wire;

/// A further input of a job. A worker reads it as it reads the job's input: the same version, from a place within its
/// reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FurtherInput {
    /// The file to read. It is never written to.
    pub input: Input,
    /// What the output gets from the file.
    pub role: FurtherRole,
}

/// The version of a message about a job with these further inputs.
pub(crate) fn wire_version(further: &[FurtherInput]) -> u32 {
    if further.is_empty() {
        wire::FIRST
    } else {
        wire::FURTHER_INPUTS
    }
}

/// What an output gets from a further input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FurtherRole {
    /// The part that follows the input and the continuations before it.
    Continuation(Join),
    /// A subtitle track.
    Subtitles(ExternalSubtitles),
    /// The colours of its pictures, by a three-dimensional colour table.
    Lut,
    /// A picture over its pictures.
    Watermark,
}

impl FurtherRole {
    /// Whether the file follows the parts before it.
    pub fn is_continuation(&self) -> bool {
        matches!(self, Self::Continuation(_))
    }
}

/// How a continuation is joined to the parts before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Join {
    /// By the recipe: copied if the recipe copies video, encoded if it encodes.
    ByRecipe,
    /// Copied if all parts are alike. The recipe encodes parts that are not.
    CopyIfAlike,
}

/// A subtitle file that becomes a track.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ExternalSubtitles {
    /// The language of the subtitles, if it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Whether the subtitles are only for parts in another language.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// Whether the subtitles are for the deaf and hard of hearing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sdh: bool,
}
