//! Health: what a check has found in a file.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::job::kind::CheckDepth;

/// The health of a file that was checked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// How much of the file was decoded.
    pub depth: CheckDepth,
    /// The damaged places, in the order of time, as many as [`Health::MOST`]; none in a healthy file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub damage: Vec<Damage>,
    /// How many further places are damaged.
    #[serde(default, skip_serializing_if = "crate::wire::is_default")]
    pub more: u64,
}

/// A damaged place of a file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Damage {
    /// The index of the damaged track among all tracks of the file; `None` if the file itself is damaged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub track: Option<u32>,
    /// Where the damage begins, in seconds from the beginning of the file.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
    /// What is damaged, and how.
    pub what: String,
}

impl Health {
    /// Most damaged places that are listed.
    pub const MOST: usize = 100;

    /// The health of a file with these damaged places.
    pub fn new(depth: CheckDepth, mut damage: Vec<Damage>) -> Self {
        damage.sort_by(|one, other| one.from.total_cmp(&other.from));
        let more = damage.len().saturating_sub(Self::MOST) as u64;
        damage.truncate(Self::MOST);
        Self {
            depth,
            damage,
            more,
        }
    }

    /// Whether anything is damaged.
    pub fn is_damaged(&self) -> bool {
        !self.damage.is_empty()
    }
}

impl Damage {
    /// Damage to the whole file, without a time.
    pub fn whole(what: impl Into<String>) -> Self {
        Self {
            track: None,
            from: 0.0,
            to: 0.0,
            what: what.into(),
        }
    }
}

/// `0:12:03–0:12:05 video cannot be decoded`; without times where the whole file is meant.
impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (clock(self.from), clock(self.to));
        if self.to > 0.0 {
            f.write_str(&from)?;
            if from != to {
                write!(f, "–{to}")?;
            }
            f.write_str(" ")?;
        }
        f.write_str(&self.what)
    }
}

/// Seconds as a clock shows them: `0:12:03`.
fn clock(seconds: f64) -> String {
    let seconds = seconds.max(0.0) as u64;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours}:{minutes:02}:{:02}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_told_with_its_times() {
        let damage = |from, to| Damage {
            track: Some(0),
            from,
            to,
            what: "video cannot be decoded".to_owned(),
        };
        for (from, to, words) in [
            (723.4, 725.2, "0:12:03–0:12:05 video cannot be decoded"),
            (3723.4, 3723.6, "1:02:03 video cannot be decoded"),
            (0.0, 0.0, "video cannot be decoded"),
        ] {
            assert_eq!(damage(from, to).to_string(), words);
        }
    }

    #[test]
    fn a_file_that_is_damaged_everywhere_is_told_briefly() {
        let places = (0..150).rev().map(|second| Damage {
            track: None,
            from: f64::from(second),
            to: f64::from(second),
            what: String::new(),
        });
        let health = Health::new(CheckDepth::Full, places.collect());
        assert!(health.is_damaged());
        assert_eq!((health.damage.len(), health.more), (Health::MOST, 50));
        assert_eq!(health.damage[0].from, 0.0);
        assert!(!Health::new(CheckDepth::Quick, Vec::new()).is_damaged());
    }
}
