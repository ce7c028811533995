//! Reading the command line. Clap stops at the first value that it cannot read; this reports all of them.

use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error, Id, Parser};
use common::program::console::say_lines;

/// The command line, with values from environment variables. If it cannot be used, or asks for help, this prints all
/// errors or the help and ends the program.
pub(crate) fn parse<C: Parser>() -> C {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let error = match C::try_parse_from(&arguments) {
        Ok(cli) => return cli,
        Err(error) => error,
    };
    let exit_code = error.exit_code();
    match all_errors(C::command(), &arguments, error).as_slice() {
        [only] => only.exit(),
        several => {
            say_lines(report(several).trim_end());
            std::process::exit(exit_code);
        }
    }
}

/// The first error, and the errors that clap finds once it accepts the values that it refused before.
fn all_errors(mut command: Command, arguments: &[OsString], first: Error) -> Vec<Error> {
    // Only a built command spells its arguments as the error does.
    let mut built = command.clone();
    built.build();
    let mut seen: Vec<Id> = Vec::new();
    let mut errors = vec![first];
    while let Some(argument) = errors
        .last()
        .and_then(|error| refused_argument(error, &built))
    {
        if seen.contains(&argument) {
            break;
        }
        command = with_any_value(command, &argument);
        seen.push(argument);
        match command.clone().try_get_matches_from(arguments) {
            Ok(_) => break,
            Err(next) => errors.push(next),
        }
    }
    errors
}

/// The argument whose value was refused.
fn refused_argument(error: &Error, built: &Command) -> Option<Id> {
    let is_value = matches!(
        error.kind(),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue | ErrorKind::InvalidUtf8
    );
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(spelling)) if is_value => spelled(built, spelling),
        _ => None,
    }
}

/// The argument that clap spells like this: `--crf <N>`.
fn spelled(built: &Command, spelling: &str) -> Option<Id> {
    let mut arguments = built.get_arguments();
    arguments
        .find(|arg| arg.to_string() == spelling)
        .map(|arg| arg.get_id().clone())
        .or_else(|| {
            built
                .get_subcommands()
                .find_map(|sub| spelled(sub, spelling))
        })
}

fn with_any_value(command: Command, argument: &Id) -> Command {
    command
        .mut_args(|arg| match arg.get_id() == argument {
            true => arg.value_parser(ValueParser::os_string()),
            false => arg,
        })
        .mut_subcommands(|command| with_any_value(command, argument))
}

/// The errors one after the other; the hint at `--help` stands once, at the end.
fn report(errors: &[Error]) -> String {
    const HINT: &str = "\n\nFor more information";
    let mut text = String::new();
    for (index, error) in errors.iter().enumerate() {
        let rendered = error.render().to_string();
        let is_last = index + 1 == errors.len();
        match rendered.split_once(HINT) {
            Some((error, _)) if !is_last => text += &format!("{error}\n"),
            _ => text += &rendered,
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Subcommand};

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[arg(long, global = true)]
        wait: Option<u32>,
        #[command(subcommand)]
        verb: Verb,
    }

    #[derive(Debug, Subcommand)]
    enum Verb {
        Make {
            #[arg(long, value_parser = clap::value_parser!(u8).range(1..=10))]
            priority: Option<u8>,
            #[arg(required = true)]
            sizes: Vec<u64>,
        },
    }

    fn errors(line: &[&str]) -> String {
        let arguments: Vec<OsString> = line.iter().map(OsString::from).collect();
        let first = Line::try_parse_from(&arguments).expect_err("refused");
        report(&all_errors(Line::command(), &arguments, first))
    }

    #[test]
    fn every_bad_value_is_reported_and_the_hint_once() {
        let line = ["test", "make", "--priority", "11", "big", "--wait", "soon"];
        let text = errors(&line);
        for value in ["'11'", "'big'", "'soon'"] {
            assert!(text.contains(value), "{text}");
        }
        assert_eq!(text.matches("error: ").count(), 3, "{text}");
        assert_eq!(text.matches("--help").count(), 1, "{text}");
    }

    #[test]
    fn what_is_missing_is_reported_beside_what_is_bad() {
        let text = errors(&["test", "make", "--priority", "11"]);
        assert!(text.contains("'11'") && text.contains("<SIZES>"), "{text}");
        let unknown = errors(&["test", "make", "1", "--prio", "2"]);
        assert_eq!(unknown.matches("error: ").count(), 1, "{unknown}");
    }
}
