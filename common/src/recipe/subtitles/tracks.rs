//! Which subtitle tracks an output has.

use serde::{Deserialize, Serialize};

use crate::recipe::language::Language;
use crate::recipe::named::named;
use crate::wire::is_default;

/// Which subtitle tracks an output has, and where they come from and go to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubtitleTracks {
    /// Tracks in other languages are dropped. Empty: every language.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Language>,
    /// What becomes of forced tracks.
    #[serde(skip_serializing_if = "is_default")]
    pub forced: Flagged,
    /// What becomes of tracks for the deaf and hard of hearing (SDH).
    #[serde(skip_serializing_if = "is_default")]
    pub sdh: Flagged,
    /// Whether the track for scenes in another language, found by how little it is shown, gets the flags default and
    /// forced.
    #[serde(skip_serializing_if = "is_default")]
    pub mark_foreign: bool,
    /// Whether subtitle files beside the input (`film.en.forced.srt`) become tracks.
    #[serde(skip_serializing_if = "is_default")]
    pub external: bool,
    /// Whether these tracks become files beside the output, too (`film.en.forced.srt`). Subtitle files beside the input
    /// are files already.
    #[serde(skip_serializing_if = "is_default")]
    pub extract: bool,
}

/// What becomes of tracks with a flag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Flagged {
    /// They are kept like others.
    #[default]
    Keep,
    /// They are dropped.
    Drop,
    /// All others are dropped.
    Only,
}

named!(Flagged, "choice of flagged tracks": Keep = "keep", Drop = "drop", Only = "only");
