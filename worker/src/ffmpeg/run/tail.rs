//! The last lines of a log.

use std::collections::VecDeque;

use crate::ffmpeg::run::line::{Line, Lines, without_address};

const LINES: usize = 40;

#[derive(Default)]
pub(crate) struct Tail {
    lines: Lines,
    kept: VecDeque<Line>,
}

impl Tail {
    /// Takes further bytes of the log. `on_line` gets every line that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut on_line: impl FnMut(&Line)) {
        let kept = &mut self.kept;
        self.lines.feed(bytes, |line| on_line(keep(kept, line)));
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

/// Parses and keeps a line without control characters and signatures. Returns the kept line.
fn keep<'a>(kept: &'a mut VecDeque<Line>, line: &str) -> &'a Line {
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    if kept.len() == LINES {
        kept.pop_front();
    }
    kept.push_back(Line::read(&without_address(&line)));
    &kept[kept.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_garbage_stays_small() {
        let mut tail = Tail::default();
        for n in 0..5000_u32 {
            tail.feed(&[0xff, 0x00, 0x1b, n as u8], |_| {});
        }
        tail.feed(b"\nlast words", |_| {});
        let lines = tail.into_lines();
        assert!(lines.len() <= LINES);
        assert!(lines.iter().all(|line| line.text.len() <= 3 * 400));
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
}
