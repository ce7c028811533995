//! Logs: one subscriber, set up in the same way in every program.

use std::io::IsTerminal;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;

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

/// Writes logs of this level and above to stderr. `level` is one of error, warn, info, debug, trace, or a list of
/// `target=level` directives.
///
/// # Errors
/// The level cannot be read; the text says why.
pub fn init(level: &str, format: LogFormat) -> Result<(), String> {
    let filter = filter(level)?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
    Ok(())
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
    EnvFilter::try_new(format!("async_nats=warn,{level}"))
        .map_err(|error| format!("log level '{level}': {error}"))
}
