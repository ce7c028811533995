//! Constant quality as options of each encoder.

use common::recipe::Bitrate;
use common::recipe::encoder::{Encoder, EncoderKind};

/// The options for a constant quality, on the encoder's own scale, with at most this many bits per second.
pub(super) fn options(encoder: &Encoder, value: f64, most: Option<Bitrate>) -> Vec<String> {
    let exact = decimal(value);
    let whole = decimal(value.round());
    let most = most.map(|most| most.bits_per_second());
    let limit = most.map(|most| most.to_string());
    let limit = limit.as_deref();
    let mut options: Vec<&str> = match (encoder.kind(), encoder.as_str()) {
        (EncoderKind::Software, "libx264" | "libx265") => vec!["-crf", &exact],
        (EncoderKind::Software, "libsvtav1") => vec!["-crf", &whole],
        // Without a bitrate of 0, these encoders treat the quality only as a limit.
        (EncoderKind::Software, "libaom-av1" | "libvpx-vp9") => vec!["-crf", &whole, "-b:v", "0"],
        // VP8 has no unlimited mode, so it gets a bitrate that is never reached.
        (EncoderKind::Software, "libvpx") => {
            vec!["-crf", &whole, "-b:v", limit.unwrap_or("1G")]
        }
        (EncoderKind::Software, "librav1e" | "libvvenc") => vec!["-qp", &whole],
        (EncoderKind::Nvidia, _) => vec!["-rc", "vbr", "-cq", &exact, "-b:v", "0"],
        (EncoderKind::Intel, _) => vec!["-global_quality", &whole],
        (EncoderKind::Amd, _) => vec!["-rc", "cqp", "-qp_i", &whole, "-qp_p", &whole],
        (EncoderKind::Apple, _) => vec!["-q:v", &whole],
        (EncoderKind::Vaapi, _) => {
            let mode = if most.is_some() { "QVBR" } else { "CQP" };
            vec!["-rc_mode", mode, "-global_quality", &whole]
        }
        (EncoderKind::Vulkan, _) => vec!["-rc_mode", "cqp", "-qp", &whole],
        (EncoderKind::Rockchip, _) => vec!["-rc_mode", "CQP", "-qp_init", &whole],
        (EncoderKind::V4l2 | EncoderKind::Mediafoundation, _) => vec![],
        // A fixed quantizer knows no limit. A least quantizer is as good as fixed while there are bits enough.
        (EncoderKind::Software, _) => match limit {
            Some(limit) => vec!["-qmin", &whole, "-b:v", limit],
            None => vec!["-q:v", &exact],
        },
    };
    // These modes also want a mean, which must be less than the maximum.
    let mean = most.map(|most| (most * 9 / 10).to_string());
    if let (EncoderKind::Intel | EncoderKind::Vaapi, Some(mean)) = (encoder.kind(), &mean) {
        options.extend(["-b:v", mean]);
    }
    options.into_iter().map(str::to_owned).collect()
}

/// At most two decimals, without trailing zeros.
fn decimal(value: f64) -> String {
    ((value * 100.0).round() / 100.0).to_string()
}
