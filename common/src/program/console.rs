//! What programs print: results on standard output, messages on standard error.
//!
//! Names of files, and what ffmpeg and other programs say, come from strangers, and may hold characters that a terminal
//! obeys. They are escaped here, whatever is printed; clippy refuses every other way to print.
#![expect(clippy::print_stderr, reason = "every message is printed here")]

use std::fmt::Display;
use std::io::Write;

use crate::names::printable::{printable, printable_json, printable_lines};

/// Prints a message on standard error, as one line: `say!("{files} files are skipped")`.
#[macro_export]
macro_rules! say {
    ($($message:tt)*) => {
        $crate::program::console::say(format_args!($($message)*))
    };
}

/// Prints lines of results on standard output: `show!("worker   {name}")`.
#[macro_export]
macro_rules! show {
    ($($lines:tt)*) => {
        $crate::program::console::print(format_args!($($lines)*))
    };
}

/// Prints a message on standard error, as one line. [`say!`] does it with a format.
pub fn say(message: impl Display) {
    eprintln!("{}", printable(&message.to_string()));
}

/// Prints a message of several lines on standard error. Each text of strangers in it must be on a line of its own.
pub fn say_lines(message: impl Display) {
    eprintln!("{}", printable_lines(&message.to_string()));
}

/// Prints lines of results on standard output. [`show!`] does it with a format.
pub fn print(lines: impl Display) {
    write(&printable_lines(&lines.to_string()));
}

/// Prints JSON on standard output.
pub fn print_json(json: &str) {
    write(&printable_json(json));
}

fn write(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // `producer jobs | head` closes the pipe early: no error.
    let _ = writeln!(stdout, "{}", text.trim_end_matches('\n')).and_then(|()| stdout.flush());
}
