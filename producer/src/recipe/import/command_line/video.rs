//! The options of video.

use common::recipe::{Argument, BitDepth, Choice, Chroma, Rate, VideoEncode};

use super::super::LeftOut;
use super::filters;

/// Takes over an option of the encode.
pub(super) fn option(
    encode: &mut VideoEncode,
    (name, specifier): (&str, &str),
    value: &str,
    left_out: &mut LeftOut,
) {
    let colon = if specifier.is_empty() { "" } else { ":" };
    let shown = format!("-{name}{colon}{specifier} {value}");
    if !matches!(specifier, "" | "v" | "v:0" | "V" | "V:0") {
        left_out.add(shown, "options of single streams are not carried over");
        return;
    }
    let number = value.parse::<f64>();
    match (name, value) {
        ("crf" | "cq" | "qp" | "q" | "qscale" | "global_quality", _) => match number {
            Ok(number) if name != "qp" || number > 0.0 => encode.rate = Rate::Crf(number),
            Ok(_) => encode.rate = Rate::Lossless,
            Err(_) => left_out.add(shown, "it is no number"),
        },
        // With a quality, `-b:v 0` says that no bitrate limits it.
        ("b" | "vb", "0") => {}
        ("b" | "vb", _) => match (value.parse(), encode.rate) {
            (Ok(bitrate), Rate::Crf(_)) => encode.max_bitrate = Some(bitrate),
            (Ok(bitrate), _) => encode.rate = Rate::Bitrate(bitrate),
            (Err(_), _) => left_out.add(shown, "it is no bitrate"),
        },
        ("maxrate", _) => match value.parse() {
            Ok(bitrate) => encode.max_bitrate = Some(bitrate),
            Err(_) => left_out.add(shown, "it is no bitrate"),
        },
        ("pass", _) => encode.two_pass = matches!(value, "1" | "2" | "3"),
        ("preset" | "cpu-used", _) => match value.parse() {
            Ok(preset) => encode.preset = Some(preset),
            Err(_) => left_out.add(shown, "it is no name of a preset"),
        },
        ("vf" | "filter", _) => filters::read(encode, value, left_out),
        ("filter_complex" | "lavfi", _) => {
            left_out.add(
                shown,
                "graphs of filters are not carried over: see --filter and --watermark",
            );
        }
        ("r", _) => match value.parse() {
            Ok(rate) => encode.frame_rate = rate,
            Err(_) => left_out.add(shown, "it is no frame rate"),
        },
        ("vsync" | "fps_mode", "0" | "passthrough" | "vfr" | "2") => {}
        ("s", _) => match value.parse() {
            Ok(scale) => encode.scale = Some(scale),
            Err(_) => left_out.add(shown, "it is no size"),
        },
        ("pix_fmt", "yuv420p" | "nv12") => {
            (encode.bit_depth, encode.chroma) = (Some(BitDepth::Eight), Chroma::Yuv420);
        }
        ("pix_fmt", "yuv420p10le" | "yuv420p10" | "p010le") => {
            (encode.bit_depth, encode.chroma) = (Some(BitDepth::Ten), Chroma::Yuv420);
        }
        ("vtag" | "tag", _) => argument(encode, "tag", value, &shown, left_out),
        _ => argument(encode, name, value, &shown, left_out),
    }
}

fn argument(
    encode: &mut VideoEncode,
    name: &str,
    value: &str,
    shown: &str,
    left_out: &mut LeftOut,
) {
    match format!("{name}={value}").parse::<Argument>() {
        Ok(argument) => {
            encode
                .arguments
                .retain(|earlier| earlier.option() != argument.option());
            encode.arguments.push(argument);
        }
        Err(error) => left_out.add(shown, &error.to_string()),
    }
}

/// Notes options of an encode that copied or absent video cannot follow.
pub(super) fn note_without_encode(encode: &VideoEncode, left_out: &mut LeftOut) {
    let mut plain = VideoEncode::new(encode.with.clone());
    plain.two_pass = encode.two_pass;
    let is_named = !matches!(encode.with, Choice::Codec(_));
    if *encode != plain || is_named {
        left_out.add(
            "options of the video encoder",
            "the video is copied or left out",
        );
    }
}
