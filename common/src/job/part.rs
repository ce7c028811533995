//! Parts of a job: the whole job, or the pieces of the work of one that is split.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A part of a job. Every part is claimed, run and retried like a job of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The whole job. Of a split job, this is the part that makes the plan, and joins the pieces.
    #[default]
    Whole,
    /// A range of the frames of the film, by its number from 0.
    Chunk(u32),
    /// A second run of this chunk, beside the first one, which takes too long.
    Twin(u32),
    /// All tracks but the film.
    Rest,
}

impl Part {
    /// The number of the chunk that this part makes.
    pub fn chunk(self) -> Option<u32> {
        match self {
            Self::Chunk(number) | Self::Twin(number) => Some(number),
            Self::Whole | Self::Rest => None,
        }
    }
}

/// The word is `all` for the whole job, otherwise as in `chunk-7`.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("all"),
            Self::Chunk(number) => write!(f, "chunk-{number}"),
            Self::Twin(number) => write!(f, "twin-{number}"),
            Self::Rest => f.write_str("rest"),
        }
    }
}

/// The text names no part of a job.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no part of a job: all, rest, or a chunk such as chunk-7")]
pub struct PartError(String);

impl FromStr for Part {
    type Err = PartError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // One spelling only: parts are keys.
        let number = |digits: &str| {
            let number = digits.parse::<u32>().ok()?;
            (number.to_string() == digits).then_some(number)
        };
        let part = match text {
            "all" => Some(Self::Whole),
            "rest" => Some(Self::Rest),
            _ => match text.split_once('-') {
                Some(("chunk", digits)) => number(digits).map(Self::Chunk),
                Some(("twin", digits)) => number(digits).map(Self::Twin),
                _ => None,
            },
        };
        part.ok_or_else(|| PartError(text.to_owned()))
    }
}

impl Serialize for Part {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Part {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_reads_back() {
        for part in [Part::Whole, Part::Chunk(0), Part::Twin(71), Part::Rest] {
            assert_eq!(part.to_string().parse::<Part>().expect("a part"), part);
        }
        for foreign in [
            "", "chunk", "chunk-", "chunk-07", "chunk--1", "chunk-+1", "plan",
        ] {
            foreign.parse::<Part>().expect_err(foreign);
        }
    }
}
