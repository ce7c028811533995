//! What a recipe does with audio: with all tracks here, with single tracks in [`AudioTracks`].

mod check;
mod downmix;
mod ensured;
mod loudness;
mod tracks;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::unknown::UnknownName;
use crate::recipe::rate::{Bitrate, BitrateError};

pub use check::AudioTracksError;
pub(super) use check::check;
pub use downmix::Downmix;
pub use ensured::{EnsuredTrack, EnsuredTrackError};
pub use loudness::{Loudness, LoudnessError};
pub use tracks::{AudioOutput, AudioRule, AudioTracks, Channels, ChannelsError};

/// What to do with the audio tracks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Audio {
    /// Copy every track.
    #[default]
    Copy,
    /// Keep no track.
    None,
    /// Copy every track that the container can hold, and encode the others.
    CopyElse {
        /// ffmpeg's encoder.
        encoder: AudioEncoder,
        /// Bits per second and track; ffmpeg's default if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bitrate: Option<Bitrate>,
    },
    /// Encode every track.
    Encode {
        /// ffmpeg's encoder.
        encoder: AudioEncoder,
        /// Bits per second and track; ffmpeg's default if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bitrate: Option<Bitrate>,
    },
}

/// The audio encoders that recipes may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[allow(missing_docs)]
pub enum AudioEncoder {
    Aac,
    LibfdkAac,
    Libmp3lame,
    Libopus,
    Libvorbis,
    Flac,
    Ac3,
    Eac3,
}

impl AudioEncoder {
    /// Every audio encoder.
    pub const ALL: [Self; 8] = [
        Self::Aac,
        Self::LibfdkAac,
        Self::Libmp3lame,
        Self::Libopus,
        Self::Libvorbis,
        Self::Flac,
        Self::Ac3,
        Self::Eac3,
    ];

    /// ffmpeg's name of the encoder.
    pub fn name(self) -> &'static str {
        match self {
            Self::Aac => "aac",
            Self::LibfdkAac => "libfdk_aac",
            Self::Libmp3lame => "libmp3lame",
            Self::Libopus => "libopus",
            Self::Libvorbis => "libvorbis",
            Self::Flac => "flac",
            Self::Ac3 => "ac3",
            Self::Eac3 => "eac3",
        }
    }

    /// ffmpeg's name of the codec that it makes.
    pub fn codec(self) -> &'static str {
        match self {
            Self::Aac | Self::LibfdkAac => "aac",
            Self::Libmp3lame => "mp3",
            Self::Libopus => "opus",
            Self::Libvorbis => "vorbis",
            Self::Flac => "flac",
            Self::Ac3 => "ac3",
            Self::Eac3 => "eac3",
        }
    }
}

impl FromStr for AudioEncoder {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = match text {
            "opus" => "libopus",
            "mp3" => "libmp3lame",
            "vorbis" => "libvorbis",
            other => other,
        };
        Self::ALL
            .into_iter()
            .find(|encoder| encoder.name() == name)
            .ok_or_else(|| UnknownName::new("audio encoder", text, &Self::ALL.map(Self::name)))
    }
}

/// `copy`, `copy,else=CODEC[:BITRATE]`, `none`, `CODEC` or `CODEC:BITRATE`.
impl FromStr for Audio {
    type Err = AudioError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(instead) = text.strip_prefix("copy,else=") {
            let (encoder, bitrate) = encoding(instead)?;
            return Ok(Self::CopyElse { encoder, bitrate });
        }
        Ok(match text {
            "copy" => Self::Copy,
            "none" => Self::None,
            _ => {
                let (encoder, bitrate) = encoding(text)?;
                Self::Encode { encoder, bitrate }
            }
        })
    }
}

/// `CODEC` or `CODEC:BITRATE`.
fn encoding(text: &str) -> Result<(AudioEncoder, Option<Bitrate>), AudioError> {
    Ok(match text.split_once(':') {
        None => (text.parse()?, None),
        Some((encoder, bitrate)) => (encoder.parse()?, Some(bitrate.parse()?)),
    })
}

/// The text says nothing about audio.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The text is neither `copy`, `none` nor an encoder.
    #[error("{0} (or copy, or none)")]
    Encoder(#[from] UnknownName),
    /// The part after the colon is no bitrate.
    #[error(transparent)]
    Bitrate(#[from] BitrateError),
}
