//! Why a recipe is refused.

use crate::names::token::Token;
use crate::recipe::container::Container;
use crate::recipe::encoder::{Codec, Encoder};

/// A recipe that cannot work whatever the input is.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// e.g. H.264 in WebM.
    #[error(
        "{container} cannot hold {codec} video: choose another --container (mkv holds everything)"
    )]
    Video {
        /// The container asked for.
        container: Container,
        /// The codec that the encoder makes.
        codec: Codec,
    },
    /// e.g. AAC in WebM.
    #[error("{container} cannot hold {codec} audio: choose another --audio encoder or --container")]
    Audio {
        /// The container asked for.
        container: Container,
        /// The codec that the encoder makes.
        codec: &'static str,
    },
    /// A preset that this encoder does not have.
    #[error("{encoder} has no preset '{preset}': use {instead}")]
    Preset {
        /// The encoder asked for.
        encoder: Encoder,
        /// What was asked of it.
        preset: Token,
        /// What it has.
        instead: String,
    },
    /// Filters that cut or stretch the film while its sound and subtitles stay as long as they are.
    #[error(
        "filter '{0}' changes when frames are shown, and sound and subtitles would not follow: leave it out, or give --audio none and --subtitles none"
    )]
    Length(String),
    /// Tone mapping of what is no light.
    #[error(
        "filter 'tonemap' works on linear light only: give --hdr sdr for the whole conversion, or put zscale=t=linear before it"
    )]
    ToneMap,
    /// A number that means nothing for this encoder.
    #[error("{encoder} cannot work at {what}: use {instead}")]
    Rate {
        /// The encoder asked for.
        encoder: Encoder,
        /// What was asked of it.
        what: String,
        /// What it understands.
        instead: String,
    },
}
