//! Rules: when the original of a file is the better result, so that its job ends as `kept`.

pub mod condition;
pub mod facts;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::rules::condition::Condition;
use crate::wire::is_default;

/// The rules of a job. The default lets every encode replace nothing and keep nothing.
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
