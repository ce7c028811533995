//! Cropping: cutting off borders.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::named::written_as_text;

/// Which borders of the picture are cut off, before anything else is done to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Crop {
    /// None.
    #[default]
    None,
    /// Black borders, by the median of several pictures; like [`Crop::Loose`] if the shape of the picture changes.
    Auto,
    /// Black borders, as far as they are black in all of several pictures.
    Loose,
    /// This many pixels.
    Exact(Borders),
}

/// Pixels at each side of a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Borders {
    pub top: u32,
    pub bottom: u32,
    pub left: u32,
    pub right: u32,
}

impl Borders {
    /// Whether no side has any.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// The text says nothing about borders.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no crop: expected auto, loose, none or TOP:BOTTOM:LEFT:RIGHT, e.g. 140:140:0:0")]
pub struct CropError(String);

impl FromStr for Crop {
    type Err = CropError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || CropError(text.to_owned());
        match text {
            "none" | "off" => return Ok(Self::None),
            "auto" => return Ok(Self::Auto),
            "loose" | "conservative" => return Ok(Self::Loose),
            _ => {}
        }
        let sides: Vec<u32> = text
            .split(':')
            .map(|side| side.parse().ok().filter(|pixels| *pixels <= 16384))
            .collect::<Option<_>>()
            .ok_or_else(error)?;
        match sides[..] {
            [0, 0, 0, 0] => Ok(Self::None),
            [top, bottom, left, right] => Ok(Self::Exact(Borders {
                top,
                bottom,
                left,
                right,
            })),
            _ => Err(error()),
        }
    }
}

impl fmt::Display for Borders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            top,
            bottom,
            left,
            right,
        } = self;
        write!(f, "{top}:{bottom}:{left}:{right}")
    }
}

impl fmt::Display for Crop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Auto => f.write_str("auto"),
            Self::Loose => f.write_str("loose"),
            Self::Exact(borders) => borders.fmt(f),
        }
    }
}

written_as_text!(Crop, CropError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_are_read_as_people_write_them() {
        for text in ["auto", "loose", "none", "140:140:0:0"] {
            assert_eq!(text.parse::<Crop>().expect("a crop").to_string(), text);
        }
        assert_eq!("0:0:0:0".parse::<Crop>().expect("a crop"), Crop::None);
        for bad in [
            "",
            "1:2:3",
            "1:2:3:4:5",
            "-1:0:0:0",
            "a:b:c:d",
            "99999:0:0:0",
        ] {
            assert!(bad.parse::<Crop>().is_err(), "{bad}");
        }
    }
}
