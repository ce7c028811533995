//! Everything that is wrong with a command line, not the first thing only.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{Resettable, ValueParser};
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Command, CommandFactory};
use common::program::telemetry;

use crate::cli::config::{Cli, places};

/// Says what is wrong and ends the process. `first` is what clap found.
pub(crate) fn exit(first: &clap::Error, arguments: &[OsString]) -> ! {
    if matches!(
        first.kind(),
        ErrorKind::ValueValidation | ErrorKind::InvalidValue
    ) {
        let wrong = all(arguments);
        if wrong.len() > 1 {
            for problem in wrong {
                eprintln!("error: {problem}");
            }
            eprintln!("\nFor more information, try '--help'.");
            std::process::exit(first.exit_code());
        }
    }
    first.exit()
}

/// Each value that cannot be read.
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
    wrong.extend(places::stores(&roots, &[]).err().unwrap_or_default());
    for level in values(matches, "log_level") {
        wrong.extend(telemetry::check_level(&level.to_string_lossy()).err());
    }
    wrong
}

fn values(matches: &ArgMatches, id: &str) -> impl Iterator<Item = OsString> {
    let values = matches.try_get_many::<OsString>(id).ok().flatten();
    values.into_iter().flatten().cloned()
}

/// Reads one value as if it were the only one.
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
            // What comes after is the same for all.
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
    fn every_wrong_value_is_told_of() {
        let told = wrong(&[
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
        assert_eq!(told.len(), expected.len(), "{told:#?}");
        for (told, expected) in told.iter().zip(expected) {
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn what_is_right_is_not_told_of_and_subcommands_are_read_alike() {
        assert_eq!(wrong(&["--max-size", "20G", "--read", "download"]), [""; 0]);
        let told = wrong(&["check-config", "--read", "fast", "--max-jobs", "0"]);
        assert_eq!(told.len(), 2, "{told:#?}");
        assert!(wrong(&["--no-such-option"]).is_empty());
    }
}
