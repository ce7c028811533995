//! Quality, bitrate and presets as options of each encoder.

use common::recipe::Rate;
use common::recipe::encoder::{Codec, Encoder, EncoderKind};

/// The options for an encoder's rate.
pub(super) fn rate(encoder: &Encoder, rate: Rate) -> Vec<String> {
    if let Rate::Bitrate(bitrate) = rate {
        return vec!["-b:v".to_owned(), bitrate.bits_per_second().to_string()];
    }
    match rate.constant_quality(encoder) {
        Some(value) => quality(encoder, value),
        None => Vec::new(),
    }
}

/// The options for a constant quality, on the encoder's own scale.
fn quality(encoder: &Encoder, value: f64) -> Vec<String> {
    let exact = decimal(value);
    let whole = decimal(value.round());
    let options: Vec<&str> = match (encoder.kind(), encoder.as_str()) {
        (EncoderKind::Software, "libx264" | "libx265") => vec!["-crf", &exact],
        (EncoderKind::Software, "libsvtav1") => vec!["-crf", &whole],
        // Without a bitrate of 0, these encoders treat the quality only as a limit.
        (EncoderKind::Software, "libaom-av1" | "libvpx-vp9") => vec!["-crf", &whole, "-b:v", "0"],
        // VP8 has no unlimited mode, so it gets a bitrate that is never reached.
        (EncoderKind::Software, "libvpx") => vec!["-crf", &whole, "-b:v", "1G"],
        (EncoderKind::Software, "librav1e" | "libvvenc") => vec!["-qp", &whole],
        (EncoderKind::Nvidia, _) => vec!["-rc", "vbr", "-cq", &exact, "-b:v", "0"],
        (EncoderKind::Intel, _) => vec!["-global_quality", &whole],
        (EncoderKind::Amd, _) => vec!["-rc", "cqp", "-qp_i", &whole, "-qp_p", &whole],
        (EncoderKind::Apple, _) => vec!["-q:v", &whole],
        (EncoderKind::Vaapi, _) => vec!["-rc_mode", "CQP", "-global_quality", &whole],
        (EncoderKind::Vulkan, _) => vec!["-rc_mode", "cqp", "-qp", &whole],
        (EncoderKind::Rockchip, _) => vec!["-rc_mode", "CQP", "-qp_init", &whole],
        (EncoderKind::V4l2 | EncoderKind::Mediafoundation, _) => vec![],
        (EncoderKind::Software, _) => vec!["-q:v", &exact],
    };
    options.into_iter().map(str::to_owned).collect()
}

/// The option for the trade-off between speed and size, with the encoder's own value.
pub(super) fn preset(encoder: &Encoder, preset: &str) -> Vec<String> {
    let option = match (encoder.kind(), encoder.as_str()) {
        (EncoderKind::Software, "libvpx" | "libvpx-vp9" | "libaom-av1") => "-cpu-used",
        (EncoderKind::Software, "librav1e") => "-speed",
        (EncoderKind::Software, "prores_ks") => "-profile:v",
        (EncoderKind::Amd, _) => "-quality",
        (EncoderKind::Vaapi, _) => "-compression_level",
        _ => "-preset",
    };
    vec![option.to_owned(), preset.to_owned()]
}

/// Further options that an encoder needs for pictures of this bit depth: to accept them at all, or to be fast enough.
pub(super) fn default_options(encoder: &Encoder, depth: u8) -> &'static [&'static str] {
    match encoder.as_str() {
        // Row-based threads are off by default, which leaves most cores idle.
        "libvpx-vp9" | "libaom-av1" => &["-row-mt", "1"],
        // The DNxHD profile supports only a few sizes and bitrates; the DNxHR profiles support all sizes.
        "dnxhd" if depth > 8 => &["-profile:v", "dnxhr_hqx"],
        "dnxhd" => &["-profile:v", "dnxhr_sq"],
        // The default is Windows' own software encoder.
        _ if encoder.kind() == EncoderKind::Mediafoundation => &["-hw_encoding", "1"],
        _ => &[],
    }
}

/// Whether ffmpeg's encoder refuses pictures of odd width or height. Pictures reach it as 4:2:0.
pub(super) fn needs_even_size(encoder: &Encoder) -> bool {
    encoder.kind().is_hardware()
        || matches!(
            encoder.as_str(),
            "libx264"
                | "libx265"
                | "libsvtav1"
                | "libopenh264"
                | "libkvazaar"
                | "libvvenc"
                | "libxvid"
        )
}

/// Whether timestamps may have any unit. MPEG-2, MPEG-4 Part 2 and DNxHD support frame rates only.
pub(super) fn takes_any_time_base(encoder: &Encoder) -> bool {
    !matches!(
        encoder.codec(),
        Some(Codec::Mpeg2video | Codec::Mpeg4 | Codec::Dnxhd)
    )
}

fn decimal(value: f64) -> String {
    // At most two decimals, without trailing zeros.
    ((value * 100.0).round() / 100.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(encoder: &str, value: Rate) -> String {
        rate(&encoder.parse().expect("a name"), value).join(" ")
    }

    #[test]
    fn each_family_gets_its_own_options() {
        let crf = Rate::Crf(23.5);
        assert_eq!(options("libx264", crf), "-crf 23.5");
        assert_eq!(options("libsvtav1", crf), "-crf 24");
        assert_eq!(options("libvpx-vp9", crf), "-crf 24 -b:v 0");
        assert_eq!(options("librav1e", Rate::Crf(100.0)), "-qp 100");
        assert_eq!(options("hevc_nvenc", crf), "-rc vbr -cq 23.5 -b:v 0");
        assert_eq!(options("hevc_qsv", crf), "-global_quality 24");
        assert_eq!(
            options("h264_vaapi", crf),
            "-rc_mode CQP -global_quality 24"
        );
        assert_eq!(options("mpeg4", Rate::Crf(3.0)), "-q:v 3");
        assert_eq!(options("libx264", Rate::Default), "");
        let bitrate = Rate::Bitrate("4M".parse().expect("a bitrate"));
        assert_eq!(options("h264_v4l2m2m", bitrate), "-b:v 4000000");
    }
}
