//! The output's picture: its depth, dynamic range and colour sampling here, and a file for each further property.

mod crop;
mod files;
mod frame_rate;
mod orientation;
mod overlay;
mod restore;
mod scale;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::unknown::UnknownName;
use crate::recipe::named::named;

pub use crop::{Borders, Crop, CropError};
pub use files::{CubeError, LARGEST_RECIPE_FILE, PictureForm, check_cube};
pub use frame_rate::{FrameRate, FrameRateError, FramesPerSecond};
pub use orientation::{Pad, PadError, Rotate, RotateError};
pub use overlay::{Place, Watermark};
pub use restore::{Deinterlace, Denoise, DenoiseFilter, Strength};
pub use scale::{Scale, ScaleError};

/// Bits per sample of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum BitDepth {
    /// 8 bits.
    Eight,
    /// 10 bits.
    Ten,
}

impl From<BitDepth> for u8 {
    fn from(depth: BitDepth) -> Self {
        match depth {
            BitDepth::Eight => 8,
            BitDepth::Ten => 10,
        }
    }
}

impl TryFrom<u8> for BitDepth {
    type Error = UnknownName;

    fn try_from(bits: u8) -> Result<Self, Self::Error> {
        match bits {
            8 => Ok(Self::Eight),
            10 => Ok(Self::Ten),
            _ => Err(UnknownName::new(
                "bit depth",
                &bits.to_string(),
                &["8", "10"],
            )),
        }
    }
}

impl FromStr for BitDepth {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "8" => Ok(Self::Eight),
            "10" => Ok(Self::Ten),
            _ => Err(UnknownName::new("bit depth", text, &["8", "10"])),
        }
    }
}

/// What to do with high dynamic range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Hdr {
    /// Keep it.
    #[default]
    Keep,
    /// Tone map it to standard dynamic range in the colours of BT.709; wide colours and RGB become BT.709 as well.
    Sdr,
    /// Refuse inputs of high dynamic range.
    Refuse,
}

named!(Hdr, "choice of dynamic range": Keep = "keep", Sdr = "sdr", Refuse = "refuse");

/// The curve that maps high to standard dynamic range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ToneMap {
    /// Keeps contrast, and darkens.
    #[default]
    Hable,
    /// ITU-R BT.2390: keeps dark and middle tones, and compresses bright ones.
    Bt2390,
    /// Keeps middle tones, and compresses bright ones smoothly.
    Mobius,
    /// Simple, and flat in contrast.
    Reinhard,
}

named!(ToneMap, "tone map": Hable = "hable", Bt2390 = "bt2390", Mobius = "mobius", Reinhard = "reinhard");

/// The colour sampling of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Chroma {
    /// The source's, as far as the encoder can.
    #[default]
    #[serde(rename = "keep")]
    Keep,
    /// 4:2:0, which every player knows.
    #[serde(rename = "420")]
    Yuv420,
}

/// `keep` or `420`.
impl FromStr for Chroma {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "keep" => Ok(Self::Keep),
            "420" | "4:2:0" => Ok(Self::Yuv420),
            _ => Err(UnknownName::new(
                "sampling of colour",
                text,
                &["keep", "420"],
            )),
        }
    }
}
