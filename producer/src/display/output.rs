//! Standard output: results only, and no panic where the reader has gone.

use std::io::Write;

use serde::Serialize;

use super::times;
use crate::exit::Error;

/// Prints a result.
pub(crate) fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // `producer jobs | head` closes the pipe early, and that is fine.
    let _ = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
}

/// Prints a result for machines.
///
/// # Errors
/// Where it cannot be put in JSON, which plain data always can.
pub(crate) fn print_json<T: Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(Error::out_of_reach)?;
    print(&times::in_milliseconds(&text));
    Ok(())
}

/// Prints one of several results for machines, on a line of its own.
///
/// # Errors
/// Where it cannot be put in JSON, which plain data always can.
pub(crate) fn print_json_line<T: Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(Error::out_of_reach)?;
    print(&times::in_milliseconds(&text));
    Ok(())
}
