//! Numbers with units. Each kind of number is a whole number of its smallest unit.

use std::fmt;

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Count,
    Pixels,
    /// Bits per sample.
    Bits,
    /// Thousandths of a frame per second.
    Fps,
    /// Bytes.
    Size,
    /// Bits per second.
    Bitrate,
    /// Milliseconds.
    Duration,
    /// Seconds.
    Age,
}

/// The names of a unit, and how many of the smallest unit it is. The first name is shown.
type Names = (&'static [&'static str], u64);

const SIZE: &[Names] = &[
    (&["TB", "tb", "T"], 1_000_000_000_000),
    (&["GB", "gb", "G"], 1_000_000_000),
    (&["MB", "mb", "M"], 1_000_000),
    (&["kB", "KB", "kb", "k", "K"], 1_000),
    (&["TiB"], 1 << 40),
    (&["GiB"], 1 << 30),
    (&["MiB"], 1 << 20),
    (&["KiB"], 1 << 10),
    (&["B", "byte", "bytes"], 1),
];
const BITRATE: &[Names] = &[
    (&["Gb/s", "Gbit/s", "Gbps", "G"], 1_000_000_000),
    (&["Mb/s", "Mbit/s", "Mbps", "mbps", "M"], 1_000_000),
    (&["kb/s", "kbit/s", "kbps", "Kbps", "k", "K"], 1_000),
    (&["b/s", "bit/s", "bps"], 1),
];
const DURATION: &[Names] = &[
    (&["h", "hour", "hours"], 3_600_000),
    (&["min", "m", "minute", "minutes"], 60_000),
    (&["s", "sec", "second", "seconds"], 1_000),
    (&["ms"], 1),
];
const AGE: &[Names] = &[
    (&["days", "day", "d", "weeks", "week", "w"], 86_400),
    (&["h", "hour", "hours"], 3_600),
    (&["min", "minute", "minutes"], 60),
    (&["s", "sec", "second", "seconds"], 1),
];
const FPS: &[Names] = &[(&["fps"], 1_000)];
const PIXELS: &[Names] = &[(&["px", "p", "pixels"], 1)];
const BITS: &[Names] = &[(&["bit", "bits"], 1)];

/// A number as it is written: digits, and how many of them are behind the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decimal {
    pub(super) digits: u128,
    pub(super) behind: u32,
}

/// Why a number cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    UnknownUnit { known: String },
    NoUnit { example: &'static str },
    NotWhole,
    TooLarge,
}

impl Unit {
    fn names(self) -> &'static [Names] {
        match self {
            Self::Count => &[],
            Self::Pixels => PIXELS,
            Self::Bits => BITS,
            Self::Fps => FPS,
            Self::Size => SIZE,
            Self::Bitrate => BITRATE,
            Self::Duration => DURATION,
            Self::Age => AGE,
        }
    }

    /// What a number without a unit means, in the smallest unit; `None` if it needs one.
    fn bare(self) -> Option<u64> {
        match self {
            Self::Count | Self::Pixels | Self::Bits => Some(1),
            Self::Fps => Some(1_000),
            Self::Size | Self::Bitrate | Self::Duration | Self::Age => None,
        }
    }

    /// No file has a larger number, in the smallest unit.
    pub(super) fn most(self) -> u64 {
        // Times of files lie between the years -9999 and 9999.
        const SECONDS_OF_A_YEAR: u64 = 366 * 86_400;
        match self {
            Self::Age => 20_000 * SECONDS_OF_A_YEAR,
            _ => u64::MAX,
        }
    }

    /// A number of this kind, for errors.
    pub(super) fn example(self) -> &'static str {
        match self {
            Self::Count => "2",
            Self::Pixels => "1080",
            Self::Bits => "10",
            Self::Fps => "29.97",
            Self::Size => "500 MB",
            Self::Bitrate => "4 Mb/s",
            Self::Duration => "20 min",
            Self::Age => "30 days",
        }
    }

    /// The number of the smallest unit.
    pub(super) fn value(self, number: Decimal, unit: Option<&str>) -> Result<u64, Unusable> {
        let scale = match unit {
            Some(name) => self.scale(name)?,
            None if number.digits == 0 => 1,
            None => self.bare().ok_or(Unusable::NoUnit {
                example: self.example(),
            })?,
        };
        let behind = 10_u128.pow(number.behind);
        let scaled = number
            .digits
            .checked_mul(scale.into())
            .ok_or(Unusable::TooLarge)?;
        if self.bare() == Some(1) && !scaled.is_multiple_of(behind) {
            return Err(Unusable::NotWhole);
        }
        u64::try_from((scaled.saturating_add(behind / 2)) / behind).map_err(|_| Unusable::TooLarge)
    }

    fn scale(self, name: &str) -> Result<u64, Unusable> {
        let is_week = self == Self::Age && name.starts_with('w');
        let mut units = self.names().iter();
        let found = units.find(|(names, _)| names.contains(&name));
        match found {
            Some((_, scale)) if is_week => Ok(scale * 7),
            Some((_, scale)) => Ok(*scale),
            None => {
                let names = self.names().iter();
                let known: Vec<_> = names
                    .filter_map(|(names, _)| names.first().copied())
                    .collect();
                Err(Unusable::UnknownUnit {
                    known: known.join(", "),
                })
            }
        }
    }

    /// Writes a number so that it is read again as the same.
    pub(super) fn write(self, value: u64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self == Self::Fps {
            return write!(f, "{}", Thousandths(value.into()));
        }
        if value == 0 || self.bare().is_some() {
            return write!(f, "{value}");
        }
        let shown = || {
            let units = self.names().iter();
            units.filter_map(|(names, scale)| Some((names.first()?, scale)))
        };
        if value == 86_400 && self == Self::Age {
            return f.write_str("1 day");
        }
        let thousandths = u128::from(value) * 1_000;
        let exact = shown().filter_map(|(name, scale)| {
            let scale = u128::from(*scale);
            let is_exact = u128::from(value) >= scale && thousandths.is_multiple_of(scale);
            is_exact.then(|| (Thousandths(thousandths / scale).to_string(), name))
        });
        // The shortest number is the one that a person would write.
        match exact.min_by_key(|(number, _)| number.len()) {
            Some((number, name)) => write!(f, "{number} {name}"),
            None => write!(f, "{value}"),
        }
    }
}

/// A number of thousandths, shown without zeros at the end.
struct Thousandths(u128);

impl fmt::Display for Thousandths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0 / 1_000, self.0 % 1_000);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        let rest = format!("{rest:03}");
        write!(f, "{whole}.{}", rest.trim_end_matches('0'))
    }
}
