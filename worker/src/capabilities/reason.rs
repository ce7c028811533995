//! The one line of ffmpeg's own words that says best why an encode failed.

/// Longer reasons are cut, in characters.
const LONGEST: usize = 200;

/// What ffmpeg says whatever went wrong: no reason at all.
const GENERIC: &[&str] = &[
    "Conversion failed!",
    "Could not open encoder before EOF",
    "Device creation failed",
    "Error initializing output stream",
    "Error opening output file",
    "Error parsing global options",
    "Error reinitializing filters!",
    "Error selecting an encoder",
    "Error splitting the argument list",
    "Error while opening encoder",
    "Error while processing the decoded data",
    "Exiting ",
    "Nothing was written into output file",
    "Terminating thread with return code",
];

/// What ffmpeg adds after it has said what went wrong: better than nothing.
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

/// The most telling line of what ffmpeg wrote to stderr, without addresses;
/// `None` where it wrote nothing of use.
///
/// Reads logs with and without the level of each line (`-loglevel level+…`).
pub(crate) fn reason(stderr: &str) -> Option<String> {
    stderr
        .lines()
        // Links between filters and their formats are told in indented lists.
        .filter(|line| !line.starts_with(' '))
        .filter_map(Line::parse)
        // The first of the best: what follows an error follows from it.
        .min_by_key(|line| (line.is_vague(), line.level))
        .map(|line| shortened(line.text))
}

/// How grave a line is; those that do not say count as errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Error,
    Warning,
}

struct Line<'a> {
    level: Level,
    text: &'a str,
}

impl<'a> Line<'a> {
    /// Takes the tags off: `[hevc_nvenc @ 0x55d6] [error] No capable devices found`.
    fn parse(line: &'a str) -> Option<Self> {
        let mut text = line.trim();
        let mut level = Level::Error;
        while let Some((tag, rest)) = text.strip_prefix('[').and_then(|line| line.split_once(']')) {
            match tag {
                "panic" | "fatal" | "error" => {}
                "warning" => level = Level::Warning,
                "info" | "verbose" | "debug" | "trace" => return None,
                _ if tag.contains(" @ 0x") || tag.starts_with("enc:") => {}
                _ => break,
            }
            text = rest.trim_start();
        }
        let says_something = text.contains(char::is_alphabetic)
            && !is_chatter(text)
            && !starts_with_one_of(text, GENERIC);
        says_something.then_some(Self { level, text })
    }

    fn is_vague(&self) -> bool {
        starts_with_one_of(self.text, VAGUE)
    }
}

fn starts_with_one_of(text: &str, known: &[&str]) -> bool {
    known.iter().any(|words| text.starts_with(words))
}

/// What encoder libraries print past ffmpeg's log: `x265 [info]: …`, `Svt[info]: …`.
fn is_chatter(text: &str) -> bool {
    ["[info]", "[notice]", "[warning]", "Link '"]
        .into_iter()
        .any(|mark| text.contains(mark))
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
    use super::reason;

    /// Real words of two builds of ffmpeg on a machine without a GPU: what was
    /// tried, the line that should be picked, and what ffmpeg wrote.
    const FIXTURE: &str = include_str!("../../tests/data/refusals.txt");

    #[test]
    fn the_telling_line_is_picked_from_real_refusals() {
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
    fn levels_are_heeded_where_they_are_written() {
        let log = "[info] Input #0, lavfi, from 'testsrc2':\n\
             [h264_omx @ 0x5647e25211c0] [warning] libOMX_Core.so not found\n\
             [error] Error initializing output stream 0:0 -- Error while opening encoder\n\
             [fatal] Conversion failed!";
        assert_eq!(reason(log).as_deref(), Some("libOMX_Core.so not found"));
    }

    #[test]
    fn nothing_of_use_gives_no_reason() {
        assert_eq!(reason(""), None);
        assert_eq!(reason("x265 [info]: build info\n\n---\n"), None);
    }

    #[test]
    fn reasons_are_short() {
        let picked = reason(&"ü".repeat(1000)).expect("a reason");
        assert_eq!(picked.chars().count(), super::LONGEST + 1);
    }
}
