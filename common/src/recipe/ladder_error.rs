//! Why a ladder for HLS and DASH is refused.

use crate::recipe::encoder::Encoder;
use crate::recipe::segment::Segment;

/// A ladder that cannot be made of any input.
#[derive(Debug, thiserror::Error)]
pub enum LadderError {
    /// Segments are asked for, and the output has none.
    #[error("--segment {0} is for ladders only: give --container cmaf, or leave --segment out")]
    Segment(Segment),
    /// The video is not encoded, so that its keyframes are anywhere.
    #[error(
        "a ladder needs keyframes at the same times in all renditions, which only an encoder can set: name an --encoder or a --codec"
    )]
    NoEncode,
    /// Nobody knows how the encoder sets keyframes.
    #[error(
        "{encoder} is not known to set keyframes where a ladder needs them: use libx264, libx265 or libsvtav1, or a hardware encoder of h264, hevc or av1"
    )]
    Encoder {
        /// The encoder asked for.
        encoder: Encoder,
    },
    /// SVT-AV1 sets keyframes at a constant quality only.
    #[error(
        "libsvtav1 sets no keyframes for a ladder at a bitrate or a size: give --quality or --crf, and --max-bitrate beside it"
    )]
    Bitrate,
    /// An argument moves the keyframes.
    #[error(
        "the argument {argument} moves the keyframes of a ladder: leave it out, or use --segment"
    )]
    Argument {
        /// The argument.
        argument: String,
    },
}
