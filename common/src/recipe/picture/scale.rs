//! The size of the output's picture.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The size of the output's picture, in pixels. All but [`Scale::Exact`] are upper limits that keep the picture's
/// shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scale {
    /// `720p`: the shorter side, in portrait and landscape.
    Shorter(u32),
    /// `1280x-2`: the width.
    Width(u32),
    /// `-2x720`: the height.
    Height(u32),
    /// `1280x720`: both, for every size and shape of the source.
    Exact(u32, u32),
}

/// The text is no size.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is no size: expected e.g. 720p, 1280x-2, -2x720 or 1280x720, even and at most 16384"
)]
pub struct ScaleError(String);

impl Scale {
    /// Width and height, both even, of a picture whose size was `shown` (in pixels that are `aspect` times as wide as
    /// high); `None` if the picture keeps its size. Sources below a limit are enlarged only if `up`.
    pub fn of(self, shown: (u32, u32), aspect: f64, up: bool) -> Option<(u32, u32)> {
        let (width, height) = (f64::from(shown.0), f64::from(shown.1));
        let factor = match self {
            Self::Exact(width, height) => {
                return (shown != (width, height)).then_some((width, height));
            }
            Self::Shorter(limit) => f64::from(limit) / height.min(width * aspect),
            Self::Width(limit) => f64::from(limit) / width,
            Self::Height(limit) => f64::from(limit) / height,
        };
        let even = |side: f64| ((side * factor / 2.0).round() as u32 * 2).max(2);
        let is_wanted = factor < 1.0 || (up && factor > 1.0);
        is_wanted.then(|| (even(width), even(height)))
    }

    /// The stated sides, width and height.
    pub fn sides(self) -> (Option<u32>, Option<u32>) {
        match self {
            Self::Shorter(limit) => (Some(limit), Some(limit)),
            Self::Width(limit) => (Some(limit), None),
            Self::Height(limit) => (None, Some(limit)),
            Self::Exact(width, height) => (Some(width), Some(height)),
        }
    }
}

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
        if let Some(shorter) = text.strip_suffix('p') {
            return side(shorter)?.map(Self::Shorter).ok_or_else(error);
        }
        let (width, height) = text.split_once(['x', ':']).ok_or_else(error)?;
        match (side(width)?, side(height)?) {
            (Some(width), Some(height)) => Ok(Self::Exact(width, height)),
            (Some(width), None) => Ok(Self::Width(width)),
            (None, Some(height)) => Ok(Self::Height(height)),
            (None, None) => Err(error()),
        }
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
        match self {
            Self::Shorter(limit) => write!(f, "{limit}p"),
            Self::Width(limit) => write!(f, "{limit}x-2"),
            Self::Height(limit) => write!(f, "-2x{limit}"),
            Self::Exact(width, height) => write!(f, "{width}x{height}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(text: &str) -> Scale {
        text.parse().expect("a size")
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for text in ["720p", "1280x-2", "-2x720", "1280x720"] {
            assert_eq!(scale(text).to_string(), text);
        }
        assert_eq!(scale("-1:720"), Scale::Height(720));
        for bad in [
            "",
            "p",
            "-2p",
            "721p",
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

    #[test]
    fn a_limit_holds_for_the_shorter_side_and_enlarges_nothing() {
        let of = |text: &str, shown| scale(text).of(shown, 1.0, false);
        assert_eq!(of("720p", (1920, 1080)), Some((1280, 720)));
        assert_eq!(of("720p", (1080, 1920)), Some((720, 1280)));
        assert_eq!(of("720p", (640, 360)), None);
        assert_eq!(of("720p", (1281, 721)), Some((1280, 720)));
        assert_eq!(of("1280x-2", (1080, 1920)), None);
        assert_eq!(of("-2x720", (1080, 1920)), Some((406, 720)));
        assert_eq!(of("1280x720", (640, 360)), Some((1280, 720)));
        assert_eq!(of("1280x720", (1280, 720)), None);
        assert_eq!(scale("720p").of((640, 360), 1.0, true), Some((1280, 720)));
    }

    #[test]
    fn wide_pixels_keep_their_shape() {
        // PAL at 16:9 is shown 1024 wide and 576 high.
        let pal = scale("480p").of((720, 576), 64.0 / 45.0, false);
        assert_eq!(pal, Some((600, 480)));
        // A portrait picture of wide pixels.
        let portrait = scale("480p").of((360, 1280), 2.0, false);
        assert_eq!(portrait, Some((240, 854)));
    }
}
