//! Bit depths that an encoder is known not to have. Stored recipes may ask for them, so this is checked when jobs are
//! submitted.

use crate::recipe::encoder::{Codec, Encoder, EncoderKind};
use crate::recipe::{BitDepth, VideoEncode};

/// The encoder has no such depth.
#[derive(Debug, thiserror::Error)]
#[error("{encoder} encodes {only} bits only: give --bit-depth {only}, or use {instead}")]
pub struct DepthError {
    encoder: Encoder,
    only: u8,
    instead: &'static str,
}

/// Refuses an encoder that is known not to have the depth that is asked for.
///
/// # Errors
/// The encoder does not have it; with a way out.
pub(super) fn check(video: &VideoEncode, encoder: &Encoder) -> Result<(), DepthError> {
    let refuse = |only: BitDepth, instead| {
        Err(DepthError {
            encoder: encoder.clone(),
            only: only.into(),
            instead,
        })
    };
    match video.bit_depth {
        Some(BitDepth::Ten) if is_shallow(encoder) => refuse(BitDepth::Eight, deep(encoder)),
        Some(BitDepth::Eight) if is_deep(encoder) => refuse(BitDepth::Ten, shallow(encoder)),
        _ => Ok(()),
    }
}

/// Whether no version of the encoder in wide use encodes more than 8 bits.
fn is_shallow(encoder: &Encoder) -> bool {
    match (encoder.codec(), encoder.kind()) {
        (Some(Codec::H264), EncoderKind::Software) => encoder.as_str() == "libopenh264",
        (Some(Codec::H264), _) => true,
        (Some(Codec::Hevc), EncoderKind::Software) => encoder.as_str() == "libkvazaar",
        (Some(Codec::Vp8 | Codec::Mpeg2video | Codec::Mpeg4 | Codec::Mjpeg), _) => true,
        _ => false,
    }
}

/// Whether no version of the encoder in wide use encodes 8 bits.
fn is_deep(encoder: &Encoder) -> bool {
    let makes = matches!(encoder.codec(), Some(Codec::Prores | Codec::Vvc));
    makes && encoder.kind() == EncoderKind::Software
}

/// Encoders with 10 bits, of the same codec if there are some.
fn deep(encoder: &Encoder) -> &'static str {
    match encoder.codec() {
        Some(Codec::H264) => "libx264, or an encoder of hevc",
        Some(Codec::Hevc) => "libx265",
        Some(Codec::Vp8) => "libvpx-vp9",
        _ => "libx265, libsvtav1 or libx264",
    }
}

/// Encoders with 8 bits, for the same purpose.
fn shallow(encoder: &Encoder) -> &'static str {
    match encoder.codec() {
        Some(Codec::Prores) => "dnxhd",
        _ => "libx265, libsvtav1 or libx264",
    }
}
