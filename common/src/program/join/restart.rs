//! Joining at the start of a program: `--join TOKEN`.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;

use crate::notify::secret::Secret;
use crate::program::farm_file::{FarmFile, Program};
use crate::program::join::{JoinError, JoinToken, Machine};
use crate::say;

/// The option, and the token that stands for standard input.
const OPTION: &str = "--join";
const STDIN: &str = "-";

/// Writes the machine's farm file from a token, or from standard input if the token is `-`, and says what it takes on.
///
/// # Errors
/// The token cannot be used, or the file not be written.
pub fn join(token: &Secret, farm: Option<&Path>, machine: &Machine<'_>) -> Result<(), JoinError> {
    let token = match token.reveal() {
        STDIN => {
            let mut text = String::new();
            // What cannot be read is no whole token.
            let _ = std::io::stdin().read_to_string(&mut text);
            JoinToken::read(&text)?
        }
        text => JoinToken::read(text)?,
    };
    let path = FarmFile::path(farm).ok_or(JoinError::NoHome)?;
    let joined = token.join(&path, machine)?;
    say!(
        "{}; the settings are in {}",
        taken_on(&joined, machine.program),
        path.display()
    );
    Ok(())
}

/// What a machine has taken on: nobody sees in a token what it holds.
fn taken_on(file: &FarmFile, program: Program) -> String {
    let servers = file.broker.servers.clone().unwrap_or_default();
    let joined = format!("joined the farm at {servers}");
    let of_user = match program {
        Program::Producer => &file.broker.user,
        Program::Monitor => &file.monitor.user,
        Program::Worker => return format!("{joined}: the worker {}", places(file)),
    };
    let user = of_user.as_ref();
    user.map_or(joined.clone(), |user| {
        format!("{joined} as the user {user}")
    })
}

/// Where the worker of a farm file reads and writes.
fn places(file: &FarmFile) -> String {
    let roots = file
        .worker
        .roots
        .iter()
        .map(|root| root.display().to_string());
    let roots: Vec<String> = roots.collect();
    let buckets = file.worker.buckets.iter().map(ToString::to_string);
    let buckets: Vec<String> = buckets.collect();
    let below = match (roots.is_empty(), buckets.is_empty()) {
        (true, true) => return "reads and writes no folder (--root names one)".to_owned(),
        (false, true) => format!("{} (roots)", roots.join(", ")),
        (true, false) => format!("{} (buckets)", buckets.join(", ")),
        (false, false) => format!(
            "{} (roots) and {} (buckets)",
            roots.join(", "),
            buckets.join(", ")
        ),
    };
    format!("reads and writes below {below}")
}

/// Joins at the start of a program that goes on. A token on the command line must not stay in the list of processes:
/// on Unix, the program then starts itself anew without it, and this returns only if that fails.
///
/// # Errors
/// As [`join`].
pub fn join_at_start(
    token: &Secret,
    farm: Option<&Path>,
    machine: &Machine<'_>,
) -> Result<(), JoinError> {
    join(token, farm, machine)?;
    if token.reveal() != STDIN {
        restart(without_token(std::env::args_os().skip(1)));
    }
    Ok(())
}

/// The arguments without the option and its value.
fn without_token(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut kept = Vec::new();
    let mut is_token = false;
    for argument in arguments {
        let text = argument.to_string_lossy();
        let is_option = text == OPTION;
        let is_both = text.starts_with(&format!("{OPTION}="));
        if !std::mem::replace(&mut is_token, is_option) && !is_option && !is_both {
            kept.push(argument);
        }
    }
    kept
}

#[cfg(unix)]
fn restart(arguments: Vec<OsString>) {
    use std::os::unix::process::CommandExt;
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let error = std::process::Command::new(program).args(arguments).exec();
    say!("warning: the token stays in the list of processes until the next start: {error}");
}

/// Other systems cannot replace a program. Their lists of processes show command lines to the same user only.
#[cfg(not(unix))]
fn restart(_: Vec<OsString>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_says_where_it_reads_and_writes() {
        let mut file = FarmFile::default();
        file.broker.servers = Some("tls://10.0.0.1:4222".into());
        file.worker.roots = vec!["/media".into(), "/films".into()];
        assert_eq!(
            taken_on(&file, Program::Worker),
            "joined the farm at tls://10.0.0.1:4222: the worker reads and writes below /media, /films (roots)"
        );
        file.worker.roots.clear();
        assert!(taken_on(&file, Program::Worker).ends_with("no folder (--root names one)"));
        file.broker.user = "desk".parse().ok();
        assert!(taken_on(&file, Program::Producer).ends_with("as the user desk"));
    }

    #[test]
    fn the_token_goes_and_all_else_stays() {
        let kept = |line: &[&str]| without_token(line.iter().map(OsString::from));
        assert_eq!(
            kept(&["--max-jobs", "2", "--join", "secret", "--only", "x"]),
            ["--max-jobs", "2", "--only", "x"]
        );
        assert_eq!(kept(&["--join=secret", "--fresh"]), ["--fresh"]);
        assert!(kept(&["--join", "secret"]).is_empty());
    }
}
