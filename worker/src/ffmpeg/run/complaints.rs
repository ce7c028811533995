//! The errors that ffmpeg logged although it succeeded.

use crate::ffmpeg::run::line::Line;
use crate::ffmpeg::run::speaker::without_speaker;

/// The number of complaints that are kept in full.
const KEPT: usize = 8;

/// Phrases of demuxers that reached the end of the file earlier than its container promised.
const BREAKS_OFF: &[&str] = &[
    "File ended prematurely",
    "partial file",
    "Packet corrupt",
    "corrupt input packet",
    "Truncat",
    "truncat",
];

/// Errors that do not mean a damaged input.
const HARMLESS: &[&str] = &[
    // The null muxer complains about equal timestamps.
    "non monotonically increasing dts",
    // A repetition of an earlier line.
    "Last message repeated",
];

/// Whether a line says that the file ends earlier than its container promised.
pub(crate) fn breaks_off(line: &str) -> bool {
    BREAKS_OFF.iter().any(|words| line.contains(words))
}

/// The errors of one or more runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaints {
    kept: Vec<String>,
    breaks_off: bool,
}

impl Complaints {
    /// Takes a line of a log, and keeps it if it is a complaint.
    pub(crate) fn note(&mut self, line: &Line) {
        let breaks_off = breaks_off(&line.text);
        let is_harmless = HARMLESS.iter().any(|words| line.text.contains(words));
        let is_damage = line.is_error() || breaks_off || line.text.contains("corrupt");
        if !is_damage || is_harmless {
            return;
        }
        self.breaks_off |= breaks_off;
        if self.kept.len() < KEPT {
            self.kept.push(without_speaker(&line.text));
        }
    }

    /// Adds the complaints of another run.
    pub fn extend(&mut self, others: Self) {
        self.breaks_off |= others.breaks_off;
        self.kept.extend(others.kept);
        self.kept.truncate(KEPT);
    }

    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether a file ended earlier than its container promised.
    pub fn breaks_off(&self) -> bool {
        self.breaks_off
    }

    /// The first complaints, in ffmpeg's own words.
    pub fn words(&self) -> &[String] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_corruption_are_complaints_and_other_warnings_are_not() {
        let of = |line: &str| {
            let mut complaints = Complaints::default();
            complaints.note(&Line::read(line));
            (!complaints.is_empty(), complaints.breaks_off())
        };
        for (line, expected) in [
            (
                "[h264 @ 0x5] [error] error while decoding MB 4 8, bytestream 882",
                (true, false),
            ),
            (
                "[warning] input: corrupt decoded frame in stream 0",
                (true, false),
            ),
            (
                "[matroska,webm @ 0x5] [error] File ended prematurely",
                (true, true),
            ),
            (
                "[flv @ 0x5] [warning] Packet corrupt (stream = 0, dts = 2480).",
                (true, true),
            ),
            (
                "[swscaler @ 0x5] [warning] deprecated pixel format used",
                (false, false),
            ),
            (
                "[null @ 0x5] [error] Application provided invalid, non monotonically increasing dts to muxer",
                (false, false),
            ),
        ] {
            assert_eq!(of(line), expected, "{line}");
        }
    }
}
