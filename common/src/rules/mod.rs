//! Rules: when the original of a file is the better result, so that its job ends as `kept`.

pub mod condition;
pub mod facts;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::names::location::Location;
use crate::rules::condition::Condition;
use crate::wire::is_default;

/// Thousandths of the input's size by which an output may miss its limit.
pub const TOLERANCE: u8 = 5;

/// The rules of a job. By default, no original is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rules {
    /// The job is not done if this holds for its input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_if: Option<Condition>,
    /// How much smaller than the input an output must be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_saving: Option<MinSaving>,
    /// What becomes of the original of a job that ends as `kept`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub original: Original,
}

/// The whole percent, from 0 to 99, by which an output must be smaller than its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = u8, minimum = 0, maximum = 99))]
pub struct MinSaving(u8);

/// The text or number is no saving.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no saving: give a whole percent from 0% to 99%, e.g. 10%")]
pub struct MinSavingError(String);

impl MinSaving {
    /// The percent.
    pub fn percent(self) -> u8 {
        self.0
    }

    /// The most bytes that an output may have. [`TOLERANCE`] of the input's size is added, so that an output is not
    /// dropped over a few bytes: a copy into another container is hardly ever of the very same size.
    pub fn most(self, input: u64) -> u64 {
        let share = 1_000 - 10 * u128::from(self.0) + u128::from(TOLERANCE);
        let most = u128::from(input) * share / 1_000;
        u64::try_from(most).unwrap_or(u64::MAX)
    }
}

impl TryFrom<u8> for MinSaving {
    type Error = MinSavingError;

    fn try_from(percent: u8) -> Result<Self, Self::Error> {
        if percent > 99 {
            return Err(MinSavingError(percent.to_string()));
        }
        Ok(Self(percent))
    }
}

impl From<MinSaving> for u8 {
    fn from(saving: MinSaving) -> Self {
        saving.0
    }
}

impl FromStr for MinSaving {
    type Err = MinSavingError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || MinSavingError(text.to_owned());
        let percent = text.strip_suffix('%').unwrap_or(text).trim_end();
        let percent: u8 = percent.parse().map_err(|_| wrong())?;
        Self::try_from(percent).map_err(|_| wrong())
    }
}

impl fmt::Display for MinSaving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

/// What becomes of the original of a job that ends as `kept`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Original {
    /// It is left where it is, and nothing is written.
    #[default]
    Leave,
    /// It is left where it is, and a copy takes the place of the output.
    Copy,
}

impl Original {
    /// Where the copy of an original is put: beside the output, with the output's stem and the original's extension.
    pub fn copy_of(input: &Location, output: &Location) -> Location {
        let (output_name, input_name) = (output.name(), input.name());
        let stem = Path::new(&output_name).file_stem();
        let stem = stem.map_or(output_name.clone(), |stem| {
            stem.to_string_lossy().into_owned()
        });
        let name = match Path::new(&input_name).extension() {
            Some(extension) => format!("{stem}.{}", extension.to_string_lossy()),
            None => stem,
        };
        output.sibling(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_may_miss_its_limit_by_half_a_percent() {
        let most = |saving: &str, input| saving.parse::<MinSaving>().expect("sound").most(input);
        assert_eq!(most("0%", 1_000_000), 1_005_000);
        assert_eq!(most("10", 1_000_000), 905_000);
        assert_eq!(most("99 %", 1_000), 15);
        assert_eq!(most("0%", 0), 0);
        assert_eq!(most("0%", u64::MAX), u64::MAX);
        for bad in ["", "%", "100%", "-1", "10.5%", "ten"] {
            assert!(bad.parse::<MinSaving>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_copy_has_the_stem_of_the_output_and_the_extension_of_the_original() {
        let of = |input: &str, output: &str| {
            let at = |name: &str| Location::s3("media", name).expect("a location");
            Original::copy_of(&at(input), &at(output)).key()
        };
        assert_eq!(of("in/Film.mp4", "out/sub/Film.mkv"), "out/sub/Film.mp4");
        assert_eq!(of("in/Film.avi", "out/Film.avi.mkv"), "out/Film.avi.avi");
        assert_eq!(
            of("in/Film h264.mkv", "out/Film hevc.mkv"),
            "out/Film hevc.mkv"
        );
        assert_eq!(of("in/film", "out/film.mkv"), "out/film");
    }
}
