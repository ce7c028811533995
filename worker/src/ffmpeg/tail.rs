//! The last lines of what a program prints.

use std::collections::VecDeque;

const LINES: usize = 40;
const LINE_BYTES: usize = 400;

/// Cuts a stream of bytes into lines, none longer than a bound, whatever
/// bytes they are made of.
#[derive(Default)]
pub(super) struct Lines {
    current: Vec<u8>,
}

impl Lines {
    /// Takes further bytes and hands on every line that they complete.
    pub(super) fn feed(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
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
    pub(super) fn finish(&mut self, mut line: impl FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.current);
        let text = text.trim();
        if !text.is_empty() {
            line(text);
        }
        self.current.clear();
    }
}

/// The last lines of a log.
#[derive(Default)]
pub(super) struct Tail {
    lines: Lines,
    kept: VecDeque<String>,
}

impl Tail {
    /// Takes further bytes of the log; `heard` gets every line that they complete.
    pub(super) fn feed(&mut self, bytes: &[u8], mut heard: impl FnMut(&str)) {
        let kept = &mut self.kept;
        self.lines.feed(bytes, |line| heard(keep(kept, line)));
    }

    /// The lines, oldest first.
    pub(super) fn into_lines(mut self) -> Vec<String> {
        let kept = &mut self.kept;
        self.lines.finish(|line| {
            keep(kept, line);
        });
        self.kept.into()
    }
}

/// Keeps a line, fit to be read, and shows it.
fn keep<'a>(kept: &'a mut VecDeque<String>, line: &str) -> &'a str {
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    let line = without_signature(&line);
    if kept.len() == LINES {
        kept.pop_front();
    }
    kept.push_back(line);
    kept.back().map_or("", String::as_str)
}

/// The line without the part of a presigned URL that lets anyone read the object.
pub(super) fn without_signature(line: &str) -> String {
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
        assert!(lines.iter().all(|line| line.len() <= 3 * LINE_BYTES));
        assert_eq!(lines.last().map(String::as_str), Some("last words"));
    }

    #[test]
    fn the_last_lines_are_kept_whatever_ends_them() {
        let mut tail = Tail::default();
        for n in 0..100 {
            tail.feed(format!("line {n}\r\n").as_bytes(), |_| {});
        }
        let lines = tail.into_lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines[LINES - 1], "line 99");
    }
}
