//! Standard output: for results only.

use common::program::console;
use serde::Serialize;

use super::times;
use crate::cli::exit::Error;

pub(crate) fn print(text: &str) {
    console::print(text);
}

pub(crate) fn print_json<T: Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string_pretty(value).map_err(Error::out_of_reach)?;
    console::print_json(&times::in_milliseconds(&text));
    Ok(())
}

/// Prints JSON on one line.
pub(crate) fn print_json_line<T: Serialize>(value: &T) -> Result<(), Error> {
    let text = serde_json::to_string(value).map_err(Error::out_of_reach)?;
    console::print_json(&times::in_milliseconds(&text));
    Ok(())
}
