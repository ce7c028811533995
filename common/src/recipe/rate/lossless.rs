//! Encoding without loss.

use crate::recipe::encoder::Encoder;

/// The encoders that can encode without loss, the usual ones first.
const ENCODERS: &[&str] = &[
    "libx264",
    "libx265",
    "ffv1",
    "libvpx-vp9",
    "libaom-av1",
    "libsvtav1",
    "h264_nvenc",
    "hevc_nvenc",
];

/// Whether the encoder can encode without loss.
pub(super) fn has_lossless(encoder: &Encoder) -> bool {
    ENCODERS.contains(&encoder.as_str())
}

/// The encoders without loss, for a person who asked for another one.
pub(super) fn encoders() -> String {
    ENCODERS.join(", ")
}
