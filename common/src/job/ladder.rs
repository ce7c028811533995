//! Ladders for adaptive streaming (HLS and DASH): one source in several renditions, each made by a job of its own, and
//! a master playlist that names them all.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::names::location::Location;

/// A job's place in a ladder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ladder {
    /// The location of the HLS master playlist (`film.m3u8`). The DASH manifest is beside it (`film.mpd`).
    pub master: Location,
    /// The outputs of all the ladder's jobs, this one included, in the order of the renditions.
    pub members: Vec<Location>,
}

impl Ladder {
    /// Each of these ladders once, by name. A job names the ladder to which it belongs, so many jobs name the same one.
    pub fn each<'a>(named: impl IntoIterator<Item = &'a Self>) -> Vec<Self> {
        let named = named.into_iter().map(|ladder| (&ladder.master, ladder));
        let ladders: BTreeMap<&Location, &Self> = named.collect();
        ladders.into_values().cloned().collect()
    }

    /// The location of the DASH manifest.
    pub fn manifest(&self) -> Location {
        let name = self.master.name();
        let stem = name.strip_suffix(".m3u8").unwrap_or(&name);
        self.master.sibling(&format!("{stem}.mpd"))
    }
}

/// What a player needs to know of one stream of a ladder. A stream is one file, with a playlist beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LadderStream {
    /// The location of the stream's file: fragmented MP4, or WebVTT.
    pub file: Location,
    /// The location of its HLS media playlist.
    pub playlist: Location,
    /// What the stream shows or plays.
    pub kind: LadderStreamKind,
    /// Its codec as RFC 6381 says it, e.g. `hvc1.2.4.L93.B0` or `wvtt`.
    pub codecs: String,
    /// Bits per second of the segment with the most.
    pub peak: u64,
    /// Mean bits per second.
    pub average: u64,
    /// Length in seconds.
    pub duration: f64,
    /// Where a player finds the segments; `None` for a file that players read whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segments: Option<SegmentIndex>,
}

impl LadderStream {
    /// Whether the stream is sound.
    pub fn is_sound(&self) -> bool {
        matches!(self.kind, LadderStreamKind::Sound { .. })
    }

    /// Whether the stream is subtitles.
    pub fn is_text(&self) -> bool {
        matches!(self.kind, LadderStreamKind::Subtitles { .. })
    }

    /// The language and the title of sound or subtitles, as far as they are known.
    pub fn called(&self) -> (Option<&str>, Option<&str>) {
        match &self.kind {
            LadderStreamKind::Sound {
                language, title, ..
            }
            | LadderStreamKind::Subtitles {
                language, title, ..
            } => (language.as_deref(), title.as_deref()),
            LadderStreamKind::Video { .. } => (None, None),
        }
    }
}

/// Where a player finds the segments of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SegmentIndex {
    /// The part of the file that a player reads first (`ftyp` and `moov`).
    pub initialization: ByteRange,
    /// The part of the file that lists its segments (`sidx`).
    pub index: ByteRange,
    /// Seconds of the longest segment.
    pub longest: f64,
}

/// What a stream of a ladder is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum LadderStreamKind {
    /// Moving pictures.
    Video {
        /// Pixels of a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Frames per second, if the rate is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        frame_rate: Option<Fraction>,
        /// The dynamic range.
        range: VideoRange,
    },
    /// Sound.
    Sound {
        /// The language as BCP 47 says it, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// The track's title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// Number of channels.
        channels: u32,
        /// Samples per second.
        sample_rate: u32,
        /// Whether players choose the track by themselves.
        default: bool,
    },
    /// Text, in a WebVTT file.
    Subtitles {
        /// The language as BCP 47 says it, if it is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
        /// The track's title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// Whether the text is only for parts in another language.
        forced: bool,
        /// Whether players choose the track by themselves.
        default: bool,
    },
}

/// The dynamic range of video, by its transfer function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum VideoRange {
    /// Standard dynamic range.
    Sdr,
    /// HDR10 and its relatives (SMPTE ST 2084).
    Pq,
    /// Hybrid log-gamma.
    Hlg,
}

/// A fraction, e.g. 30000/1001 frames per second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Fraction {
    /// The part above.
    pub numerator: u32,
    /// The part below; not 0.
    pub denominator: u32,
}

/// A part of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ByteRange {
    /// Where it begins.
    pub offset: u64,
    /// Bytes of it; not 0.
    pub length: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_is_beside_the_master_playlist() {
        let master = Location::s3("media", "out/a film.v2.m3u8").expect("a location");
        let ladder = Ladder {
            master,
            members: Vec::new(),
        };
        assert_eq!(ladder.manifest().key(), "out/a film.v2.mpd");
    }
}
