//! The most bits per second as options of each encoder.

use common::recipe::encoder::{Encoder, EncoderKind};
use common::recipe::{Bitrate, Rate};

/// The options beside those of the rate. The encoder may use up the bits of one second at once: a larger buffer lets
/// short scenes grow far beyond the maximum.
pub(super) fn options(encoder: &Encoder, rate: Rate, most: Bitrate) -> Vec<String> {
    let most = most.bits_per_second().to_string();
    let mut options: Vec<&str> = match (encoder.kind(), encoder.as_str(), rate) {
        (_, "libvpx", _) => vec!["-bufsize", &most],
        _ => vec!["-maxrate", &most, "-bufsize", &most],
    };
    let is_bitrate = matches!(rate, Rate::Bitrate(_) | Rate::Size(_));
    match encoder.kind() {
        EncoderKind::Nvidia if is_bitrate => options.extend(["-rc", "vbr"]),
        EncoderKind::Amd => options.extend(["-rc", "vbr_peak"]),
        EncoderKind::Vaapi if is_bitrate => options.extend(["-rc_mode", "VBR"]),
        EncoderKind::Vulkan => options.extend(["-rc_mode", "vbr"]),
        _ => {}
    }
    options.into_iter().map(str::to_owned).collect()
}
