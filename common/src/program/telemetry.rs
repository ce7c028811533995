//! Logs and traces: one subscriber, set up in the same way in every program.

use std::io::{IsTerminal, Write};
use std::str::FromStr;

use tracing::Level;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt};

use crate::names::printable::{printable, printable_json};
use crate::program::traces::Traces;
use crate::spans;

/// The format of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(format!("unknown log format '{text}': text or json")),
        }
    }
}

/// Writes logs of this level and above to stderr, and sends traces where the variables `OTEL_*` say. `program` is the name
/// of the program: producer, worker or monitor. `level` is one of error, warn, info, debug, trace, or a list of
/// `target=level` directives. Called within a runtime.
///
/// The traces that are returned are to be ended with the program.
///
/// # Errors
/// The level cannot be read; the text says why.
pub fn init(program: &'static str, level: &str, format: LogFormat) -> Result<Traces, String> {
    let filter = filter(level)?;
    let has_colours = std::io::stderr().is_terminal();
    let log = fmt::layer()
        .with_writer(move || Escaping {
            format,
            has_colours,
            inner: std::io::stderr(),
        })
        .with_ansi(false)
        .with_target(false);
    let log = match format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => log.json().flatten_event(true).boxed(),
    };
    let (traces, trouble) = match Traces::from_environment(program) {
        Ok(traces) => (traces, None),
        Err(why) => (Traces::default(), Some(why)),
    };
    // What is logged while a span is under way goes along with it.
    let is_traced = filter_fn(|data| {
        (data.is_span() && data.target() == spans::TARGET)
            || (data.is_event() && *data.level() <= Level::INFO)
    });
    tracing_subscriber::registry()
        .with(log.with_filter(filter))
        .with(traces.layer().map(|layer| layer.with_filter(is_traced)))
        .init();
    if let Some(why) = trouble {
        tracing::warn!(why, "no traces are sent");
    }
    Ok(traces)
}

/// Writes one event at a time, on one line, with all characters escaped that a terminal would obey: what is logged comes
/// from strangers, too.
struct Escaping<W> {
    format: LogFormat,
    /// Whether the level gets its colour. The subscriber gives none: it lets values bring their own.
    has_colours: bool,
    inner: W,
}

impl<W: Write> Write for Escaping<W> {
    /// Takes one whole event, as the subscriber writes it.
    fn write(&mut self, event: &[u8]) -> std::io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let line = match self.format {
            LogFormat::Text if self.has_colours => coloured(&printable(text)),
            LogFormat::Text => printable(text),
            LogFormat::Json => printable_json(&text.replace('\n', " ")),
        };
        self.inner.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}

/// The line, with its level in colour: the second word, behind the time.
fn coloured(line: &str) -> String {
    const COLOURS: [(&str, u8); 4] = [("ERROR", 31), ("WARN", 33), ("INFO", 32), ("DEBUG", 34)];
    let level = line.split_whitespace().nth(1).unwrap_or_default();
    match COLOURS.iter().find(|(known, _)| *known == level) {
        Some((level, colour)) => {
            line.replacen(level, &format!("\u{1b}[{colour}m{level}\u{1b}[0m"), 1)
        }
        None => line.to_owned(),
    }
}

/// Checks a level for [`init`].
///
/// # Errors
/// The level cannot be read; the text says why.
pub fn check_level(level: &str) -> Result<(), String> {
    filter(level).map(|_| ())
}

fn filter(level: &str) -> Result<EnvFilter, String> {
    // The NATS client logs every connection; so do the programs themselves.
    EnvFilter::try_new(format!("async_nats=warn,{}=off,{level}", spans::TARGET))
        .map_err(|error| format!("log level '{level}': {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What is logged of this text, in this format.
    fn logged(format: LogFormat, has_colours: bool, text: &str) -> String {
        #[derive(Clone, Default)]
        struct Log(Arc<Mutex<Vec<u8>>>);
        impl Write for Log {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().expect("sound").write(bytes)
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let log = Log::default();
        let inner = log.clone();
        let builder = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || Escaping {
                format,
                has_colours,
                inner: inner.clone(),
            });
        let event = || tracing::warn!(name = text, shown = %text, "it is {text}");
        match format {
            LogFormat::Text => tracing::subscriber::with_default(builder.finish(), event),
            LogFormat::Json => {
                tracing::subscriber::with_default(
                    builder.json().flatten_event(true).finish(),
                    event,
                );
            }
        }
        let bytes = log.0.lock().expect("sound").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn nothing_that_is_logged_drives_a_terminal_or_forges_a_line() {
        let hostile = "a\u{1b}[31mb\u{1b}]0;title\u{7}c\r\nINFO forged\u{9b}2Jd\u{202e}e";
        for format in [LogFormat::Text, LogFormat::Json] {
            let line = logged(format, false, hostile);
            assert_eq!(line.matches('\n').count(), 1, "{line}");
            let is_odd = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
            assert!(!line.contains(is_odd), "{line:?}");
        }
        let json: serde_json::Value =
            serde_json::from_str(&logged(LogFormat::Json, false, hostile)).expect("JSON");
        assert_eq!(json["name"], hostile);
        // The colours of the level are the only ones.
        let line = logged(LogFormat::Text, true, hostile);
        assert!(line.contains("\u{1b}[33m"), "{line:?}");
        assert!(
            !line.contains("\u{1b}[31m") && !line.contains("\u{1b}]"),
            "{line:?}"
        );
        assert_eq!(line.matches('\n').count(), 1, "{line:?}");
    }
}
