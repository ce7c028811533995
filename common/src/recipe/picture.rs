//! The size and depth of the output's picture.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::UnknownName;

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

/// The size of the output's picture: `1280x720`, `1280x-2`, `-2x720` or `720p`.
/// `-2` follows the source's shape, rounded to an even number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Scale {
    /// Width in pixels; `None` follows the shape.
    pub width: Option<u32>,
    /// Height in pixels; `None` follows the shape.
    pub height: Option<u32>,
}

/// The text is no size.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is no size: expected e.g. 1280x720, 1280x-2, -2x720 or 720p, even and at most 16384"
)]
pub struct ScaleError(String);

impl FromStr for Scale {
    type Err = ScaleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || ScaleError(text.to_owned());
        let side = |text: &str| match text {
            "-1" | "-2" => Ok(None),
            _ => match text.parse::<u32>() {
                Ok(pixels) if (2..=16384).contains(&pixels) && pixels.is_multiple_of(2) => {
                    Ok(Some(pixels))
                }
                _ => Err(error()),
            },
        };
        let (width, height) = match text.strip_suffix('p') {
            Some(height) => ("-2", height),
            None => text.split_once(['x', ':']).ok_or_else(error)?,
        };
        let scale = Self {
            width: side(width)?,
            height: side(height)?,
        };
        if scale.width.is_none() && scale.height.is_none() {
            return Err(error());
        }
        Ok(scale)
    }
}

impl TryFrom<String> for Scale {
    type Error = ScaleError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Scale> for String {
    fn from(scale: Scale) -> Self {
        scale.to_string()
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side =
            |pixels: Option<u32>| pixels.map_or("-2".to_owned(), |pixels| pixels.to_string());
        write!(f, "{}x{}", side(self.width), side(self.height))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!("720p".parse::<Scale>().expect("ok").to_string(), "-2x720");
        assert_eq!(
            "1280x-2".parse::<Scale>().expect("ok").to_string(),
            "1280x-2"
        );
        for bad in [
            "",
            "x",
            "720",
            "1281x720",
            "0x0",
            "-2x-2",
            "99999x2",
            "1280x720;rm",
        ] {
            assert!(bad.parse::<Scale>().is_err(), "{bad}");
        }
    }
}
