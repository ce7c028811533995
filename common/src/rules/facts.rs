//! Facts: what a condition can ask about one file.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::names::location::Location;
use crate::wire::is_default;

/// What is known about a file from its store and from a probe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Facts {
    /// Where the file is.
    pub location: Location,
    /// Bytes of the file.
    pub size: u64,
    /// When the file was last changed, if its store says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>, format = DateTime))]
    pub modified: Option<Timestamp>,
    /// Names that the file has on its disk; `None` in stores without such a thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_links: Option<u64>,
    /// ffmpeg's name of the demuxer, e.g. `matroska,webm`.
    pub container: String,
    /// Seconds, if the file states them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// Bits per second of the whole file, if its duration is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<u64>,
    /// The first video that is no cover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<VideoFacts>,
    /// The audio tracks, in the file's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audio: Vec<AudioFacts>,
    /// The subtitle tracks, in the file's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subtitles: Vec<SubtitleFacts>,
}

/// What the store of a file says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredFile {
    /// Where the file is.
    pub location: Location,
    /// Bytes of the file.
    pub size: u64,
    /// When the file was last changed, if its store says so.
    pub modified: Option<Timestamp>,
    /// Names that the file has on its disk; `None` in stores without such a thing.
    pub hard_links: Option<u64>,
}

/// A video track.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VideoFacts {
    /// ffmpeg's name of the codec; empty if ffmpeg does not know it.
    pub codec: String,
    /// Width in pixels, as a player shows it.
    pub width: u32,
    /// Height in pixels, as a player shows it.
    pub height: u32,
    /// Mean frames per second, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fps: Option<f64>,
    /// Bits per sample.
    pub depth: u8,
    /// Bits per second: as the file states them, or else what the file's bitrate leaves after the stated bitrates of
    /// the other tracks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<u64>,
    /// The kinds of high dynamic range that it has.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub hdr: BTreeSet<HdrKind>,
    /// Whether the first frames are interlaced.
    #[serde(default, skip_serializing_if = "is_default")]
    pub interlaced: bool,
}

/// An audio track.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AudioFacts {
    /// ffmpeg's name of the codec; empty if ffmpeg does not know it.
    pub codec: String,
    /// Number of channels.
    pub channels: u32,
    /// Language tag of the track, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// A subtitle track.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubtitleFacts {
    /// ffmpeg's name of the format; empty if ffmpeg does not know it.
    pub codec: String,
    /// Language tag of the track, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// A kind of high dynamic range. A video may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum HdrKind {
    /// The transfer function is PQ.
    Pq,
    /// PQ with static metadata.
    Hdr10,
    /// Dynamic metadata of HDR10+.
    Hdr10plus,
    /// Dolby Vision of any profile.
    DolbyVision,
    /// The transfer function is hybrid log-gamma.
    Hlg,
}

impl HdrKind {
    /// The name of the kind, as in conditions.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pq => "pq",
            Self::Hdr10 => "hdr10",
            Self::Hdr10plus => "hdr10plus",
            Self::DolbyVision => "dolby_vision",
            Self::Hlg => "hlg",
        }
    }
}

impl Facts {
    /// The one name of the container; `None` if it is unknown. ffmpeg's demuxers have several names, and the one of
    /// Matroska does not tell WebM: the name of the file does.
    pub fn container_name(&self) -> Option<String> {
        let name = self.location.name();
        let extension = Path::new(&name).extension();
        let is_webm = extension.is_some_and(|extension| extension.eq_ignore_ascii_case("webm"));
        let mut names = self.container.split(',');
        let first = names.next().filter(|first| !first.is_empty())?;
        Some(match first {
            "matroska" if is_webm => "webm".to_owned(),
            "mov" => "mp4".to_owned(),
            first => first.to_ascii_lowercase(),
        })
    }
}
