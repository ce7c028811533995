//! Why a recipe is refused.

use crate::names::token::Token;
use crate::recipe::audio::AudioTracksError;
use crate::recipe::companions::Companions;
use crate::recipe::container::Container;
use crate::recipe::encoder::{Codec, Encoder};
use crate::recipe::ladder_error::LadderError;
use crate::recipe::picture::ToneMap;
use crate::recipe::rate::Bitrate;
use crate::recipe::subtitles::SubtitlesError;

/// A recipe that cannot work with any input.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The container cannot hold the video codec, e.g. H.264 in WebM.
    #[error(
        "{container} cannot hold {codec} video: choose another --container (mkv holds everything)"
    )]
    Video {
        /// The container asked for.
        container: Container,
        /// The codec that the encoder makes.
        codec: Codec,
    },
    /// The container is for audio without video, e.g. MP3.
    #[error("{0} holds no video: give --video none, or choose another --container")]
    AudioOnly(Container),
    /// Pictures are to be made of an output without video.
    #[error(
        "--thumbnails, --contact-sheet, --sprites and --preview show video: leave out --video none"
    )]
    Companions,
    /// There are too many thumbnails.
    #[error("{0} thumbnails are more than {most}", most = Companions::MOST_THUMBNAILS)]
    Thumbnails(u8),
    /// The ladder cannot be made.
    #[error(transparent)]
    Ladder(#[from] LadderError),
    /// The output would have neither video nor audio.
    #[error("neither video nor audio is left: give --audio copy, or leave out --video none")]
    Empty,
    /// The container cannot hold the audio codec, e.g. AAC in WebM.
    #[error("{container} cannot hold {codec} audio: choose another --audio encoder or --container")]
    Audio {
        /// The container asked for.
        container: Container,
        /// The codec that the encoder makes.
        codec: &'static str,
    },
    /// The audio tracks cannot be made.
    #[error(transparent)]
    AudioTracks(#[from] AudioTracksError),
    /// The encoder does not have the preset.
    #[error("{encoder} has no preset '{preset}': use {instead}")]
    Preset {
        /// The encoder asked for.
        encoder: Encoder,
        /// The preset asked for.
        preset: Token,
        /// The presets that the encoder has.
        instead: String,
    },
    /// The filter cuts or stretches the video, but sound and subtitles would keep their length.
    #[error(
        "filter '{0}' changes when frames are shown, and sound and subtitles would not follow: leave it out, or give --audio none and --subtitles none"
    )]
    Length(String),
    /// Tone mapping is applied to a picture that is not in linear light.
    #[error(
        "filter 'tonemap' works on linear light only: give --hdr sdr for the whole conversion, or put zscale=t=linear before it"
    )]
    ToneMap,
    /// A curve for tone mapping in a recipe that maps no tones.
    #[error("the tone map {0} is used with --hdr sdr only: give that too, or leave --tonemap out")]
    Curve(ToneMap),
    /// The watermark would have no size, or cover nothing.
    #[error("{what} of the watermark is {percent} %: choose 1 to 100")]
    Watermark {
        /// What is out of range.
        what: &'static str,
        /// Its value.
        percent: u8,
    },
    /// The watermark is a part of the picture's width, and nobody knows that width.
    #[error(
        "a watermark's width in percent needs a known picture size, which filter '{0}' changes: leave out the width, or use --crop, --scale, --pad or --rotate instead of the filter"
    )]
    WatermarkWidth(String),
    /// The subtitles cannot be chosen like this.
    #[error(transparent)]
    Subtitles(#[from] SubtitlesError),
    /// The rate has no meaning for the encoder.
    #[error("{encoder} cannot work at {what}: use {instead}")]
    Rate {
        /// The encoder asked for.
        encoder: Encoder,
        /// The rate asked for.
        what: String,
        /// The rates that the encoder understands.
        instead: String,
    },
    /// The encoder has no speeds.
    #[error("{0} has no speeds that are known: leave --speed out, or choose another encoder")]
    Speed(Encoder),
    /// The encoder cannot see the video twice.
    #[error("{encoder} has no two passes: leave --two-pass out, or use {instead}")]
    TwoPass {
        /// The encoder asked for.
        encoder: Encoder,
        /// The encoders with two passes.
        instead: String,
    },
    /// Two passes are asked for, but there are no bits to spread.
    #[error(
        "--two-pass spreads the bits of a bitrate or of a size: give --bitrate or --target-size, or leave --two-pass out"
    )]
    TwoPassRate,
    /// The encoder does not keep to a maximum of bits per second at this rate.
    #[error("{encoder} does not keep to --max-bitrate at this rate: {instead}")]
    Peak {
        /// The encoder asked for.
        encoder: Encoder,
        /// The way out.
        instead: &'static str,
    },
    /// The maximum of bits per second is less than their mean.
    #[error("--max-bitrate {most} is less than --bitrate {mean}: give at least {mean}")]
    PeakBelowMean {
        /// The maximum.
        most: Bitrate,
        /// The mean.
        mean: Bitrate,
    },
}
