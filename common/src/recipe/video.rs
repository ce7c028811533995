//! What a recipe does with video.

use serde::{Deserialize, Serialize};

use crate::names::token::Token;
use crate::recipe::arguments::Argument;
use crate::recipe::choice::Choice;
use crate::recipe::filters::Filters;
use crate::recipe::picture::{BitDepth, Chroma, Hdr};
use crate::recipe::rate::Rate;
use crate::recipe::scale::Scale;
use crate::wire::is_default;

/// What to do with the video.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Video {
    /// Encode it.
    Encode(Box<VideoEncode>),
    /// Copy it.
    Copy,
}

/// How video is encoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VideoEncode {
    /// The encoder, or the codec.
    pub with: Choice,
    /// How much quality, or how many bits.
    #[serde(default)]
    pub rate: Rate,
    /// The encoder's own preset, e.g. `slow`, `p5`, `8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Token>,
    /// Bits per sample, 8 or 10; the source's if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<BitDepth>,
    /// What to do with high dynamic range.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hdr: Hdr,
    /// The colour sampling.
    #[serde(default, skip_serializing_if = "is_default")]
    pub chroma: Chroma,
    /// The picture's size; the source's if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// Whether `scale` may enlarge a smaller source.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scale_up: bool,
    /// Filters that are applied before the encode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filters: Option<Filters>,
    /// Further arguments for ffmpeg.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<Argument>,
}

impl VideoEncode {
    /// An encode with defaults for the rest.
    pub fn new(with: Choice) -> Self {
        Self {
            with,
            rate: Rate::default(),
            preset: None,
            bit_depth: None,
            hdr: Hdr::default(),
            chroma: Chroma::default(),
            scale: None,
            scale_up: false,
            filters: None,
            arguments: Vec::new(),
        }
    }

    /// Whether the output has each frame of the input once, and no other.
    pub fn keeps_frames(&self) -> bool {
        self.filters.as_ref().is_none_or(Filters::keep_frames)
            && self.arguments.iter().all(Argument::keeps_frames)
    }
}
