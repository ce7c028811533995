//! File formats, and what each can hold.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownName;
use crate::encoder::Codec;

/// The file format of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Container {
    /// Matroska: holds every codec and every kind of track.
    #[default]
    Mkv,
    /// MP4.
    Mp4,
    /// QuickTime.
    Mov,
    /// WebM: VP8, VP9 and AV1 with Opus or Vorbis.
    Webm,
}

impl Container {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Mkv, Self::Mp4, Self::Mov, Self::Webm];

    /// File name extension, and the name that people type.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mkv => "mkv",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Webm => "webm",
        }
    }

    /// ffmpeg's name of the muxer.
    pub fn muxer(self) -> &'static str {
        match self {
            Self::Mkv => "matroska",
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Webm => "webm",
        }
    }

    /// Whether it can hold video of the codec.
    pub fn holds_video(self, codec: Codec) -> bool {
        match self {
            Self::Mkv => true,
            Self::Webm => matches!(codec, Codec::Vp8 | Codec::Vp9 | Codec::Av1),
            Self::Mp4 => !matches!(
                codec,
                Codec::Vp8 | Codec::Prores | Codec::Dnxhd | Codec::Ffv1
            ),
            Self::Mov => !matches!(
                codec,
                Codec::Vp8 | Codec::Vp9 | Codec::Av1 | Codec::Vvc | Codec::Ffv1
            ),
        }
    }

    /// Whether it can hold audio of the codec, by ffmpeg's name.
    pub fn holds_audio(self, codec: &str) -> bool {
        match self {
            Self::Mkv => true,
            Self::Webm => matches!(codec, "opus" | "vorbis"),
            Self::Mp4 => matches!(
                codec,
                "aac"
                    | "mp3"
                    | "mp2"
                    | "ac3"
                    | "eac3"
                    | "opus"
                    | "flac"
                    | "alac"
                    | "dts"
                    | "truehd"
                    | "vorbis"
            ),
            Self::Mov => {
                matches!(codec, "aac" | "mp3" | "ac3" | "eac3" | "alac")
                    || codec.starts_with("pcm_")
            }
        }
    }
}

impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.extension())
    }
}

impl FromStr for Container {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = if text == "matroska" { "mkv" } else { text };
        Self::ALL
            .into_iter()
            .find(|container| container.extension() == name)
            .ok_or_else(|| UnknownName::new("container", text, &Self::ALL.map(Self::extension)))
    }
}
