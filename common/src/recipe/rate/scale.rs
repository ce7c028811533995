//! The encoders' own scales of constant quality.

use crate::recipe::encoder::{Codec, Encoder, EncoderKind};

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
