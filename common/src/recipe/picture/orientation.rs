//! Turning a picture, and putting it on a larger canvas.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::named::written_as_text;

/// A turn of the picture: `90`, `180`, `270` degrees clockwise, `hflip`, or `90:hflip`, where the flip comes last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rotate {
    /// Quarter turns clockwise, 0 to 3.
    pub quarters: u8,
    /// Whether left and right are exchanged afterwards.
    pub flip: bool,
}

/// The text is no turn.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no rotation: expected 90, 180, 270, hflip, vflip or e.g. 90:hflip")]
pub struct RotateError(String);

impl FromStr for Rotate {
    type Err = RotateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (angle, flip) = match text {
            "hflip" => ("0", true),
            "vflip" => ("180", true),
            _ => match text.strip_suffix(":hflip") {
                Some(angle) => (angle, true),
                None => (text, false),
            },
        };
        let quarters = match angle {
            "0" if flip => 0,
            "90" => 1,
            "180" => 2,
            "270" => 3,
            _ => return Err(RotateError(text.to_owned())),
        };
        Ok(Self { quarters, flip })
    }
}

impl fmt::Display for Rotate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.quarters, self.flip) {
            (0, _) => f.write_str("hflip"),
            (quarters, flip) => {
                let angle = u32::from(quarters) * 90;
                write!(f, "{angle}{}", if flip { ":hflip" } else { "" })
            }
        }
    }
}

written_as_text!(Rotate, RotateError);

/// A canvas for the picture, which is in its middle, with black around it. The picture is never cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Pad {
    /// `1920x1080`: a canvas of this size; a larger picture is scaled down to fit.
    Size(u32, u32),
    /// `16:9`: the smallest canvas of this shape.
    Aspect(u32, u32),
}

/// The text is no canvas.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no canvas: expected a size, e.g. 1920x1080, or a shape, e.g. 16:9")]
pub struct PadError(String);

impl FromStr for Pad {
    type Err = PadError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || PadError(text.to_owned());
        let number = |text: &str, range: std::ops::RangeInclusive<u32>| {
            text.parse()
                .ok()
                .filter(|n| range.contains(n))
                .ok_or_else(error)
        };
        if let Some((width, height)) = text.split_once(':') {
            return Ok(Self::Aspect(
                number(width, 1..=1000)?,
                number(height, 1..=1000)?,
            ));
        }
        let (width, height) = text.split_once('x').ok_or_else(error)?;
        let side = |text| {
            let side = number(text, 2..=16384)?;
            if side.is_multiple_of(2) {
                Ok(side)
            } else {
                Err(error())
            }
        };
        Ok(Self::Size(side(width)?, side(height)?))
    }
}

impl fmt::Display for Pad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size(width, height) => write!(f, "{width}x{height}"),
            Self::Aspect(width, height) => write!(f, "{width}:{height}"),
        }
    }
}

written_as_text!(Pad, PadError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_and_canvases_are_read_as_people_write_them() {
        for text in ["90", "180", "270", "hflip", "90:hflip"] {
            assert_eq!(text.parse::<Rotate>().expect("a turn").to_string(), text);
        }
        assert_eq!(
            "vflip".parse::<Rotate>().expect("a turn").to_string(),
            "180:hflip"
        );
        for text in ["1920x1080", "16:9"] {
            assert_eq!(text.parse::<Pad>().expect("a canvas").to_string(), text);
        }
        for bad in ["", "0", "45", "90:vflip", "flip"] {
            assert!(bad.parse::<Rotate>().is_err(), "{bad}");
        }
        for bad in ["", "16", "0:9", "1921x1080", "x", "16:9:1"] {
            assert!(bad.parse::<Pad>().is_err(), "{bad}");
        }
    }
}
