//! Bits per second.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Bits per second. Read from `4M`, `2500k` or `128000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Bitrate(u64);

/// The text is no bitrate.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no bitrate: expected e.g. 4M, 2500k or 128000 bits per second")]
pub struct BitrateError(String);

impl Bitrate {
    /// Less than 1 kbit/s is a forgotten unit.
    const LEAST: u64 = 1_000;
    /// More than 10 Gbit/s is a typing error.
    const MOST: u64 = 10_000_000_000;

    /// Bits per second.
    pub fn bits_per_second(self) -> u64 {
        self.0
    }

    /// `whole`, changed as `of` is changed to this.
    pub(in crate::recipe) fn in_proportion(self, whole: Self, of: Self) -> Self {
        let bits = u128::from(whole.0) * u128::from(self.0) / u128::from(of.0);
        Self(bits.clamp(u128::from(Self::LEAST), u128::from(Self::MOST)) as u64)
    }
}

impl FromStr for Bitrate {
    type Err = BitrateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || BitrateError(text.to_owned());
        let (number, unit) = match text.strip_suffix(['k', 'K']) {
            Some(number) => (number, 1e3),
            None => match text.strip_suffix(['m', 'M']) {
                Some(number) => (number, 1e6),
                None => (text, 1.0),
            },
        };
        if !number.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(error());
        }
        let bits = (number.parse::<f64>().map_err(|_| error())? * unit).round();
        if (Self::LEAST as f64..=Self::MOST as f64).contains(&bits) {
            Ok(Self(bits as u64))
        } else {
            Err(error())
        }
    }
}

impl TryFrom<String> for Bitrate {
    type Error = BitrateError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Bitrate> for String {
    fn from(bitrate: Bitrate) -> Self {
        bitrate.to_string()
    }
}

impl fmt::Display for Bitrate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bits if bits.is_multiple_of(1_000_000) => write!(f, "{}M", bits / 1_000_000),
            bits if bits.is_multiple_of(1_000) => write!(f, "{}k", bits / 1_000),
            bits => bits.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bitrates_are_read_as_people_write_them() {
        let bits = |text: &str| {
            text.parse::<Bitrate>()
                .expect("a bitrate")
                .bits_per_second()
        };
        assert_eq!(bits("4M"), 4_000_000);
        assert_eq!(bits("2.5M"), 2_500_000);
        assert_eq!(bits("128k"), 128_000);
        // Binary fractions lie a little below some decimals.
        assert_eq!(bits("8.2M"), 8_200_000);
        assert_eq!(bits("64.1k"), 64_100);
        for bad in ["abc", "", "5", "-4M", "4G", "4 M", "inf", "NaN", "+4M"] {
            assert!(bad.parse::<Bitrate>().is_err(), "{bad}");
        }
    }
}
