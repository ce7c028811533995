//! The frame rate of an output.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::named::written_as_text;

/// The frame rate of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum FrameRate {
    /// Each frame of the source at its own time.
    #[default]
    Keep,
    /// `25`: this rate throughout; frames are doubled or left out.
    Constant(FramesPerSecond),
    /// `peak:30`: at most this rate; slower parts keep their times.
    Peak(FramesPerSecond),
    /// `half`: every second frame.
    Half,
}

/// Frames per second as a ratio. `23.976`, `29.97`, `59.94` and `119.88` are the rates of NTSC, e.g. 24000/1001.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct FramesPerSecond {
    pub numerator: u32,
    pub denominator: u32,
}

/// The text is no frame rate.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is no frame rate: expected keep, half, a rate (25, 23.976, 30000/1001; 1 to 1000) or peak:RATE"
)]
pub struct FrameRateError(String);

impl FramesPerSecond {
    /// As a decimal number.
    pub fn value(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    fn parse(text: &str) -> Option<Self> {
        let ratio = match text {
            "23.976" | "23.98" => (24000, 1001),
            "29.97" => (30000, 1001),
            "47.952" => (48000, 1001),
            "59.94" => (60000, 1001),
            "119.88" => (120_000, 1001),
            _ => match text.split_once('/') {
                Some((numerator, denominator)) => {
                    (numerator.parse().ok()?, denominator.parse().ok()?)
                }
                None => match text.split_once('.') {
                    None => (text.parse().ok()?, 1),
                    Some((_, decimals)) if decimals.len() > 3 => return None,
                    Some(_) => ((text.parse::<f64>().ok()? * 1000.0).round() as u32, 1000),
                },
            },
        };
        let (numerator, denominator) = ratio;
        let rate = Self {
            numerator,
            denominator,
        };
        (denominator > 0 && (1.0..=1000.0).contains(&rate.value())).then_some(rate)
    }
}

impl fmt::Display for FramesPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.numerator, self.denominator) {
            (numerator, 1) => numerator.fmt(f),
            (numerator, denominator) => write!(f, "{numerator}/{denominator}"),
        }
    }
}

impl FromStr for FrameRate {
    type Err = FrameRateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let rate =
            |rate| FramesPerSecond::parse(rate).ok_or_else(|| FrameRateError(text.to_owned()));
        Ok(match text {
            "keep" => Self::Keep,
            "half" => Self::Half,
            _ => match text.strip_prefix("peak:") {
                Some(peak) => Self::Peak(rate(peak)?),
                None => Self::Constant(rate(text.strip_prefix("cfr:").unwrap_or(text))?),
            },
        })
    }
}

impl fmt::Display for FrameRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("keep"),
            Self::Constant(rate) => rate.fmt(f),
            Self::Peak(rate) => write!(f, "peak:{rate}"),
            Self::Half => f.write_str("half"),
        }
    }
}

written_as_text!(FrameRate, FrameRateError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        let shown = |text: &str| text.parse::<FrameRate>().expect("a rate").to_string();
        for (text, same) in [
            ("keep", "keep"),
            ("half", "half"),
            ("25", "25"),
            ("23.976", "24000/1001"),
            ("12.5", "12500/1000"),
            ("peak:30000/1001", "peak:30000/1001"),
        ] {
            assert_eq!(shown(text), same);
            assert_eq!(shown(same), same);
        }
        for bad in [
            "", "0", "25/0", "1001", "peak", "peak:", "cfr", "-25", "NaN", "23.97602",
        ] {
            assert!(bad.parse::<FrameRate>().is_err(), "{bad}");
        }
    }
}
