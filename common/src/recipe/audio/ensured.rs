//! Tracks that an output has in any case.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::unknown::UnknownName;
use crate::recipe::audio::AudioEncoder;
use crate::recipe::language::{Language, LanguageError};
use crate::recipe::rate::{Bitrate, BitrateError};

/// A track that an output has in any case. A command line says `ENCODER:CHANNELS[:BITRATE][:LANGUAGE]`, e.g.
/// `aac:2:160k:eng`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnsuredTrack {
    /// The encoder whose codec the track has.
    pub encoder: AudioEncoder,
    /// The number of channels, 1, 2 or 6; as many as the source has, if it has fewer.
    pub channels: u8,
    /// Bits per second; ffmpeg's default if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bitrate: Option<Bitrate>,
    /// The language; that of the first track if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
}

/// The text says nothing about a track.
#[derive(Debug, thiserror::Error)]
pub enum EnsuredTrackError {
    /// There is no encoder of that name.
    #[error(transparent)]
    Encoder(#[from] UnknownName),
    /// The number of channels is missing, or is none that can be made.
    #[error(
        "'{0}' is no track: expected ENCODER:CHANNELS[:BITRATE][:LANGUAGE] with 1, 2 or 6 channels, e.g. aac:2:160k:eng"
    )]
    Channels(String),
    /// A part is neither a bitrate nor a language.
    #[error(transparent)]
    Bitrate(#[from] BitrateError),
    /// The last part is no language.
    #[error(transparent)]
    Language(#[from] LanguageError),
}

impl FromStr for EnsuredTrack {
    type Err = EnsuredTrackError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let no_track = || EnsuredTrackError::Channels(text.to_owned());
        let mut parts = text.split(':').peekable();
        let encoder = parts.next().unwrap_or_default().parse()?;
        let channels = match parts.next() {
            Some("1" | "mono") => 1,
            Some("2" | "stereo") => 2,
            Some("6" | "5.1") => 6,
            _ => return Err(no_track()),
        };
        let is_bitrate = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
        let bitrate = parts.next_if(is_bitrate).map(str::parse).transpose()?;
        let language = parts.next().map(str::parse).transpose()?;
        match parts.next() {
            None => Ok(Self {
                encoder,
                channels,
                bitrate,
                language,
            }),
            Some(_) => Err(no_track()),
        }
    }
}

impl fmt::Display for EnsuredTrack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.encoder.name(), self.channels)?;
        if let Some(bitrate) = self.bitrate {
            write!(f, ":{bitrate}")?;
        }
        match &self.language {
            Some(language) => write!(f, ":{language}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ensured_tracks_are_read_as_people_write_them() {
        let read = |text: &str| {
            text.parse::<EnsuredTrack>()
                .map(|track| track.to_string())
                .map_err(|error| error.to_string())
        };
        for (text, meant) in [
            ("aac:2", "aac:2"),
            ("opus:stereo:96k", "libopus:2:96k"),
            ("ac3:5.1:eng", "ac3:6:eng"),
            ("aac:2:160k:pt-BR", "aac:2:160k:pt-br"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(meant));
        }
        for (text, why) in [
            ("aac", "1, 2 or 6 channels"),
            ("aac:3", "1, 2 or 6 channels"),
            ("aacs:2", "unknown audio encoder"),
            ("aac:2:160x", "no bitrate"),
            ("aac:2:english", "no language"),
            ("aac:2:160k:eng:deu", "1, 2 or 6 channels"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
