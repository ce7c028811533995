//! The size of a file.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::recipe::named::written_as_text;

/// Bytes. Read from `700M`, `1.4G` or `25000k`, where k, M and G are 1000, 1,000,000 and 1,000,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Size(u64);

/// The text is no size of a file.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no size: expected e.g. 700M, 1.4G or 25000k, at least 1k")]
pub struct SizeError(String);

impl Size {
    /// Bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || SizeError(text.to_owned());
        let trimmed = text.strip_suffix(['b', 'B']).unwrap_or(text);
        let units = [
            ('k', 1e3),
            ('K', 1e3),
            ('m', 1e6),
            ('M', 1e6),
            ('g', 1e9),
            ('G', 1e9),
        ];
        let (number, unit) = units
            .iter()
            .find_map(|(unit, bytes)| Some((trimmed.strip_suffix(*unit)?, *bytes)))
            .unwrap_or((trimmed, 1.0));
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(error());
        }
        let bytes = (number.parse::<f64>().map_err(|_| error())? * unit).round();
        // Less than 1 kB is a forgotten unit; more than 10 TB is a typing error.
        if (1e3..=1e13).contains(&bytes) {
            Ok(Self(bytes as u64))
        } else {
            Err(error())
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes.is_multiple_of(1_000_000_000) => write!(f, "{}G", bytes / 1_000_000_000),
            bytes if bytes.is_multiple_of(1_000_000) => write!(f, "{}M", bytes / 1_000_000),
            bytes if bytes.is_multiple_of(1_000) => write!(f, "{}k", bytes / 1_000),
            bytes => bytes.fmt(f),
        }
    }
}

written_as_text!(Size, SizeError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        let bytes = |text: &str| text.parse::<Size>().map(Size::bytes).ok();
        assert_eq!(bytes("700M"), Some(700_000_000));
        assert_eq!(bytes("1.4GB"), Some(1_400_000_000));
        assert_eq!(bytes("25000k"), Some(25_000_000));
        // Binary fractions lie a little below some decimals.
        assert_eq!(bytes("4.1G"), Some(4_100_000_000));
        for bad in ["", "M", "12", "-4M", "4T", "NaN", "inf", "4 M"] {
            assert_eq!(bytes(bad), None, "{bad}");
        }
        let size: Size = "1.4G".parse().expect("a size");
        assert_eq!(size.to_string(), "1400M");
    }
}
