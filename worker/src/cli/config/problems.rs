//! Lists every wrong value of a command line, not only the first.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{Resettable, ValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command, CommandFactory};
use common::program::console::say_lines;
use common::program::farm_file::WorkerSection;
use common::program::telemetry;
use common::say;
use common::store::Stores;

use crate::cli::config::{Cli, places};

/// Prints the problems and ends the process. `first` is the problem that clap found.
pub(crate) fn exit(first: &clap::Error, arguments: &[OsString]) -> ! {
    if matches!(
        first.kind(),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue
    ) {
        let wrong = all(arguments);
        if wrong.len() > 1 {
            for problem in wrong {
                say!("error: {problem}");
            }
            say_lines("\nFor more information, try '--help'.");
            std::process::exit(first.exit_code());
        }
    }
    first.exit()
}

/// Every value that cannot be parsed.
fn all(arguments: &[OsString]) -> Vec<String> {
    let text = |arg: Arg| {
        if arg.get_action().takes_values() {
            arg.value_parser(ValueParser::os_string())
        } else {
            arg
        }
    };
    let lenient = Cli::command().mut_args(text);
    let lenient = lenient.mut_subcommands(|command| command.mut_args(text));
    let Ok(matches) = lenient.try_get_matches_from(arguments) else {
        return Vec::new();
    };
    let mut strict = Cli::command();
    strict.build();
    let (command, matches) = match matches.subcommand() {
        Some((name, matches)) => match strict.find_subcommand(name) {
            Some(command) => (command, matches),
            None => return Vec::new(),
        },
        None => (&strict, &matches),
    };
    let mut wrong = Vec::new();
    for arg in command.get_arguments() {
        for value in values(matches, arg.get_id().as_str()) {
            wrong.extend(alone(arg, &value).err());
        }
    }
    let roots: Vec<PathBuf> = values(matches, "roots").map(PathBuf::from).collect();
    let stores = places::stores(Stores::new(), &roots, &[], &WorkerSection::default());
    wrong.extend(stores.err().unwrap_or_default());
    for level in values(matches, "log_level") {
        wrong.extend(telemetry::check_level(&level.to_string_lossy()).err());
    }
    wrong
}

fn values(matches: &ArgMatches, id: &str) -> impl Iterator<Item = OsString> {
    let values = matches.try_get_many::<OsString>(id).ok().flatten();
    values.into_iter().flatten().cloned()
}

/// Parses one value as if it were the only one.
fn alone(arg: &Arg, value: &OsString) -> Result<(), String> {
    let Some(long) = arg.get_long().filter(|_| arg.get_action().takes_values()) else {
        return Ok(());
    };
    let mut option = OsString::from(format!("--{long}="));
    option.push(value);
    let command = Command::new("worker").arg(arg.clone().env(Resettable::Reset));
    match command.try_get_matches_from(["worker".into(), option]) {
        Ok(_) => Ok(()),
        Err(error) => {
            let text = error.to_string();
            // The text after the first empty line is the same for all problems.
            let lines = text.lines().take_while(|line| !line.is_empty());
            let lines: Vec<&str> = lines.map(str::trim).collect();
            Err(lines.join(" ").trim_start_matches("error: ").to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(arguments: &[&str]) -> Vec<String> {
        let arguments = ["worker"].iter().chain(arguments);
        let arguments: Vec<OsString> = arguments.map(OsString::from).collect();
        all(&arguments)
    }

    #[test]
    fn every_wrong_value_is_reported() {
        let reported = wrong(&[
            "--schedule",
            "at night",
            "--max-size=much",
            "--ack-wait",
            "1ms",
            "--max-jobs",
            "3",
            "--only",
            "libx264,no queue",
            "--root",
            "/nowhere/at/all",
            "--log-level",
            "a=b=c",
        ]);
        let expected = [
            "at night",
            "no queue",
            "much",
            "at least 1s",
            "/nowhere/at/all",
            "a=b=c",
        ];
        assert_eq!(reported.len(), expected.len(), "{reported:#?}");
        for (reported, expected) in reported.iter().zip(expected) {
            assert!(reported.contains(expected), "{reported}");
        }
    }

    #[test]
    fn right_values_are_not_reported_and_subcommands_are_checked_too() {
        assert_eq!(wrong(&["--max-size", "20G", "--read", "download"]), [""; 0]);
        let reported = wrong(&["check-config", "--read", "fast", "--max-jobs", "0"]);
        assert_eq!(reported.len(), 2, "{reported:#?}");
        assert!(wrong(&["--no-such-option"]).is_empty());
    }
}
