//! Constant quality: one scale for all encoders, and the encoders' own scales.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::encoder::{Codec, Encoder, EncoderKind};
use crate::recipe::rate::anchors;

/// Quality from 1 (smallest file) to 100 (best picture): the same number looks alike on all encoders, as measured by
/// VMAF and as far as their scales reach. 55 is libx264's CRF 23.
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
    /// The quality where one is needed and nobody asked for one: libx264's default.
    pub const USUAL: Self = Self(55);

    /// The value on the encoder's own scale of constant quality; `None` if it has none.
    pub fn on(self, encoder: &Encoder) -> Option<f64> {
        let scale = QualityScale::of(encoder)?;
        Some(anchors::value(f64::from(self.0), encoder, scale))
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

    pub(super) fn contains(self, value: f64) -> bool {
        (self.best.min(self.worst)..=self.best.max(self.worst)).contains(&value)
    }
}
