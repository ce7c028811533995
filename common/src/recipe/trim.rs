//! Trimming: the part of the input that becomes the output.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::named::written_as_text;

/// A part of the input, from and to in seconds of the input's time: `1:30-2:45.5`, `10-`, `-20`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Trim {
    /// Where the part begins.
    pub from: f64,
    /// Where the part ends; `None` at the end of the input.
    pub to: Option<f64>,
}

/// The text is no part of an input.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' is no part of a video: expected FROM-TO, e.g. 1:30-2:45, 10-20.5, 10- or -20, with FROM before TO"
)]
pub struct TrimError(String);

impl Trim {
    /// Seconds of the part of an input of this length in seconds.
    pub fn length(self, of: f64) -> f64 {
        (self.to.unwrap_or(of).min(of) - self.from).max(0.0)
    }
}

/// Seconds, `MM:SS` or `HH:MM:SS`, with decimals.
fn seconds(text: &str) -> Option<f64> {
    let mut total = 0.0;
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    for (number, part) in parts.iter().enumerate() {
        if !part.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let value: f64 = match number + 1 == parts.len() {
            true => part.parse().ok()?,
            false => f64::from(part.parse::<u32>().ok()?),
        };
        if number > 0 && value >= 60.0 {
            return None;
        }
        total = total * 60.0 + value;
    }
    (total <= 1e7).then_some(total)
}

impl FromStr for Trim {
    type Err = TrimError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || TrimError(text.to_owned());
        let (from, to) = text.split_once('-').ok_or_else(error)?;
        let side = |text: &str| match text {
            "" => Ok(None),
            _ => seconds(text).map(Some).ok_or_else(error),
        };
        let (from, to) = (side(from)?, side(to)?);
        let trim = Self {
            from: from.unwrap_or(0.0),
            to,
        };
        match (from, to) {
            (None, None) => Err(error()),
            (_, Some(to)) if to <= trim.from => Err(error()),
            _ => Ok(trim),
        }
    }
}

impl fmt::Display for Trim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-", self.from)?;
        self.to.map_or(Ok(()), |to| to.fmt(f))
    }
}

written_as_text!(Trim, TrimError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_read_as_people_write_them() {
        let shown = |text: &str| text.parse::<Trim>().expect("a part").to_string();
        assert_eq!(shown("1:30-2:45.5"), "90-165.5");
        assert_eq!(shown("1:00:00-"), "3600-");
        assert_eq!(shown("-20"), "0-20");
        for bad in [
            "",
            "-",
            "20",
            "20-10",
            "5-5",
            "1:60-2:00",
            "a-b",
            "1-2-3",
            "-1--2",
            "1:2:3:4-",
        ] {
            assert!(bad.parse::<Trim>().is_err(), "{bad}");
        }
        let trim: Trim = "10-20".parse().expect("a part");
        assert_eq!(trim.length(15.0), 5.0);
    }
}
