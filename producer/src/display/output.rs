//! Standard output: for results only.

use std::io::Write;

use serde::Serialize;

use super::times;
use crate::cli::exit::Error;

pub(crate) fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // `producer jobs | head` closes the pipe early: no error.
    let _ = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
}

pub(crate) fn print_json<T: Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(Error::out_of_reach)?;
    print(&times::in_milliseconds(&text));
    Ok(())
}

/// Prints JSON on one line.
pub(crate) fn print_json_line<T: Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(Error::out_of_reach)?;
    print(&times::in_milliseconds(&text));
    Ok(())
}
