//! What a recipe does with video.

use serde::{Deserialize, Serialize};

use crate::names::location::Location;
use crate::names::token::Token;
use crate::recipe::arguments::Argument;
use crate::recipe::choice::Choice;
use crate::recipe::filters::Filters;
use crate::recipe::picture::{
    BitDepth, Chroma, Crop, Deinterlace, Denoise, FrameRate, Hdr, Pad, Rotate, Scale, Strength,
    ToneMap, Watermark,
};
use crate::recipe::rate::{Bitrate, Rate, Score, Speed};
use crate::recipe::subtitles::BurnIn;
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
    /// Leave it out: the output has audio only.
    None,
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
    /// The most bits per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bitrate: Option<Bitrate>,
    /// Whether the encoder sees the video twice, to spread the bits of a bitrate or a size better.
    #[serde(default, skip_serializing_if = "is_default")]
    pub two_pass: bool,
    /// The least quality, measured by samples of the output: a job whose output has less fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub floor: Option<Score>,
    /// How much time the encoder takes, on one scale for all encoders; `preset` has precedence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed: Option<Speed>,
    /// The encoder's own preset, e.g. `slow`, `p5`, `8`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<Token>,
    /// Bits per sample, 8 or 10; the source's if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bit_depth: Option<BitDepth>,
    /// What to do with high dynamic range.
    #[serde(default, skip_serializing_if = "is_default")]
    pub hdr: Hdr,
    /// The curve for tone mapping.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tone_map: ToneMap,
    /// The colour sampling.
    #[serde(default, skip_serializing_if = "is_default")]
    pub chroma: Chroma,
    /// The borders that are cut off.
    #[serde(default, skip_serializing_if = "is_default")]
    pub crop: Crop,
    /// When interlaced pictures become whole ones.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deinterlace: Deinterlace,
    /// Whether film that was stretched for television (telecine) gets its own frames back.
    #[serde(default, skip_serializing_if = "is_default")]
    pub detelecine: bool,
    /// Removal of noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denoise: Option<Denoise>,
    /// Sharpening.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharpen: Option<Strength>,
    /// Whether bands in smooth areas are removed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deband: bool,
    /// A turn of the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rotate: Option<Rotate>,
    /// The frame rate.
    #[serde(default, skip_serializing_if = "is_default")]
    pub frame_rate: FrameRate,
    /// The picture's size; the source's if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scale: Option<Scale>,
    /// Whether `scale` may enlarge a smaller source.
    #[serde(default, skip_serializing_if = "is_default")]
    pub scale_up: bool,
    /// A canvas for the picture, after scaling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pad: Option<Pad>,
    /// A three-dimensional colour table (a .cube file), where workers can read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lut: Option<Location>,
    /// A picture over the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watermark: Option<Watermark>,
    /// The subtitle track that is drawn into the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burn_in: Option<BurnIn>,
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
            max_bitrate: None,
            two_pass: false,
            floor: None,
            speed: None,
            preset: None,
            bit_depth: None,
            hdr: Hdr::default(),
            tone_map: ToneMap::default(),
            chroma: Chroma::default(),
            crop: Crop::default(),
            deinterlace: Deinterlace::default(),
            detelecine: false,
            denoise: None,
            sharpen: None,
            deband: false,
            rotate: None,
            frame_rate: FrameRate::default(),
            scale: None,
            scale_up: false,
            pad: None,
            lut: None,
            watermark: None,
            burn_in: None,
            filters: None,
            arguments: Vec::new(),
        }
    }

    /// Whether the output has each frame of the input once, and no other. Of a telecined film, `detelecine` leaves out
    /// one frame of five all the same.
    pub fn keeps_frames(&self) -> bool {
        self.frame_rate == FrameRate::Keep && self.paces_frames()
    }

    /// Whether the frame rate alone decides which frames of the film the output has: no filter and no argument adds
    /// or drops any.
    pub fn paces_frames(&self) -> bool {
        self.filters.as_ref().is_none_or(Filters::keep_frames)
            && self.arguments.iter().all(Argument::keeps_frames)
    }
}
