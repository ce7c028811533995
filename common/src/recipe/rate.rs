//! The rate of an encode: how much quality, or how many bits.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::encoder::{Codec, Encoder, EncoderKind};
use crate::recipe::error::RecipeError;

/// How much quality, or how many bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Rate {
    /// The encoder's own default.
    #[default]
    Default,
    /// Constant quality on the encoder's own scale (CRF, CQ, QP), where less is better.
    Crf(f64),
    /// Constant quality on one scale for all encoders.
    Quality(Quality),
    /// A mean number of bits per second.
    Bitrate(Bitrate),
}

/// Quality from 1 (smallest file) to 100 (best picture), the same for all encoders as far as their scales allow. 55
/// is libx264's CRF 23.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Quality(u8);

/// The number is out of range.
#[derive(Debug, thiserror::Error)]
#[error("quality '{0}' is out of range: 1 (smallest) to 100 (best)")]
pub struct QualityError(String);

impl TryFrom<u8> for Quality {
    type Error = QualityError;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        if (1..=100).contains(&number) {
            Ok(Self(number))
        } else {
            Err(QualityError(number.to_string()))
        }
    }
}

impl From<Quality> for u8 {
    fn from(quality: Quality) -> Self {
        quality.0
    }
}

impl FromStr for Quality {
    type Err = QualityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number: u8 = text.parse().map_err(|_| QualityError(text.to_owned()))?;
        number.try_into()
    }
}

impl Quality {
    /// The value on the encoder's own scale of constant quality.
    pub fn on(self, scale: QualityScale) -> f64 {
        let share = f64::from(self.0) / 100.0;
        scale.worst + (scale.best - scale.worst) * share
    }
}

/// An encoder's own scale of constant quality.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QualityScale {
    /// The number of the best picture.
    pub best: f64,
    /// The number of the smallest file.
    pub worst: f64,
}

impl QualityScale {
    /// The scale of an encoder; `None` if it has none, and takes a bitrate only.
    pub fn of(encoder: &Encoder) -> Option<Self> {
        let scale = |best, worst| Some(Self { best, worst });
        match (encoder.kind(), encoder.codec()?) {
            (EncoderKind::V4l2 | EncoderKind::Mediafoundation, _)
            | (_, Codec::Ffv1 | Codec::Dnxhd) => None,
            (EncoderKind::Apple, _) => scale(100.0, 1.0),
            (EncoderKind::Software, Codec::H264 | Codec::Hevc) => match encoder.as_str() {
                "libopenh264" | "libkvazaar" => None,
                _ => scale(0.0, 51.0),
            },
            (EncoderKind::Software, Codec::Av1) if encoder.as_str() == "librav1e" => {
                scale(0.0, 255.0)
            }
            (EncoderKind::Software, Codec::Av1 | Codec::Vp8 | Codec::Vp9 | Codec::Vvc) => {
                scale(0.0, 63.0)
            }
            (EncoderKind::Vaapi | EncoderKind::Vulkan, Codec::Av1 | Codec::Vp8 | Codec::Vp9)
            | (EncoderKind::Amd, Codec::Av1) => scale(0.0, 255.0),
            (_, Codec::Mpeg2video | Codec::Mpeg4 | Codec::Mjpeg | Codec::Prores) => {
                scale(1.0, 31.0)
            }
            _ => scale(0.0, 51.0),
        }
    }

    fn contains(self, value: f64) -> bool {
        (self.best.min(self.worst)..=self.best.max(self.worst)).contains(&value)
    }
}

impl Rate {
    /// The value on the encoder's own scale of constant quality; `None` if the rate is not a quality, or the encoder
    /// has no such scale.
    pub fn constant_quality(self, encoder: &Encoder) -> Option<f64> {
        match self {
            Self::Crf(value) => Some(value),
            Self::Quality(quality) => QualityScale::of(encoder).map(|scale| quality.on(scale)),
            Self::Default | Self::Bitrate(_) => None,
        }
    }

