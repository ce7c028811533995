//! HandBrake's video encoders, rates and encoder options.

use common::recipe::encoder::{Encoder, EncoderKind};
use common::recipe::{
    Argument, BitDepth, Bitrate, Choice, Chroma, FrameRate, QualityScale, Rate, Speed, VideoEncode,
};

use super::LeftOut;
use super::fields::Fields;

/// HandBrake's encoders, ffmpeg's, and the bits of a sample.
const ENCODERS: &[(&str, &str, u8)] = &[
    ("x264", "libx264", 8),
    ("x264_10bit", "libx264", 10),
    ("x265", "libx265", 8),
    ("x265_10bit", "libx265", 10),
    ("x265_12bit", "libx265", 12),
    ("svt_av1", "libsvtav1", 8),
    ("svt_av1_10bit", "libsvtav1", 10),
    ("VP8", "libvpx", 8),
    ("VP9", "libvpx-vp9", 8),
    ("VP9_10bit", "libvpx-vp9", 10),
    ("mpeg2", "mpeg2video", 8),
    ("mpeg4", "mpeg4", 8),
    ("ffv1", "ffv1", 8),
    ("nvenc_h264", "h264_nvenc", 8),
    ("nvenc_h265", "hevc_nvenc", 8),
    ("nvenc_h265_10bit", "hevc_nvenc", 10),
    ("nvenc_av1", "av1_nvenc", 8),
    ("nvenc_av1_10bit", "av1_nvenc", 10),
    ("qsv_h264", "h264_qsv", 8),
    ("qsv_h265", "hevc_qsv", 8),
    ("qsv_h265_10bit", "hevc_qsv", 10),
    ("qsv_av1", "av1_qsv", 8),
    ("qsv_av1_10bit", "av1_qsv", 10),
    ("vce_h264", "h264_amf", 8),
    ("vce_h265", "hevc_amf", 8),
    ("vce_h265_10bit", "hevc_amf", 10),
    ("vce_av1", "av1_amf", 8),
    ("vt_h264", "h264_videotoolbox", 8),
    ("vt_h265", "hevc_videotoolbox", 8),
    ("vt_h265_10bit", "hevc_videotoolbox", 10),
    ("mf_h264", "h264_mf", 8),
    ("mf_h265", "hevc_mf", 8),
    ("mf_av1", "av1_mf", 8),
];

/// The encode that the preset asks for, without what it does to the picture.
///
/// # Errors
/// There is no such encoder here.
pub(super) fn encode(
    fields: &mut Fields<'_>,
    left_out: &mut LeftOut,
) -> Result<VideoEncode, String> {
    let name = fields.text("VideoEncoder");
    let (_, encoder, bits) = ENCODERS
        .iter()
        .find(|(known, _, _)| known.eq_ignore_ascii_case(name))
        .ok_or_else(|| format!("HandBrake's encoder '{name}' has no counterpart here"))?;
    let encoder: Encoder = encoder
        .parse()
        .map_err(|_| format!("no encoder {encoder}"))?;
    let mut encode = VideoEncode::new(Choice::Encoder(encoder.clone()));
    encode.bit_depth = Some(if *bits == 8 {
        BitDepth::Eight
    } else {
        BitDepth::Ten
    });
    if *bits == 12 {
        left_out.add(format!("VideoEncoder {name}"), "10 bits are the most here");
    }
    encode.chroma = Chroma::Yuv420;
    rate(fields, &encoder, &mut encode, left_out);
    preset(fields, &encoder, &mut encode, left_out);
    options(fields, &encoder, &mut encode, left_out);
    encode.frame_rate = frame_rate(fields, left_out);
    for (name, why) in [
        ("VideoScaler", "the scaler is the worker's choice"),
        ("VideoColorRange", "the range of the source is kept"),
    ] {
        if let Some(word) = fields.word(name)
            && !matches!(word, "swscale" | "limited")
        {
            left_out.add(format!("{name} {word}"), why);
        }
    }
    let matrix = fields.number("VideoColorMatrixCodeOverride");
    if matrix.is_some_and(|code| code != 0.0) {
        left_out.add("VideoColorMatrixCodeOverride", "colours keep their labels");
    }
    // HandBrake spells it so.
    let dynamic = "VideoPasshtruHDRDynamicMetadata";
    if fields.has(dynamic) && fields.word(dynamic).is_none() {
        left_out.add(dynamic, "dynamic metadata is kept where the tools can");
    }
    Ok(encode)
}

fn rate(
    fields: &mut Fields<'_>,
    encoder: &Encoder,
    encode: &mut VideoEncode,
    left_out: &mut LeftOut,
) {
    let quality = fields.number("VideoQualitySlider");
    let kilobits = fields.number("VideoAvgBitrate");
    let passes = fields.flag(&["VideoMultiPass", "VideoTwoPass"]);
    let kind = fields.number("VideoQualityType").unwrap_or(2.0);
    if kind == 2.0 {
        match (quality, QualityScale::of(encoder)) {
            (Some(value), Some(_)) => encode.rate = Rate::Crf(value),
            (Some(value), None) => left_out.add(
                format!("VideoQualitySlider {value}"),
                "the encoder has no constant quality here: its default is used",
            ),
            (None, _) => {}
        }
        return;
    }
    if kind == 0.0 {
        left_out.add(
            "VideoQualityType 0",
            "old target sizes are not carried over: see --target-size",
        );
    }
    let bitrate = kilobits.and_then(|kilobits| format!("{kilobits}k").parse::<Bitrate>().ok());
    if let Some(bitrate) = bitrate {
        encode.rate = Rate::Bitrate(bitrate);
        encode.two_pass = passes && encoder.kind() == EncoderKind::Software;
        if passes && !encode.two_pass {
            left_out.add("VideoMultiPass", "the encoder has no second pass here");
        }
    }
}

