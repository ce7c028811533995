//! How long history (events and batches) is kept. Runs are no history and are kept for good: they tell the farm that
//! a file is done.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::wire;

/// Seconds of a day.
const DAY: u64 = 24 * 3600;

/// Days that history is kept: 1 to 3650.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Days(u32);

impl wire::Message for Days {}

/// The number is out of range.
#[derive(Debug, thiserror::Error)]
#[error("history cannot be kept for '{0}' days: 1 to {max}", max = Days::MOST.0)]
pub struct DaysError(String);

impl Days {
    /// The default: 90 days.
    pub const DEFAULT: Self = Self(90);
    /// The most: ten years.
    pub const MOST: Self = Self(3650);

    /// The days as a duration.
    pub fn duration(self) -> Duration {
        Duration::from_secs(u64::from(self.0) * DAY)
    }
}

impl TryFrom<u32> for Days {
    type Error = DaysError;

    fn try_from(days: u32) -> Result<Self, Self::Error> {
        if (1..=Self::MOST.0).contains(&days) {
            Ok(Self(days))
        } else {
            Err(DaysError(days.to_string()))
        }
    }
}

impl From<Days> for u32 {
    fn from(days: Days) -> Self {
        days.0
    }
}

impl FromStr for Days {
    type Err = DaysError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let days: u32 = text.parse().map_err(|_| DaysError(text.to_owned()))?;
        days.try_into()
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How long a farm keeps its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The setting; `None` if it was never set.
    pub set: Option<Days>,
    /// The limit of the events' stream; zero is for ever. An operator may have changed it on the broker.
    pub events: Duration,
    /// The limit of the batches' stream; zero is for ever.
    pub batches: Duration,
}

#[cfg(test)]
mod tests {
    use super::Days;

    #[test]
    fn days_are_at_least_one() {
        assert_eq!("30".parse::<Days>().expect("days").to_string(), "30");
        for bad in ["0", "3651", "-1", "1.5", ""] {
            assert!(bad.parse::<Days>().is_err(), "{bad}");
        }
    }
}