    /// Refuses a rate that has no meaning for the encoder.
    ///
    /// # Errors
    /// The encoder has no scale of constant quality, or the number is not on it.
    pub fn check(self, encoder: &Encoder) -> Result<(), RecipeError> {
        let refuse = |what: String, instead: String| {
            Err(RecipeError::Rate {
                encoder: encoder.clone(),
                what,
                instead,
            })
        };
        if encoder.codec().is_none() {
            return Ok(());
        }
        match (self, QualityScale::of(encoder)) {
            (Self::Default | Self::Bitrate(_), _) => Ok(()),
            (Self::Crf(_) | Self::Quality(_), None) => {
                refuse("constant quality".to_owned(), "--bitrate".to_owned())
            }
            (Self::Crf(value), Some(scale)) if !scale.contains(value) => refuse(
                format!("--crf {value}"),
                format!("{} (best) to {} (smallest)", scale.best, scale.worst),
            ),
            _ => Ok(()),
        }
    }
}

/// Bits per second. Read from `4M`, `2500k` or `128000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bitrate(u64);

/// The text is no bitrate.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no bitrate: expected e.g. 4M, 2500k or 128000 bits per second")]
pub struct BitrateError(String);

impl Bitrate {
    /// Bits per second.
    pub fn bits_per_second(self) -> u64 {
        self.0
    }
}

impl FromStr for Bitrate {
    type Err = BitrateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || BitrateError(text.to_owned());
        let (number, unit) = match text.strip_suffix(['k', 'K']) {
            Some(number) => (number, 1e3),
            None => match text.strip_suffix(['m', 'M']) {
                Some(number) => (number, 1e6),
                None => (text, 1.0),
            },
        };
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(error());
        }
        let bits = number.parse::<f64>().map_err(|_| error())? * unit;
        // Less than 1 kbit/s is a forgotten unit; more than 10 Gbit/s is a typing error.
        if (1e3..=1e10).contains(&bits) {
            Ok(Self(bits as u64))
        } else {
            Err(error())
        }
    }
}

impl TryFrom<String> for Bitrate {
    type Error = BitrateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Bitrate> for String {
    fn from(bitrate: Bitrate) -> Self {
        bitrate.to_string()
    }
}

impl fmt::Display for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bits if bits.is_multiple_of(1_000_000) => write!(f, "{}M", bits / 1_000_000),
            bits if bits.is_multiple_of(1_000) => write!(f, "{}k", bits / 1_000),
            bits => bits.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitrates_are_read_as_people_write_them() {
        let bits = |text: &str| {
            text.parse::<Bitrate>()
                .expect("a bitrate")
                .bits_per_second()
        };
        assert_eq!(bits("4M"), 4_000_000);
        assert_eq!(bits("2.5M"), 2_500_000);
        assert_eq!(bits("128k"), 128_000);
        for bad in ["abc", "", "5", "-4M", "4G", "4 M", "inf", "NaN", "+4M"] {
            assert!(bad.parse::<Bitrate>().is_err(), "{bad}");
        }
    }

    #[test]
    fn one_quality_is_at_the_same_share_of_every_scale() {
        let quality = Quality::try_from(55).expect("in range");
        let on = |encoder: &str| {
            Rate::Quality(quality)
                .constant_quality(&encoder.parse().expect("a name"))
                .map(f64::round)
        };
        assert_eq!(on("libx264"), Some(23.0));
        assert_eq!(on("libsvtav1"), Some(28.0));
        assert_eq!(on("hevc_videotoolbox"), Some(55.0));
        assert_eq!(on("h264_v4l2m2m"), None);
    }

    #[test]
    fn a_number_off_the_scale_is_refused() {
        let encoder: Encoder = "libx265".parse().expect("a name");
        assert!(Rate::Crf(52.0).check(&encoder).is_err());
        assert!(Rate::Crf(f64::NAN).check(&encoder).is_err());
        assert!(Rate::Crf(28.0).check(&encoder).is_ok());
    }
}
