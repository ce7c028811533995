//! Which audio tracks an output has, and how single tracks are made.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::audio::{AudioEncoder, Downmix, EnsuredTrack, Loudness};
use crate::recipe::language::Language;
use crate::recipe::named::written_as_text;
use crate::recipe::rate::Bitrate;

/// Which audio tracks an output has, and how single tracks are made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AudioTracks {
    /// Tracks in other languages are dropped; the output's tracks are in the order of this list. If no track is in any
    /// of them, the first track stays. Empty: every track.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Language>,
    /// The first rule that a track matches decides about it, in place of the recipe's `audio`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<AudioRule>,
    /// Tracks that the output has in any case: made of the best track if no track is like them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ensure: Vec<EnsuredTrack>,
    /// How the channels of encoded tracks become fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downmix: Option<Downmix>,
    /// The loudness of encoded tracks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub loudness: Option<Loudness>,
}

impl AudioTracks {
    /// Whether single tracks are chosen or added, so that the output needs a default track of its own.
    pub fn has_choice(&self) -> bool {
        !(self.languages.is_empty() && self.rules.is_empty() && self.ensure.is_empty())
    }
}

/// What becomes of tracks of one kind. A property that is not given matches every track.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AudioRule {
    /// The track is in one of these languages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub languages: Vec<Language>,
    /// The track has one of these codecs, by ffmpeg's names.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codecs: Vec<String>,
    /// The track has so many channels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Channels>,
    /// Whether the track is a commentary, by its flag or its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commentary: Option<bool>,
    /// The track's title, with `*` for any text; capital letters do not count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What is made of the track, in this order; nothing drops it.
    pub outputs: Vec<AudioOutput>,
}

/// One track that is made of a track.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum AudioOutput {
    /// Its copy; in a container that cannot hold it, what the recipe's `audio` says, or else AAC or Opus.
    Copy,
    /// An encode.
    Encode {
        /// ffmpeg's encoder.
        encoder: AudioEncoder,
        /// Bits per second; ffmpeg's default if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bitrate: Option<Bitrate>,
        /// How its channels become fewer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        downmix: Option<Downmix>,
        /// Its loudness.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        loudness: Option<Loudness>,
        /// Its title; the source's if not given.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
}

/// Numbers of channels: `2`, `6+`, `1-2`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Channels {
    least: u32,
    most: Option<u32>,
}

/// The text is no number of channels.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no number of channels: expected e.g. 2, 6+ or 1-2")]
pub struct ChannelsError(String);

impl Channels {
    /// Whether the number is one of these.
    pub fn hold(self, channels: u32) -> bool {
        channels >= self.least && self.most.is_none_or(|most| channels <= most)
    }
}

impl FromStr for Channels {
    type Err = ChannelsError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ChannelsError(text.to_owned());
        let number = |text: &str| {
            text.parse()
                .ok()
                .filter(|n| (1..=255).contains(n))
                .ok_or_else(error)
        };
        let (least, most) = match (text.strip_suffix('+'), text.split_once('-')) {
            (Some(least), _) => (number(least)?, None),
            (None, Some((least, most))) => (number(least)?, Some(number(most)?)),
            (None, None) => (number(text)?, Some(number(text)?)),
        };
        if most.is_some_and(|most| most < least) {
            return Err(error());
        }
        Ok(Self { least, most })
    }
}

impl fmt::Display for Channels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.most {
            None => write!(f, "{}+", self.least),
            Some(most) if most == self.least => most.fmt(f),
            Some(most) => write!(f, "{}-{most}", self.least),
        }
    }
}

written_as_text!(Channels, ChannelsError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_channels_are_read_as_people_write_them() {
        for text in ["2", "6+", "1-2"] {
            assert_eq!(
                text.parse::<Channels>().expect("channels").to_string(),
                text
            );
        }
        let many: Channels = "6+".parse().expect("channels");
        assert!(many.hold(8) && !many.hold(2));
        for bad in ["", "0", "+", "2-1", "-2", "stereo"] {
            assert!(bad.parse::<Channels>().is_err(), "{bad}");
        }
    }
}
