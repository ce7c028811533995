//! Quality, bitrate, passes and speed as options of each encoder.

pub(super) mod budget;
pub(super) mod keyframes;
pub(super) mod lossless;
pub(super) mod passes;
mod peak;
mod quality;

use common::recipe::encoder::{Codec, Encoder, EncoderKind};
use common::recipe::{Rate, VideoEncode};

pub(super) use passes::Pass;

/// The options for the rate, except the bitrate of a size, which is known later.
pub(super) fn rate(encoder: &Encoder, video: &VideoEncode) -> Vec<String> {
    let rate = video.effective_rate();
    let mut options = match rate {
        Rate::Bitrate(bitrate) => vec!["-b:v".to_owned(), bitrate.bits_per_second().to_string()],
        Rate::Lossless => lossless::options(encoder),
        Rate::Size(_) => Vec::new(),
        Rate::Default | Rate::Crf(_) | Rate::Quality(_) | Rate::Target(_) => {
            match rate.constant_quality(encoder) {
                Some(value) => quality::options(encoder, value, video.max_bitrate),
                None => Vec::new(),
            }
        }
    };
    if let Some(most) = video.max_bitrate {
        options.extend(peak::options(encoder, rate, most));
    }
    options
}

/// The entries for the encoder's own parameter list, for the output's video stream of this number.
pub(super) fn params(
    encoder: &Encoder,
    video: &VideoEncode,
    pass: Option<Pass>,
    stream: usize,
    is_ladder: bool,
) -> Vec<String> {
    let lossless = match video.rate {
        Rate::Lossless => lossless::params(encoder),
        _ => &[],
    };
    let keyframes = match is_ladder {
        true => keyframes::params(encoder),
        false => &[],
    };
    let passes = pass.map(|pass| pass.params(encoder, stream));
    lossless
        .iter()
        .chain(keyframes)
        .copied()
        .map(str::to_owned)
        .chain(passes.into_iter().flatten())
        .collect()
}

/// The options for the trade-off between speed and size: the recipe's own preset, or the one for its speed.
pub(super) fn speed(encoder: &Encoder, video: &VideoEncode) -> Vec<String> {
    if let Some(own) = &video.preset {
        return preset(encoder, own.as_str());
    }
    let Some(word) = video.speed.and_then(|speed| speed.preset(encoder)) else {
        return Vec::new();
    };
    let mut options = preset(encoder, word);
    // In its usual mode, libvpx has no speeds above 5.
    if encoder.as_str().starts_with("libvpx") && word == "8" {
        options.extend(["-deadline", "realtime"].map(str::to_owned));
    }
    options
}

/// The option for the trade-off between speed and size, with the encoder's own value.
fn preset(encoder: &Encoder, preset: &str) -> Vec<String> {
    let option = match (encoder.kind(), encoder.as_str()) {
        (EncoderKind::Software, "libvpx" | "libvpx-vp9" | "libaom-av1") => "-cpu-used",
        (EncoderKind::Software, "librav1e") => "-speed",
        (EncoderKind::Software, "prores_ks") => "-profile:v",
        (EncoderKind::Software, "mpeg4" | "mpeg2video") => "-mbd",
        (EncoderKind::Software, "libxvid") => "-me_quality",
        (EncoderKind::Software, "libkvazaar") => {
            return vec!["-kvazaar-params".to_owned(), format!("preset={preset}")];
        }
        (EncoderKind::Apple, _) => "-prio_speed",
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

#[cfg(test)]
mod tests {
    use common::recipe::{Choice, Speed};

    use super::*;

    fn options(encoder: &str, value: Rate) -> String {
        with(encoder, |video| video.rate = value)
    }

    fn with(encoder: &str, edit: impl FnOnce(&mut VideoEncode)) -> String {
        let encoder: Encoder = encoder.parse().expect("a name");
        let mut video = VideoEncode::new(Choice::Encoder(encoder.clone()));
        edit(&mut video);
        [rate(&encoder, &video), speed(&encoder, &video)]
            .concat()
            .join(" ")
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
        assert_eq!(options("libx264", Rate::Lossless), "-qp 0");
    }

    #[test]
    fn a_maximum_stands_beside_each_rate() {
        let most = |encoder: &str, rate: Rate| {
            with(encoder, |video| {
                video.rate = rate;
                video.max_bitrate = Some("2M".parse().expect("a bitrate"));
            })
        };
        let crf = Rate::Crf(24.0);
        let limit = "-maxrate 2000000 -bufsize 2000000";
        assert_eq!(most("libx264", crf), format!("-crf 24 {limit}"));
        assert_eq!(
            most("libx264", Rate::Default),
            format!("-crf 22.95 {limit}")
        );
        assert_eq!(most("libvpx", crf), "-crf 24 -b:v 2000000 -bufsize 2000000");
        assert_eq!(
            most("mpeg4", Rate::Crf(3.0)),
            format!("-qmin 3 -b:v 2000000 {limit}")
        );
        assert_eq!(
            most("hevc_vaapi", crf),
            format!("-rc_mode QVBR -global_quality 24 -b:v 1800000 {limit}")
        );
        let bitrate = Rate::Bitrate("1M".parse().expect("a bitrate"));
        assert_eq!(
            most("hevc_amf", bitrate),
            format!("-b:v 1000000 {limit} -rc vbr_peak")
        );
    }

    #[test]
    fn a_speed_becomes_the_encoders_own_option() {
        let at = |encoder: &str, speed: Speed| with(encoder, |video| video.speed = Some(speed));
        assert_eq!(at("libx265", Speed::Slow), "-preset slow");
        assert_eq!(at("libsvtav1", Speed::Fastest), "-preset 12");
        assert_eq!(at("libvpx-vp9", Speed::Medium), "-cpu-used 3");
        assert_eq!(
            at("libvpx-vp9", Speed::Fastest),
            "-cpu-used 8 -deadline realtime"
        );
        assert_eq!(at("libkvazaar", Speed::Slow), "-kvazaar-params preset=slow");
        assert_eq!(at("h264_amf", Speed::Fast), "-quality balanced");
    }
}
