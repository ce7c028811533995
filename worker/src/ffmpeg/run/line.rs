//! Lines of a tool's output, cut to a maximal length, and parsed with the level that ffmpeg gives them.

const LINE_BYTES: usize = 400;

/// Splits a stream of bytes into lines of at most `LINE_BYTES` bytes. The bytes may be anything.
#[derive(Default)]
pub(crate) struct Lines {
    current: Vec<u8>,
}

impl Lines {
    /// Takes further bytes, and passes on every line that they complete.
    pub(crate) fn feed(&mut self, bytes: &[u8], mut line: impl FnMut(&str)) {
        for &byte in bytes {
            match byte {
                b'\n' | b'\r' => self.finish(&mut line),
                // Bytes beyond the limit are dropped.
                _ if self.current.len() < LINE_BYTES => self.current.push(byte),
                _ => {}
            }
        }
    }

    /// Passes on the text after the last end of line.
    pub(crate) fn finish(&mut self, mut line: impl FnMut(&str)) {
        let text = String::from_utf8_lossy(&self.current);
        let text = text.trim();
        if !text.is_empty() {
            line(text);
        }
        self.current.clear();
    }
}

/// The severity that ffmpeg gives a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    Error,
    /// The line did not come through ffmpeg's log. Libraries and the loader print such lines.
    #[default]
    Unknown,
    Warning,
    Info,
}

/// Levels as ffmpeg writes them with `-loglevel level+…`.
const LEVELS: &[(&str, Level)] = &[
    ("[panic] ", Level::Error),
    ("[fatal] ", Level::Error),
    ("[error] ", Level::Error),
    ("[warning] ", Level::Warning),
    ("[info] ", Level::Info),
    ("[verbose] ", Level::Info),
    ("[debug] ", Level::Info),
    ("[trace] ", Level::Info),
];

/// A parsed line of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// The line without its level.
    pub(crate) text: String,
    pub(crate) level: Level,
}

impl Line {
    /// Parses a line as ffmpeg writes it with `-loglevel level+…`: `[h264 @ 0x55…] [error] Invalid NAL unit size`.
    pub(crate) fn read(line: &str) -> Self {
        let found = LEVELS
            .iter()
            .filter_map(|(mark, level)| Some((line.find(mark)?, *mark, *level)))
            .filter(|(at, ..)| is_context(&line[..*at]))
            .min_by_key(|(at, ..)| *at);
        match found {
            Some((at, mark, level)) => Self {
                text: format!("{}{}", &line[..at], &line[at + mark.len()..]),
                level,
            },
            None => Self {
                text: line.to_owned(),
                // Libraries write their own format: `x264 [error]: invalid tune`.
                level: match line.contains("[error]") {
                    true => Level::Error,
                    false => Level::Unknown,
                },
            },
        }
    }

    pub(crate) fn is_error(&self) -> bool {
        self.level == Level::Error
    }
}

/// Whether this text is empty or names a component in brackets, such as `[mov @ 0x55…] `.
fn is_context(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || (text.starts_with('[') && text.ends_with(']'))
}

/// The line with `input` in place of each address at which this worker serves an input. While it is served, whoever
/// knows its address may read it.
pub(crate) fn without_address(line: &str) -> String {
    let mut parts = line.split("http://127.0.0.1:");
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        clean.push_str("input");
        let is_address = |c: char| c.is_ascii_hexdigit() || c == '/';
        clean.push_str(part.trim_start_matches(is_address));
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_the_worker_never_reaches_a_log() {
        let line = "[http @ 0x5] http://127.0.0.1:4021/00ff: Invalid data found";
        assert_eq!(
            without_address(line),
            "[http @ 0x5] input: Invalid data found"
        );
        assert_eq!(without_address("no address"), "no address");
    }

    #[test]
    fn a_level_is_parsed_and_removed() {
        for (line, text, level) in [
            ("[info] Input #0", "Input #0", Level::Info),
            (
                "[error] Conversion failed!",
                "Conversion failed!",
                Level::Error,
            ),
            (
                "[h264 @ 0x55] [error] Invalid NAL",
                "[h264 @ 0x55] Invalid NAL",
                Level::Error,
            ),
            (
                "[vist#0:0/h264 @ 0x55] [dec:h264 @ 0x56] [warning] corrupt decoded frame",
                "[vist#0:0/h264 @ 0x55] [dec:h264 @ 0x56] corrupt decoded frame",
                Level::Warning,
            ),
            (
                "x264 [error]: invalid tune 'a'",
                "x264 [error]: invalid tune 'a'",
                Level::Error,
            ),
            (
                "a title with [fatal] in it",
                "a title with [fatal] in it",
                Level::Unknown,
            ),
        ] {
            let read = Line::read(line);
            assert_eq!((read.text.as_str(), read.level), (text, level));
        }
    }
}
