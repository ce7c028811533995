//! Picks the line of ffmpeg's log that best explains a failure.

use crate::ffmpeg::run::line::{Level, Line};
use crate::ffmpeg::run::speaker::spoken;

/// The maximal length of a reason, in characters.
const LONGEST: usize = 200;

/// Messages that ffmpeg prints after any failure. They explain nothing.
const GENERIC: &[&str] = &[
    "Conversion failed!",
    "Could not open encoder before EOF",
    "Device creation failed",
    "Error initializing output stream",
    "Error opening input file",
    "Error opening output file",
    "Error parsing global options",
    "Error reinitializing filters",
    "Error selecting an encoder",
    "Error splitting the argument list",
    "Error while opening encoder",
    "Error while processing the decoded data",
    "Exiting ",
    "Last message repeated",
    "Nothing was written into output file",
    "Terminating thread with return code",
    "exit_on_error",
    "maybe incorrect parameters such as bit_rate",
];

/// Messages that ffmpeg prints after the real cause. They are better than nothing.
const VAGUE: &[&str] = &[
    "Error sending frames to consumers",
    "Error while filtering",
    "Failed to inject frame into filter network",
    "Failed to set value",
    "Impossible to convert between the formats",
    "Task finished with error code",
    "can't configure encoder",
    "ff_frame_thread_encoder_init failed",
];

/// Messages that encoder libraries print outside ffmpeg's log: `x265 [info]: …`, `Svt[info]: …`.
const CHATTER: &[&str] = &["[info]", "[notice]", "[warning]", "Link '"];

/// The line that explains most; the first one of equals. `None` if no line explains anything.
pub(super) fn most_telling<'a>(lines: impl IntoIterator<Item = &'a Line>) -> Option<&'a Line> {
    lines
        .into_iter()
        .filter(|line| explains_something(line))
        .min_by_key(|line| (holds(&line.text, VAGUE), line.level))
}

/// The line that explains most in the log of a failed test encode, without its component, and cut to `LONGEST`.
/// `None` if no line explains anything. The first error counts, because later errors follow from it.
pub(super) fn reason(log: &str) -> Option<String> {
    // Indented lines list links between filters and their formats.
    let lines = log.lines().filter(|line| !line.starts_with(' '));
    let lines: Vec<Line> = lines.map(|line| Line::read(line.trim())).collect();
    most_telling(&lines).map(|line| shortened(spoken(&line.text)))
}

fn explains_something(line: &Line) -> bool {
    line.level < Level::Info
        && spoken(&line.text).contains(char::is_alphabetic)
        && !holds(&line.text, CHATTER)
        && !holds(&line.text, GENERIC)
}

fn holds(text: &str, words: &[&str]) -> bool {
    words.iter().any(|words| text.contains(words))
}

fn shortened(text: &str) -> String {
    let text = text.trim_end_matches(['.', ' ']);
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Real logs of two ffmpeg builds on a machine without a GPU. Each case holds the name of the test, the line that
    /// should be picked, and the log.
    const FIXTURE: &str = include_str!("../../../tests/data/refusals.txt");

    #[test]
    fn the_best_line_of_real_logs_is_picked() {
        let cases: Vec<&str> = FIXTURE.split("\n=== ").skip(1).collect();
        assert!(cases.len() > 15, "only {} cases", cases.len());
        for case in cases {
            let (head, stderr) = case.split_once('\n').expect("a head");
            let (name, expected) = head.split_once(" => ").expect("an expectation");
            let picked = reason(stderr);
            assert_eq!(picked.as_deref().unwrap_or("-"), expected, "{name}");
        }
    }

    #[test]
    fn a_written_level_counts() {
        let log = "[info] Input #0, lavfi, from 'testsrc2':\n\
             [h264_omx @ 0x5647e25211c0] [warning] libOMX_Core.so not found\n\
             [error] Error initializing output stream 0:0 -- Error while opening encoder\n\
             [fatal] Conversion failed!";
        assert_eq!(reason(log).as_deref(), Some("libOMX_Core.so not found"));
    }

    #[test]
    fn useless_lines_give_no_reason() {
        assert_eq!(reason(""), None);
        assert_eq!(reason("x265 [info]: build info\n\n---\n"), None);
    }

    #[test]
    fn reasons_are_short() {
        let picked = reason(&"ü".repeat(1000)).expect("a reason");
        assert_eq!(picked.chars().count(), LONGEST + 1);
    }
}
