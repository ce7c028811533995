//! What people say about splitting.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// Whether a file is encoded in parts, by several encodes at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Split {
    /// Never.
    #[default]
    Off,
    /// If it pays.
    Auto,
    /// Wherever it can be done, in chunks of about so many seconds of film.
    Every(#[serde(deserialize_with = "length")] u32),
}

impl Split {
    /// The shortest and the longest chunk that may be asked for, in seconds.
    pub const LENGTHS: std::ops::RangeInclusive<u32> = 1..=86_400;
}

fn length<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let seconds = u32::deserialize(deserializer)?;
    match Split::LENGTHS.contains(&seconds) {
        true => Ok(seconds),
        false => Err(D::Error::custom(SplitError(format!("{seconds}s")))),
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Off => f.pad("off"),
            Self::Auto => f.pad("auto"),
            Self::Every(seconds) => {
                let length = Duration::from_secs(u64::from(*seconds));
                f.pad(&humantime::format_duration(length).to_string())
            }
        }
    }
}

/// The text does not say how to split.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is no way to split: auto, off, or the length of a chunk from 1s to 1day, such as 30s"
)]
pub struct SplitError(String);

impl FromStr for Split {
    type Err = SplitError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || SplitError(text.to_owned());
        match text {
            "off" => return Ok(Self::Off),
            "auto" => return Ok(Self::Auto),
            _ => {}
        }
        let length = humantime::parse_duration(text).map_err(|_| refused())?;
        let is_whole = length.subsec_nanos() == 0;
        let seconds = u32::try_from(length.as_secs()).ok().filter(|_| is_whole);
        seconds
            .filter(|seconds| Self::LENGTHS.contains(seconds))
            .map(Self::Every)
            .ok_or_else(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_choice_reads_back() {
        for choice in [Split::Off, Split::Auto, Split::Every(90)] {
            assert_eq!(
                choice.to_string().parse::<Split>().expect("a choice"),
                choice
            );
        }
        assert_eq!("2m".parse::<Split>().expect("a length"), Split::Every(120));
        for foreign in ["", "on", "0s", "1500ms", "2days", "30"] {
            foreign.parse::<Split>().expect_err(foreign);
        }
        let every =
            |seconds| serde_json::from_value::<Split>(serde_json::json!({"every": seconds}));
        assert_eq!(every(90).expect("a length"), Split::Every(90));
        every(0).expect_err("no length");
    }
}
