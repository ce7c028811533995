//! What a media file holds, as far as people compare one file with another by it.

use serde::{Deserialize, Serialize};

/// Tracks that are told of a file, at the most: a hostile one may have thousands.
pub const MOST_TRACKS: usize = 32;

/// What a media file holds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MediaInfo {
    /// ffmpeg's name of the demuxer, e.g. `matroska,webm`.
    pub format: String,
    /// Length in seconds, where the file says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// The first of its video, audio and subtitle tracks, in the file's order.
    pub tracks: Vec<TrackInfo>,
}

/// What a track holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrackInfo {
    /// Moving pictures, or a cover.
    Video {
        /// ffmpeg's name of the codec; empty where it knows none.
        codec: String,
        /// Pixels across, as a player shows it.
        width: u32,
        /// Pixels down, as a player shows it.
        height: u32,
        /// Mean frames per second, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fps: Option<f64>,
        /// Bits per sample.
        depth: u8,
    },
    /// Sound.
    Audio {
        /// ffmpeg's name of the codec; empty where it knows none.
        codec: String,
        /// Channels.
        channels: u32,
        /// Language, as the file says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
    /// Subtitles.
    Subtitles {
        /// ffmpeg's name of the form; empty where it knows none.
        codec: String,
        /// Language, as the file says it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        language: Option<String>,
    },
}
