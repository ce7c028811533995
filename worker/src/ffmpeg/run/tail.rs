//! The last lines of what a program prints.

use std::collections::VecDeque;

const LINES: usize = 40;
const LINE_BYTES: usize = 400;

/// Cuts a stream of bytes into lines, none longer than a bound, whatever
/// bytes they are made of.
#[derive(Default)]
pub(crate) struct Lines {
    current: Vec<u8>,
}

impl Lines {
    /// Takes further bytes and hands on every line that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
        for &byte in bytes {
            match byte {
                b'\n' | b'\r' => self.finish(&mut line),
                // What is beyond the bound is dropped.
                _ if self.current.len() < LINE_BYTES => self.current.push(byte),
                _ => {}
            }
        }
    }

    /// Hands on what came after the last end of line.
    pub(crate) fn finish(&mut self, mut line: impl FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.current);
        let text = text.trim();
        if !text.is_empty() {
            line(text);
        }
        self.current.clear();
    }
}

/// A line of a log, fit to be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// What it says, without its level.
    pub(crate) text: String,
    /// Whether ffmpeg calls it an error.
    pub(crate) is_error: bool,
}

impl Line {
    /// A line as ffmpeg writes it with `-loglevel level+…`:
    /// `[h264 @ 0x55…] [error] Invalid NAL unit size`.
    pub(crate) fn read(line: &str) -> Self {
        let level = LEVELS
            .iter()
            .filter_map(|level| Some((line.find(level)?, *level)))
            .filter(|(at, _)| is_context(&line[..*at]))
            .min();
        let Some((at, level)) = level else {
            return Self {
                text: line.to_owned(),
                // Libraries write by themselves: `x264 [error]: invalid tune`.
                is_error: line.contains("[error]"),
            };
        };
        Self {
            text: format!("{}{}", &line[..at], &line[at + level.len()..]),
            is_error: ERRORS.contains(&level),
        }
    }
}

/// Levels of a log as ffmpeg writes them.
const LEVELS: &[&str] = &[
    "[panic] ",
    "[fatal] ",
    "[error] ",
    "[warning] ",
    "[info] ",
    "[verbose] ",
];
const ERRORS: &[&str] = &["[panic] ", "[fatal] ", "[error] "];

/// Whether this names who says something, e.g. `[mov @ 0x55…] `, or is nothing.
fn is_context(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || (text.starts_with('[') && text.ends_with(']'))
}

/// The last lines of a log.
#[derive(Default)]
pub(crate) struct Tail {
    lines: Lines,
    kept: VecDeque<Line>,
}

impl Tail {
    /// Takes further bytes of the log; `heard` gets every line that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut heard: impl FnMut(&Line)) {
        let kept = &mut self.kept;
        self.lines.feed(bytes, |line| heard(keep(kept, line)));
    }

    /// The lines, oldest first.
    pub(crate) fn into_lines(mut self) -> Vec<Line> {
        let kept = &mut self.kept;
        self.lines.finish(|line| {
            keep(kept, line);
        });
        self.kept.into()
    }
}

/// Keeps a line, fit to be read, and shows it.
fn keep<'a>(kept: &'a mut VecDeque<Line>, line: &str) -> &'a Line {
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    if kept.len() == LINES {
        kept.pop_front();
    }
    kept.push_back(Line::read(&without_signature(&line)));
    &kept[kept.len() - 1]
}

/// The line without the part of a presigned URL that lets anyone read the object.
pub(crate) fn without_signature(line: &str) -> String {
    let mut parts = line.split("?X-Amz-");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        clean.push_str("?…");
        let end = part.find(|c: char| c.is_whitespace() || "'\"".contains(c));
        // ffmpeg writes `URL: what happened`.
        let colon = part.find(": ");
        let end = end.into_iter().chain(colon).min().unwrap_or(part.len());
        clean.push_str(&part[end..]);
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_never_reaches_a_log() {
        let said = "http://s3/b/k?X-Amz-Algorithm=A&X-Amz-Signature=abc: Invalid data found";
        assert_eq!(
            without_signature(said),
            "http://s3/b/k?…: Invalid data found"
        );
        assert_eq!(without_signature("no url"), "no url");
    }

    #[test]
    fn a_flood_of_garbage_stays_small() {
        let mut tail = Tail::default();
        for n in 0..5000_u32 {
            tail.feed(&[0xff, 0x00, 0x1b, n as u8], |_| {});
        }
        tail.feed(b"\nlast words", |_| {});
        let lines = tail.into_lines();
        assert!(lines.len() <= LINES);
        assert!(lines.iter().all(|line| line.text.len() <= 3 * LINE_BYTES));
        assert_eq!(
            lines.last().map(|line| line.text.as_str()),
            Some("last words")
        );
    }

    #[test]
    fn the_last_lines_are_kept_whatever_ends_them() {
        let mut tail = Tail::default();
        for n in 0..100 {
            tail.feed(format!("line {n}\r\n").as_bytes(), |_| {});
        }
        let lines = tail.into_lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[LINES - 1].text, "line 99");
    }

    #[test]
    fn a_level_is_read_and_left_out() {
        for (line, text, is_error) in [
            ("[error] Conversion failed!", "Conversion failed!", true),
            (
                "[h264 @ 0x55] [error] Invalid NAL",
                "[h264 @ 0x55] Invalid NAL",
                true,
            ),
            (
                "[vist#0:0/h264 @ 0x55] [dec:h264 @ 0x56] [warning] corrupt decoded frame",
                "[vist#0:0/h264 @ 0x55] [dec:h264 @ 0x56] corrupt decoded frame",
                false,
            ),
            (
                "x264 [error]: invalid tune 'a'",
                "x264 [error]: invalid tune 'a'",
                true,
            ),
            (
                "a title with [fatal] in it",
                "a title with [fatal] in it",
                false,
            ),
        ] {
            let read = Line::read(line);
            assert_eq!((read.text.as_str(), read.is_error), (text, is_error));
        }
    }
}