/// The speed: by the encoder's own names where they are the same, else on the scale for all.
fn preset(
    fields: &mut Fields<'_>,
    encoder: &Encoder,
    encode: &mut VideoEncode,
    left_out: &mut LeftOut,
) {
    let Some(word) = fields.word("VideoPreset") else {
        return;
    };
    if matches!(encoder.as_str(), "libx264" | "libx265" | "libsvtav1") {
        match word.parse() {
            Ok(preset) => encode.preset = Some(preset),
            Err(_) => left_out.add(format!("VideoPreset {word}"), "it is no name of a preset"),
        }
        return;
    }
    encode.speed = match word {
        "slowest" | "veryslow" | "placebo" => Some(Speed::Slowest),
        "slower" => Some(Speed::Slower),
        "slow" | "quality" => Some(Speed::Slow),
        "medium" | "default" | "balanced" => Some(Speed::Medium),
        "fast" => Some(Speed::Fast),
        "faster" | "speed" => Some(Speed::Faster),
        "fastest" | "veryfast" | "ultrafast" | "superfast" => Some(Speed::Fastest),
        _ => {
            left_out.add(format!("VideoPreset {word}"), "the speed is unknown here");
            None
        }
    };
}

/// Tune, profile, level and free options.
fn options(
    fields: &mut Fields<'_>,
    encoder: &Encoder,
    encode: &mut VideoEncode,
    left_out: &mut LeftOut,
) {
    let list = match encoder.as_str() {
        "libx264" => Some("x264-params"),
        "libx265" => Some("x265-params"),
        "libsvtav1" => Some("svtav1-params"),
        _ => None,
    };
    let mut own: Vec<String> = Vec::new();
    for word in fields
        .text("VideoTune")
        .split(',')
        .filter(|word| !matches!(*word, "" | "none"))
    {
        match (list, word) {
            (Some("svtav1-params"), "vq") => own.push("tune=0".to_owned()),
            (Some("svtav1-params"), "psnr") => own.push("tune=1".to_owned()),
            (Some("svtav1-params"), "ssim") => own.push("tune=2".to_owned()),
            (Some("x264-params" | "x265-params"), _) => {
                add(encode, &format!("tune={word}"), left_out);
            }
            _ => left_out.add(
                format!("VideoTune {word}"),
                "the encoder has no such tune here",
            ),
        }
    }
    if let Some(profile) = fields.word("VideoProfile") {
        match encoder.as_str() {
            // Depth and sampling make it.
            "libx265" | "libsvtav1" | "libvpx-vp9" => {}
            _ => add(encode, &format!("profile={profile}"), left_out),
        }
    }
    if let Some(level) = fields.word("VideoLevel") {
        match list {
            Some("x265-params") => own.push(format!("level-idc={level}")),
            Some("svtav1-params") => own.push(format!("level={level}")),
            _ => add(encode, &format!("level={level}"), left_out),
        }
    }
    let extra = match fields.text("VideoOptionExtra") {
        "" => fields.text("x264Option"),
        extra => extra,
    };
    fields.text("x264Option");
    for pair in extra.split(':').filter(|pair| !pair.is_empty()) {
        match list {
            Some(_) => own.push(pair.to_owned()),
            None => add(encode, pair, left_out),
        }
    }
    if let Some(list) = list.filter(|_| !own.is_empty()) {
        // One pair that is not allowed does not cost the others.
        let (good, bad): (Vec<String>, Vec<String>) = own
            .into_iter()
            .partition(|pair| format!("{list}={pair}").parse::<Argument>().is_ok());
        for pair in bad {
            left_out.add(
                format!("VideoOptionExtra {pair}"),
                "the option is not allowed here",
            );
        }
        if !good.is_empty() {
            add(encode, &format!("{list}={}", good.join(":")), left_out);
        }
    }
}

fn add(encode: &mut VideoEncode, text: &str, left_out: &mut LeftOut) {
    match text.parse::<Argument>() {
        Ok(argument) => encode.arguments.push(argument),
        Err(_) => left_out.add(text, "the option is not allowed here"),
    }
}

fn frame_rate(fields: &mut Fields<'_>, left_out: &mut LeftOut) -> FrameRate {
    let rate = fields
        .word("VideoFramerate")
        .filter(|rate| *rate != "same as source");
    let mode = fields.text("VideoFramerateMode");
    let read = |text: String, left_out: &mut LeftOut| {
        text.parse().unwrap_or_else(|_| {
            left_out.add(format!("VideoFramerate {text}"), "the rate is unknown here");
            FrameRate::Keep
        })
    };
    match (rate, mode) {
        (None, "cfr") => {
            left_out.add(
                "VideoFramerateMode cfr",
                "without a rate, each frame keeps its time: give --frame-rate",
            );
            FrameRate::Keep
        }
        (None, _) => FrameRate::Keep,
        (Some(rate), "cfr") => read(rate.to_owned(), left_out),
        (Some(rate), _) => read(format!("peak:{rate}"), left_out),
    }
}
