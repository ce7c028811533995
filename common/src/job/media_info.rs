//! Probed facts about a media file, by which people compare files.

use serde::{Deserialize, Serialize};

use crate::wire;

/// Most tracks that are listed for a file: a hostile file may have thousands.
pub const MOST_TRACKS: usize = 32;

/// The content of a media file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct MediaInfo {
    /// ffmpeg's name of the demuxer, e.g. `matroska,webm`.
    pub format: String,
    /// Length in seconds, if the file states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// The file's first video, audio and subtitle tracks, in the file's order.
    pub tracks: Vec<TrackInfo>,
}

impl wire::Message for MediaInfo {}

impl MediaInfo {
    /// The codec of the film.
    pub fn film_codec(&self) -> Option<&str> {
        self.tracks.iter().find_map(|track| match track {
            TrackInfo::Video { codec, .. } => Some(codec.as_str()),
            _ => None,
        })
    }

    /// The pixels of all frames of the film, if the file tells its length and rate.
    pub fn film_pixels(&self) -> Option<f64> {
        let length = self.duration?;
        self.tracks.iter().find_map(|track| match track {
            TrackInfo::Video {
                width, height, fps, ..
            } => Some(length * (*fps)? * f64::from(*width) * f64::from(*height)),
            _ => None,
        })
    }
}

/// The content of a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum TrackInfo {
    /// Moving pictures, or a cover.
    Video {
        /// ffmpeg's name of the codec; empty if ffmpeg does not know it.
        codec: String,
        /// Width in pixels, as a player shows it.
        width: u32,
        /// Height in pixels, as a player shows it.
        height: u32,
        /// Mean frames per second, if known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fps: Option<f64>,
        /// Bits per sample.
        depth: u8,
    },
    /// Sound.
    Audio {
        /// ffmpeg's name of the codec; empty if ffmpeg does not know it.
        codec: String,
        /// Number of channels.
        channels: u32,
        /// Language tag of the track.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
    /// Subtitles.
    Subtitles {
        /// ffmpeg's name of the format; empty if ffmpeg does not know it.
        codec: String,
        /// Language tag of the track.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
}
