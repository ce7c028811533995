//! What becomes of subtitles and of closed captions.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::unknown::UnknownName;

/// What becomes of subtitles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subtitles {
    /// Every track, in the form that the container holds.
    #[default]
    Keep,
    /// No track.
    None,
}

/// What becomes of closed captions (CEA-608, CEA-708), which lie inside the video and not in a track of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Captions {
    /// They stay inside the video where the encoder writes them.
    #[default]
    Keep,
    /// They become a subtitle track as well.
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
