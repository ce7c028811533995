//! The abilities of an ffmpeg build on which command lines depend, besides its encoders.

use std::collections::BTreeSet;

use common::farm::card::Capabilities;

/// The first version that passes data of single frames (HDR metadata, captions) on to every encoder and container.
const FRAME_DATA_SINCE: u32 = 8;

/// A version in which the filter `overlay` knows 10 bits in 4:4:4.
const DEEP_444_SINCE: u32 = 7;

/// The first version that writes the picture's rotation to Matroska files.
const MATROSKA_ROTATION_SINCE: u32 = 9;

/// The first version that surely hands the lengths of frames on to encoders.
const LENGTHS_SINCE: u32 = 7;

/// A version that adds the delay of Opus to its times in Matroska files.
const OPUS_DELAY_SINCE: u32 = 6;

/// A version that does not move an input later that begins below 0.
const BELOW_ZERO_SINCE: u32 = 9;

/// The first version that surely passes the statistics of SVT-AV1's passes on: it came with 8.1.
const SVTAV1_PASSES_SINCE: u32 = 9;

/// The first version that is built with an SVT-AV1 that can encode without loss.
const SVTAV1_LOSSLESS_SINCE: u32 = 8;

/// An ffmpeg build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Build {
    major: u32,
    filters: BTreeSet<String>,
    encoders: BTreeSet<String>,
}

impl Build {
    /// A build of this `version`, such as `5.1.9-0+deb12u1`, with these filters and encoders.
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

    /// The build that a capability card describes.
    pub fn of(card: &Capabilities) -> Self {
        let encoders = card.encoders.keys().map(ToString::to_string);
        Self::new(&card.ffmpeg.version, card.filters.iter().cloned(), encoders)
    }

    /// Whether data of single frames reaches every encoder and container that can hold it.
    pub fn hands_frame_data_on(&self) -> bool {
        self.major >= FRAME_DATA_SINCE
    }

    /// Whether this build puts one picture on another of 10 bits in 4:4:4.
    pub(super) fn overlays_deep_444(&self) -> bool {
        self.major >= DEEP_444_SINCE
    }

    /// Whether this build keeps the times of an input that begins below 0, because sound has a delay.
    pub(super) fn keeps_times_below_zero(&self) -> bool {
        self.major >= BELOW_ZERO_SINCE
    }

    /// Whether this build adds the delay of Opus to its times when it writes Matroska files.
    pub(super) fn adds_opus_delay(&self) -> bool {
        self.major >= OPUS_DELAY_SINCE
    }

    /// Whether this build writes the picture's rotation to Matroska files.
    pub(super) fn turns_matroska(&self) -> bool {
        self.major >= MATROSKA_ROTATION_SINCE
    }

    /// Whether encoders learn how long each frame lasts.
    pub(super) fn hands_lengths_on(&self) -> bool {
        self.major >= LENGTHS_SINCE
    }

    /// Whether SVT-AV1 can work in two passes.
    pub(super) fn passes_statistics_of_svtav1(&self) -> bool {
        self.major >= SVTAV1_PASSES_SINCE
    }

    /// Whether SVT-AV1 can encode without loss.
    pub(super) fn has_lossless_svtav1(&self) -> bool {
        self.major >= SVTAV1_LOSSLESS_SINCE
    }

    pub(super) fn has_filter(&self, name: &str) -> bool {
        self.filters.contains(name)
    }

    /// Whether this build includes a library that decodes as well as encodes, such as `libvpx-vp9`.
    pub(super) fn has_library(&self, name: &str) -> bool {
        self.encoders.contains(name)
    }
}

/// The number before the first point. A build between two releases (`N-118000-g0123456`) counts as newer than all.
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
    fn versions_of_releases_and_snapshots_are_parsed() {
        assert_eq!(major("5.1.9-0+deb12u1"), 5);
        assert_eq!(major("n9.0.2-17-g2a571b6068-20260930"), 9);
        assert_eq!(major("N-118000-g0123456"), u32::MAX);
    }
}
