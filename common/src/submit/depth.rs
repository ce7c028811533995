//! Bit depths that an encoder is known not to have. Stored recipes may ask for them, so this is checked when jobs are
//! submitted.

use crate::recipe::encoder::{Codec, Encoder, EncoderKind};
use crate::recipe::{BitDepth, Recipe};

/// The encoder has no such depth.
#[derive(Debug, thiserror::Error)]
#[error("{encoder} encodes 8 bits only: give --bit-depth 8, or use {instead}")]
pub struct DepthError {
    encoder: Encoder,
    instead: &'static str,
}

/// Refuses recipes that ask an encoder for a depth that it is known not to have.
///
/// # Errors
/// The first such encoder, with a way out.
pub fn check(recipe: &Recipe) -> Result<(), DepthError> {
    let Some(video) = recipe.video_encode() else {
        return Ok(());
    };
    if video.bit_depth != Some(BitDepth::Ten) {
        return Ok(());
    }
    match video.with.encoders().iter().find(|one| is_shallow(one)) {
        Some(encoder) => Err(DepthError {
            encoder: encoder.clone(),
            instead: deep(encoder),
        }),
        None => Ok(()),
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

/// Encoders with 10 bits, of the same codec if there are some.
fn deep(encoder: &Encoder) -> &'static str {
    match encoder.codec() {
        Some(Codec::H264) => "libx264, or an encoder of hevc",
        Some(Codec::Hevc) => "libx265",
        Some(Codec::Vp8) => "libvpx-vp9",
        _ => "libx265, libsvtav1 or libx264",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{Choice, VideoEncode};

    #[test]
    fn ten_bits_of_an_encoder_of_eight_are_refused_with_a_way_out() {
        let check = |encoder: &str| {
            let mut video = VideoEncode::new(Choice::Encoder(encoder.parse().expect("a name")));
            video.bit_depth = Some(BitDepth::Ten);
            check(&Recipe::encode(video).expect("sound")).map_err(|error| error.to_string())
        };
        for encoder in [
            "libx264",
            "libx265",
            "hevc_nvenc",
            "libvpx-vp9",
            "prores_ks",
            "my_own",
        ] {
            assert_eq!(check(encoder), Ok(()), "{encoder}");
        }
        for (encoder, way_out) in [
            ("libopenh264", "libx264"),
            ("h264_nvenc", "--bit-depth 8"),
            ("h264_qsv", "hevc"),
            ("h264_vaapi", "hevc"),
            ("h264_videotoolbox", "hevc"),
            ("mpeg4", "libx265"),
            ("mpeg2video", "libx265"),
            ("libvpx", "libvpx-vp9"),
            ("libkvazaar", "libx265"),
        ] {
            let error = check(encoder).expect_err(encoder);
            assert!(error.contains(way_out), "{error}");
        }
    }
}
