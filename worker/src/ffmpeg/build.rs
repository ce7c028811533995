//! What an ffmpeg can do beside encoding, as far as command lines depend on it.

use std::collections::BTreeSet;

use common::farm::card::Capabilities;

/// The first version that hands what belongs to frames (HDR metadata, captions) on to every encoder and container.
const HANDS_ON: u32 = 8;

/// The first version that writes to Matroska how players turn the picture.
const TURNS_MATROSKA: u32 = 9;

/// An ffmpeg.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    major: u32,
    filters: BTreeSet<String>,
    encoders: BTreeSet<String>,
}

impl Build {
    /// One of this `version`, e.g. `5.1.9-0+deb12u1`, with these filters and encoders.
    pub fn new(
        version: &str,
        filters: impl IntoIterator<Item = String>,
        encoders: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            major: major(version),
            filters: filters.into_iter().collect(),
            encoders: encoders.into_iter().collect(),
        }
    }

    /// The one that a card tells of.
    pub fn of(card: &Capabilities) -> Self {
        let encoders = card.encoders.keys().map(ToString::to_string);
        Self::new(&card.ffmpeg.version, card.filters.iter().cloned(), encoders)
    }

    /// Whether what belongs to frames reaches every encoder and container that has a place for it.
    pub fn hands_frame_data_on(&self) -> bool {
        self.major >= HANDS_ON
    }

    /// Whether it writes to Matroska how players turn the picture.
    pub(super) fn turns_matroska(&self) -> bool {
        self.major >= TURNS_MATROSKA
    }

    pub(super) fn has_filter(&self, name: &str) -> bool {
        self.filters.contains(name)
    }

    /// Whether it has this library, which decodes as well as it encodes.
    pub(super) fn has_library(&self, name: &str) -> bool {
        self.encoders.contains(name)
    }
}

/// The number before the first point; what is built between two releases (`N-118000-g0123456`) is newer than all of them.
fn major(version: &str) -> u32 {
    let digits: String = version
        .trim_start_matches('n')
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_as_builders_write_it() {
        assert_eq!(major("5.1.9-0+deb12u1"), 5);
        assert_eq!(major("n9.0.2-17-g2a571b6068-20260930"), 9);
        assert_eq!(major("N-118000-g0123456"), u32::MAX);
    }
}
