//! The most bits per second, and which encoders keep to it.

use crate::recipe::encoder::{Codec, Encoder, EncoderKind};
use crate::recipe::rate::Rate;

/// The rates at which an encoder keeps to a maximum of bits per second. Software encoders that miss it, although they
/// have an option for it, are counted as [`Peak::Never`]: a clip of two calm scenes around a noisy one tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peak {
    /// At none.
    Never,
    /// At a constant quality.
    Quality,
    /// At a mean bitrate.
    Bitrate,
    /// At both.
    Both,
}

impl Peak {
    pub(super) fn of(encoder: &Encoder) -> Self {
        match (encoder.kind(), encoder.as_str()) {
            (_, "libx264" | "libx265" | "mpeg4" | "mpeg2video") => Self::Both,
            (_, "libsvtav1" | "libvpx") => Self::Quality,
            (EncoderKind::Nvidia | EncoderKind::Intel | EncoderKind::Vaapi, _)
                if encoder.codec() != Some(Codec::Mjpeg) =>
            {
                Self::Both
            }
            (EncoderKind::Amd | EncoderKind::Vulkan, _) => Self::Bitrate,
            (EncoderKind::Apple, _) if encoder.codec() != Some(Codec::Prores) => Self::Bitrate,
            _ => Self::Never,
        }
    }

    /// Whether the encoder keeps to a maximum at this rate. Without another rate, a maximum stands beside a quality.
    pub(super) fn holds_at(self, rate: Rate) -> bool {
        match rate {
            Rate::Lossless => false,
            Rate::Bitrate(_) | Rate::Size(_) => matches!(self, Self::Bitrate | Self::Both),
            Rate::Default | Rate::Crf(_) | Rate::Quality(_) | Rate::Target(_) => {
                matches!(self, Self::Quality | Self::Both)
            }
        }
    }
}
