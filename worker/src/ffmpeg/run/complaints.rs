//! What ffmpeg complained of while it went on to a good end.

use crate::ffmpeg::run::line::Line;
use crate::ffmpeg::run::speaker::without_speaker;

/// Complaints that are kept word for word.
const KEPT: usize = 8;

/// Words of demuxers that ran out of file where their container says that there is more.
const BREAKS_OFF: &[&str] = &[
    "File ended prematurely",
    "partial file",
    "Packet corrupt",
    "corrupt input packet",
    "Truncat",
    "truncat",
];

/// Errors that say nothing of the input.
const HARMLESS: &[&str] = &[
    // Equal timestamps are the muxer's problem.
    "non monotonically increasing dts",
    // Echoes of what was said before.
    "Last message repeated",
];

/// Whether a line says that the file ends where its container says that there is more.
pub(crate) fn breaks_off(line: &str) -> bool {
    BREAKS_OFF.iter().any(|words| line.contains(words))
}

/// What ffmpeg complained of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Complaints {
    kept: Vec<String>,
    breaks_off: bool,
}

impl Complaints {
    /// Takes a line of a log.
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

    /// Takes those of another run.
    pub fn extend(&mut self, others: Self) {
        self.breaks_off |= others.breaks_off;
        self.kept.extend(others.kept);
        self.kept.truncate(KEPT);
    }

    /// Whether there was nothing to complain of.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Whether a demuxer found less than its container says that there is.
    pub fn breaks_off(&self) -> bool {
        self.breaks_off
    }

    /// The first ones, word for word.
    pub fn words(&self) -> &[String] {
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_corruption_are_complaints_and_warnings_are_none() {
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
