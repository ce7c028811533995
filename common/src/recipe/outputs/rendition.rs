//! Renditions: sizes in which one source is encoded several times.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::RecipeDraft;
use crate::recipe::named::written_as_text;
use crate::recipe::picture::{Scale, ScaleError};
use crate::recipe::rate::{Bitrate, BitrateError, Rate};
use crate::recipe::video::Video;

/// A size of the picture, and the bits per second for it: `1080p`, `720p:3M`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rendition {
    /// The size.
    pub scale: Scale,
    /// The mean bits per second of the video. With a recipe that asks for a quality, the most bits per second.
    pub bitrate: Option<Bitrate>,
}

/// Why a rendition is refused.
#[derive(Debug, thiserror::Error)]
pub enum RenditionError {
    /// The text is no rendition.
    #[error(
        "'{text}' is no rendition: expected a size such as 1080p, or with bits per second, 720p:3M ({error})"
    )]
    Scale {
        /// The text.
        text: String,
        /// What is wrong with the size.
        error: ScaleError,
    },
    /// The part after the colon is no bitrate.
    #[error(
        "'{text}' is no rendition: expected a size such as 1080p, or with bits per second, 720p:3M ({error})"
    )]
    Bitrate {
        /// The text.
        text: String,
        /// What is wrong with the bitrate.
        error: BitrateError,
    },
    /// The recipe does not encode video.
    #[error("it needs a recipe that encodes video: name an encoder or a codec")]
    NoEncode,
    /// The rendition names a bitrate, and the recipe encodes without loss.
    #[error("a lossless encode has no bitrate: leave {0} out, or choose another rate")]
    Lossless(Bitrate),
}

impl Rendition {
    /// Changes a recipe to this size and bitrate. A recipe that asks for a quality keeps asking for it, with the bitrate
    /// as the most, and so does one with nothing but a maximum, which stands beside a quality; the peak of a recipe with a bitrate is changed in proportion.
    ///
    /// # Errors
    /// The recipe does not encode video, or encodes without loss to a bitrate.
    pub fn apply(&self, recipe: &mut RecipeDraft) -> Result<(), RenditionError> {
        let Video::Encode(encode) = &mut recipe.video else {
            return Err(RenditionError::NoEncode);
        };
        encode.scale = Some(self.scale);
        let Some(bitrate) = self.bitrate else {
            return Ok(());
        };
        match encode.effective_rate() {
            Rate::Lossless => return Err(RenditionError::Lossless(bitrate)),
            Rate::Crf(_) | Rate::Quality(_) | Rate::Target(_) => encode.max_bitrate = Some(bitrate),
            Rate::Bitrate(mean) => {
                encode.max_bitrate = encode
                    .max_bitrate
                    .map(|most| bitrate.in_proportion(most, mean));
                encode.rate = Rate::Bitrate(bitrate);
            }
            Rate::Default | Rate::Size(_) => encode.rate = Rate::Bitrate(bitrate),
        }
        Ok(())
    }
}

impl FromStr for Rendition {
    type Err = RenditionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (scale, bitrate) = match text.split_once(':') {
            Some((scale, bitrate)) => (scale, Some(bitrate)),
            None => (text, None),
        };
        Ok(Self {
            scale: scale.parse().map_err(|error| RenditionError::Scale {
                text: text.to_owned(),
                error,
            })?,
            bitrate: bitrate.map(str::parse).transpose().map_err(|error| {
                RenditionError::Bitrate {
                    text: text.to_owned(),
                    error,
                }
            })?,
        })
    }
}

impl fmt::Display for Rendition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.scale.fmt(f)?;
        match self.bitrate {
            Some(bitrate) => write!(f, ":{bitrate}"),
            None => Ok(()),
        }
    }
}

written_as_text!(Rendition, RenditionError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::encoder::Codec;
    use crate::recipe::{Choice, VideoEncode};

    fn applied(rendition: &str, rate: Rate, most: Option<&str>) -> (Rate, Option<String>) {
        let mut encode = VideoEncode::new(Choice::Codec(Codec::H264));
        encode.rate = rate;
        encode.max_bitrate = most.map(|most| most.parse().expect("a bitrate"));
        let mut draft = RecipeDraft::new(Video::Encode(Box::new(encode)));
        let rendition: Rendition = rendition.parse().expect("a rendition");
        rendition.apply(&mut draft).expect("it fits");
        let encode = draft.video_encode().expect("an encode");
        assert_eq!(encode.scale, Some(rendition.scale));
        (encode.rate, encode.max_bitrate.map(|most| most.to_string()))
    }

    #[test]
    fn renditions_are_read_as_people_write_them() {
        for text in ["1080p", "720p:3M", "1280x-2:2500k", "640x360"] {
            let read: Rendition = text.parse().expect("a rendition");
            assert_eq!(read.to_string(), text);
        }
        for bad in ["", "720", "720p:", "720p:fast", ":3M", "720p:3M:1M", "721p"] {
            let error = bad.parse::<Rendition>().expect_err(bad).to_string();
            assert!(error.contains("is no rendition"), "{error}");
        }
    }

    #[test]
    fn a_bitrate_is_the_mean_or_caps_a_quality() {
        let bitrate = |text: &str| Rate::Bitrate(text.parse().expect("a bitrate"));
        assert_eq!(
            applied("720p:3M", Rate::Crf(22.0), Some("9M")),
            (Rate::Crf(22.0), Some("3M".to_owned()))
        );
        assert_eq!(
            applied("720p:3M", bitrate("6M"), Some("9M")),
            (bitrate("3M"), Some("4500k".to_owned()))
        );
        assert_eq!(
            applied("720p:3M", Rate::Default, None),
            (bitrate("3M"), None)
        );
        assert_eq!(
            applied("720p:3M", Rate::Default, Some("2M")),
            (Rate::Default, Some("3M".to_owned()))
        );
        assert_eq!(
            applied("720p", bitrate("6M"), Some("9M")),
            (bitrate("6M"), Some("9M".to_owned()))
        );
    }
}
