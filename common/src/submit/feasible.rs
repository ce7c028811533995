//! Recipes that cannot be followed. Stored recipes may be such, so this is checked when jobs are submitted.

use crate::recipe::encoder::{Codec, Encoder};
use crate::recipe::{BoundsError, Choice, Recipe, RecipeError, VideoEncode};
use crate::submit::depth::{self, DepthError};

/// A recipe cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum Infeasible {
    /// Sources are to be enlarged, to no size.
    #[error(
        "--scale-up enlarges sources to the size of --scale: give that too, or leave --scale-up out"
    )]
    ScaleUp,
    /// A filter or an argument asks for too much.
    #[error(transparent)]
    Bounds(#[from] BoundsError),
    /// A named encoder does not have the bit depth.
    #[error(transparent)]
    Depth(#[from] DepthError),
    /// No encoder of the codec can do it.
    #[error("no {codec} encoder can do that; {why}")]
    Codec {
        /// The codec asked for.
        codec: Codec,
        /// Why its usual encoder cannot.
        why: Box<Inability>,
    },
}

/// Why an encoder cannot do what a recipe asks for.
#[derive(Debug, thiserror::Error)]
pub enum Inability {
    /// It cannot follow the rate, the speed or the preset.
    #[error(transparent)]
    Rate(#[from] RecipeError),
    /// It does not have the bit depth.
    #[error(transparent)]
    Depth(#[from] DepthError),
}

/// Refuses recipes that ask for something without effect, and those whose jobs would wait for ever, because none of the
/// encoders that they allow can run them on any worker.
///
/// # Errors
/// The reason, with a way out.
pub fn check(recipe: &Recipe) -> Result<(), Infeasible> {
    let Some(video) = recipe.video_encode() else {
        return Ok(());
    };
    video.check_bounds()?;
    if video.scale_up && video.scale.is_none() {
        return Err(Infeasible::ScaleUp);
    }
    let Choice::Codec(codec) = video.with else {
        // Rates of named encoders are checked with the recipe itself.
        let mut named = video.with.encoders().iter();
        named.try_for_each(|encoder| depth::check(video, encoder))?;
        return Ok(());
    };
    let mut judged = Encoder::of(codec).map(|encoder| judge(video, &encoder));
    let Some(Err(why)) = judged.next() else {
        return Ok(());
    };
    if judged.any(|other| other.is_ok()) {
        return Ok(());
    }
    Err(Infeasible::Codec {
        codec,
        why: Box::new(why),
    })
}

fn judge(video: &VideoEncode, encoder: &Encoder) -> Result<(), Inability> {
    video.check_on(encoder)?;
    depth::check(video, encoder)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::{BitDepth, Rate, Speed};

    fn refusal(codec: Codec, edit: impl FnOnce(&mut VideoEncode)) -> Option<String> {
        let mut video = VideoEncode::new(Choice::Codec(codec));
        edit(&mut video);
        let recipe = Recipe::encode(video).expect("sound");
        check(&recipe).err().map(|why| why.to_string())
    }

    #[test]
    fn what_no_encoder_of_a_codec_can_do_is_refused_with_a_way_out() {
        let two_pass = |video: &mut VideoEncode| {
            video.rate = Rate::Bitrate("2M".parse().expect("a bitrate"));
            video.two_pass = true;
        };
        let lossless = |video: &mut VideoEncode| video.rate = Rate::Lossless;
        let crf = |video: &mut VideoEncode| video.rate = Rate::Crf(20.0);
        let ten = |video: &mut VideoEncode| video.bit_depth = Some(BitDepth::Ten);
        for (refused, way_out) in [
            (refusal(Codec::Mpeg4, lossless), "libx264"),
            (
                refusal(Codec::Ffv1, crf),
                "ffv1 cannot work at constant quality",
            ),
            (refusal(Codec::Prores, two_pass), "leave --two-pass out"),
            (refusal(Codec::Mpeg2video, ten), "give --bit-depth 8"),
        ] {
            let refused = refused.expect(way_out);
            assert!(refused.contains(way_out), "{refused}");
        }
        assert_eq!(refusal(Codec::Hevc, two_pass), None);
        assert_eq!(refusal(Codec::H264, lossless), None);
        assert_eq!(refusal(Codec::H264, ten), None);
        assert_eq!(refusal(Codec::Mpeg4, crf), None);
    }

    #[test]
    fn enlarging_to_no_size_is_refused() {
        let refused = refusal(Codec::Hevc, |video| video.scale_up = true);
        assert!(refused.is_some_and(|why| why.contains("--scale")));
        let sized = refusal(Codec::Hevc, |video| {
            video.scale_up = true;
            video.scale = Some("720p".parse().expect("a size"));
        });
        assert_eq!(sized, None);
    }

    #[test]
    fn abilities_must_meet_in_one_encoder() {
        // NVENC is lossless with 8 bits only, and SVT-AV1 has no preset `p7`.
        let of_nvenc = refusal(Codec::H264, |video| {
            video.preset = Some("p7".parse().expect("a token"));
            video.bit_depth = Some(BitDepth::Ten);
        });
        let of_nvenc = of_nvenc.expect("10 bits and a preset of NVENC");
        assert!(of_nvenc.contains("libx264 has no preset"), "{of_nvenc}");
        let eight = |video: &mut VideoEncode| video.bit_depth = Some(BitDepth::Eight);
        assert_eq!(
            refusal(Codec::Prores, eight),
            None,
            "VideoToolbox has 8 bits"
        );
        let slow = refusal(Codec::Vvc, |video| video.speed = Some(Speed::Slow));
        assert_eq!(slow, None);
    }

    #[test]
    fn depths_that_a_named_encoder_does_not_have_are_refused() {
        let refusal = |encoder: &str, depth| {
            let encoder: Encoder = encoder.parse().expect("a name");
            let mut video = VideoEncode::new(Choice::Encoder(encoder));
            video.bit_depth = Some(depth);
            let recipe = Recipe::encode(video).expect("sound");
            check(&recipe).err().map(|why| why.to_string())
        };
        assert_eq!(
            refusal("h264_nvenc", BitDepth::Ten).as_deref(),
            Some(
                "h264_nvenc encodes 8 bits only: give --bit-depth 8, or use libx264, or an encoder of hevc"
            )
        );
        assert_eq!(
            refusal("prores_ks", BitDepth::Eight).as_deref(),
            Some("prores_ks encodes 10 bits only: give --bit-depth 10, or use dnxhd")
        );
        for (encoder, way_out) in [
            ("libopenh264", "libx264"),
            ("h264_qsv", "hevc"),
            ("h264_vaapi", "hevc"),
            ("h264_videotoolbox", "hevc"),
            ("mpeg4", "libx265"),
            ("mpeg2video", "libx265"),
            ("libvpx", "libvpx-vp9"),
            ("libkvazaar", "libx265"),
        ] {
            let refused = refusal(encoder, BitDepth::Ten).expect(encoder);
            assert!(refused.contains(way_out), "{refused}");
        }
        for encoder in [
            "libx264",
            "libx265",
            "hevc_nvenc",
            "libvpx-vp9",
            "prores_ks",
            "my_own",
        ] {
            assert_eq!(refusal(encoder, BitDepth::Ten), None, "{encoder}");
        }
        let refused = refusal("libvvenc", BitDepth::Eight);
        assert!(refused.is_some_and(|why| why.contains("give --bit-depth 10")));
    }
}
