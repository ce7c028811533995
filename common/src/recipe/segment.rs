//! Segments: the parts of a stream that players of HLS and DASH load one by one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Seconds of a segment. Every segment begins with a keyframe, at the same times in all renditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Segment(u8);

/// The length is out of range, or no number of seconds.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no length of segments: expected whole seconds, 1 to 60, e.g. 6s")]
pub struct SegmentError(String);

impl Segment {
    /// The number of seconds.
    pub fn seconds(self) -> u32 {
        self.0.into()
    }
}

impl Default for Segment {
    /// What Apple advises for HLS.
    fn default() -> Self {
        Self(6)
    }
}

impl TryFrom<u8> for Segment {
    type Error = SegmentError;

    fn try_from(seconds: u8) -> Result<Self, Self::Error> {
        match (1..=60).contains(&seconds) {
            true => Ok(Self(seconds)),
            false => Err(SegmentError(seconds.to_string())),
        }
    }
}

impl From<Segment> for u8 {
    fn from(segment: Segment) -> Self {
        segment.0
    }
}

impl FromStr for Segment {
    type Err = SegmentError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || SegmentError(text.to_owned());
        let seconds = text.strip_suffix('s').unwrap_or(text);
        let seconds: u8 = seconds.parse().map_err(|_| error())?;
        seconds.try_into().map_err(|_| error())
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        for (text, seconds) in [("6s", 6), ("2", 2), ("60s", 60)] {
            let read: Segment = text.parse().expect("a length");
            assert_eq!(read.seconds(), seconds);
        }
        for bad in ["", "s", "0", "61", "2.5", "6m", "-1s", "6 s"] {
            let error = bad.parse::<Segment>().expect_err(bad).to_string();
            assert!(error.contains("no length of segments"), "{error}");
        }
    }
}
