//! Two passes: the encoder sees the whole video before it spreads the bits.

use crate::recipe::encoder::Encoder;

/// The encoders that write statistics in a first pass and read them in a second one. ffmpeg passes SVT-AV1's on since
/// its version 8.1; an older one is refused by the worker. Xvid's are written outside the folder where ffmpeg may write.
const ENCODERS: &[&str] = &[
    "libx264",
    "libx265",
    "libsvtav1",
    "libaom-av1",
    "libvpx-vp9",
    "libvpx",
    "libvvenc",
    "mpeg2video",
    "mpeg4",
];

/// Whether the encoder can work in two passes.
pub(super) fn has_two_passes(encoder: &Encoder) -> bool {
    ENCODERS.contains(&encoder.as_str())
}

/// Whether two passes are usual for the encoder: SVT-AV1's are new, and crash on tiny pictures.
pub(super) fn is_usual(encoder: &Encoder) -> bool {
    has_two_passes(encoder) && encoder.as_str() != "libsvtav1"
}

/// The encoders with two passes, for a person who asked for another one.
pub(super) fn encoders() -> String {
    ENCODERS.join(", ")
}
