//! Encoding without loss as options of each encoder.

use common::job::failure::Failure;
use common::recipe::encoder::{Encoder, EncoderKind};

use crate::ffmpeg::build::Build;

/// The options for the encoder.
pub(super) fn options(encoder: &Encoder) -> Vec<String> {
    let options: &[&str] = match (encoder.kind(), encoder.as_str()) {
        (_, "libx264") => &["-qp", "0"],
        (_, "libvpx-vp9") => &["-lossless", "1"],
        (_, "libaom-av1") => &["-aom-params", "lossless=1"],
        (EncoderKind::Nvidia, _) => &["-tune", "lossless", "-rc", "constqp", "-qp", "0"],
        _ => &[],
    };
    options.iter().copied().map(str::to_owned).collect()
}

/// The entries for the encoder's own parameter list.
pub(super) fn params(encoder: &Encoder) -> &'static [&'static str] {
    match encoder.as_str() {
        "libx265" | "libsvtav1" => &["lossless=1"],
        _ => &[],
    }
}

/// Refuses what an encoder would encode with loss, and without a word.
///
/// # Errors
/// The worker's fault if its build is too old. The input's fault if its bit depth is at fault.
pub(in crate::ffmpeg) fn check(encoder: &Encoder, build: &Build, depth: u8) -> Result<(), Failure> {
    if encoder.as_str() == "libsvtav1" && !build.has_lossless_svtav1() {
        return Err(Failure::worker(
            "libsvtav1 of this ffmpeg cannot encode without loss: FFmpeg 8 or newer can",
        ));
    }
    if matches!(encoder.as_str(), "libsvtav1" | "libaom-av1") && depth > 8 {
        return Err(Failure::input(format!(
            "{encoder} encodes 8 bits only without loss: use libx265, libx264, libvpx-vp9 or ffv1 for more"
        )));
    }
    Ok(())
}
