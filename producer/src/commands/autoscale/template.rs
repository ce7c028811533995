//! Command lines with a place for a worker's name.

use std::process::Stdio;

use common::farm::worker_name::WorkerName;
use tokio::process::Command;

/// What stands for the worker's name.
const NAME: &str = "{name}";

/// A command line with a place for a worker's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    words: Vec<String>,
}

impl Template {
    /// Splits a command line into words as a shell does, without running one. With `shell`, the whole line is for `sh`.
    ///
    /// # Errors
    /// The line is empty, has an open quote, or does not say where the name goes.
    pub(super) fn parse(line: &str, shell: bool) -> Result<Self, String> {
        if !line.contains(NAME) {
            return Err(format!(
                "it does not say where the worker's name goes: {NAME}"
            ));
        }
        let words = if shell {
            ["sh", "-c", line].map(str::to_owned).to_vec()
        } else {
            shlex::split(line).ok_or("a quote is not closed")?
        };
        Ok(Self { words })
    }

    /// The words for a worker.
    fn words(&self, worker: &WorkerName) -> impl Iterator<Item = String> {
        let name = worker.as_str();
        // Names have no characters that mean anything to a shell.
        self.words.iter().map(move |word| word.replace(NAME, name))
    }

    /// The command for a worker. It outlives this program, and does not hear the Ctrl-C that ends it.
    pub(super) fn command(&self, worker: &WorkerName) -> Command {
        let mut words = self.words(worker);
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .env("WORKER_NAME", worker.as_str())
            .stdin(Stdio::null())
            .kill_on_drop(false);
        #[cfg(unix)]
        command.process_group(0);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str, shell: bool) -> Result<Vec<String>, String> {
        let worker = "cpu-1f".parse().expect("a name");
        Template::parse(line, shell).map(|template| template.words(&worker).collect())
    }

    #[test]
    fn words_are_split_as_a_shell_splits_them_and_no_shell_runs() {
        assert_eq!(
            words(
                "docker run --name '{name}' -e 'A=b $c' worker --name={name}",
                false
            ),
            Ok([
                "docker",
                "run",
                "--name",
                "cpu-1f",
                "-e",
                "A=b $c",
                "worker",
                "--name=cpu-1f"
            ]
            .map(str::to_owned)
            .to_vec())
        );
        assert_eq!(
            words("a {name} | b", true),
            Ok(["sh", "-c", "a cpu-1f | b"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn a_line_without_a_name_or_with_an_open_quote_is_refused() {
        assert!(words("docker run worker", false).is_err());
        assert!(words("docker run '{name}", false).is_err());
        assert!(words("", false).is_err());
    }
}
