//! What a recipe does with subtitles and closed captions: with all tracks here, with single tracks in
//! [`SubtitleTracks`].

mod burn_in;
mod error;
mod tracks;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::unknown::UnknownName;

pub use burn_in::{BurnIn, BurnInError};
pub use error::SubtitlesError;
pub use tracks::{Flagged, SubtitleTracks};

/// What to do with the subtitle tracks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Subtitles {
    /// Keep every track, in a format that the container holds.
    #[default]
    Keep,
    /// Keep no track.
    None,
}

/// What to do with closed captions (CEA-608, CEA-708), which are inside the video and not in a track of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Captions {
    /// Keep them inside the video, if the encoder can write them.
    #[default]
    Keep,
    /// Also make a subtitle track of them.
    Srt,
}

/// `keep` or `srt`.
impl FromStr for Captions {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keep" | "copy" => Ok(Self::Keep),
            "srt" => Ok(Self::Srt),
            _ => Err(UnknownName::new(
                "choice of captions",
                text,
                &["keep", "srt"],
            )),
        }
    }
}

/// `keep` or `none`.
impl FromStr for Subtitles {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keep" | "copy" => Ok(Self::Keep),
            "none" => Ok(Self::None),
            _ => Err(UnknownName::new(
                "choice of subtitles",
                text,
                &["keep", "none"],
            )),
        }
    }
}
