//! Loudness normalisation, by EBU R 128.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::named::written_as_text;

/// The loudness of encoded tracks: `-23/7/-2`, where the last two may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Loudness {
    /// Integrated loudness in LUFS.
    pub integrated: f64,
    /// Loudness range in LU.
    pub range: f64,
    /// The most true peak in dBTP.
    pub peak: f64,
}

/// The text is no loudness.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is no loudness: expected LUFS[/RANGE[/PEAK]], e.g. -23/7/-2 (LUFS -70 to -5, range 1 to 50, peak -9 to 0)"
)]
pub struct LoudnessError(String);

impl Default for Loudness {
    fn default() -> Self {
        Self {
            integrated: -23.0,
            range: 7.0,
            peak: -2.0,
        }
    }
}

impl FromStr for Loudness {
    type Err = LoudnessError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || LoudnessError(text.to_owned());
        let mut parts = text.split('/');
        let mut number = |default: f64, range: std::ops::RangeInclusive<f64>| match parts.next() {
            None => Ok(default),
            Some(part) => part
                .parse()
                .ok()
                .filter(|value| range.contains(value))
                .ok_or_else(error),
        };
        let default = Self::default();
        let loudness = Self {
            integrated: number(default.integrated, -70.0..=-5.0)?,
            range: number(default.range, 1.0..=50.0)?,
            peak: number(default.peak, -9.0..=0.0)?,
        };
        match parts.next() {
            None => Ok(loudness),
            Some(_) => Err(error()),
        }
    }
}

impl fmt::Display for Loudness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.integrated, self.range, self.peak)
    }
}

written_as_text!(Loudness, LoudnessError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loudness_is_read_as_people_write_it() {
        let read = |text: &str| {
            text.parse::<Loudness>()
                .map(|loudness| loudness.to_string())
                .ok()
        };
        assert_eq!(read("-23/7/-2").as_deref(), Some("-23/7/-2"));
        assert_eq!(read("-16").as_deref(), Some("-16/7/-2"));
        for bad in ["", "23", "-23/", "-23/7/-2/1", "-23/0", "loud"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }
}
