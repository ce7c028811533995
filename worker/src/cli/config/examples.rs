//! Examples for the `--help` of each command.

pub(super) const WORK: &str = "\
Examples:
  worker --root /srv/media                                  # jobs about files below this folder
  worker --bucket s3://media --only hevc_nvenc,any_hevc     # jobs of these queues, about this bucket
  worker --schedule '22:00-07:00' --max-jobs 1              # at night, one at a time";
pub(super) const CAPABILITIES: &str = "\
Examples:
  worker capabilities
  worker capabilities --fresh --encoders hevc_nvenc,av1_nvenc    # after a new driver";
pub(super) const CHECK_CONFIG: &str = "\
Example:
  worker check-config --root /srv/media";

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};
    use common::testing::{documents, help};

    use crate::cli::config::Cli;

    fn parse(words: &[String]) -> Result<(), clap::Error> {
        Cli::try_parse_from(words).map(|_| ())
    }

    #[test]
    fn commands_in_documents_are_commands_of_the_program() {
        let lines = documents::command_lines("worker");
        assert!(lines.len() > 8, "{lines:?}");
        let mut wrong = help::refused(&lines, parse);
        // Workers call `worker sandbox` themselves, and no person does.
        let in_prose = help::unknown_in_prose(&Cli::command());
        wrong.extend(
            in_prose
                .into_iter()
                .filter(|line| !line.contains("`worker sandbox")),
        );
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn every_command_has_an_example_that_is_one() {
        let wrong = help::refused(&help::examples(&Cli::command()), parse);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert_eq!(help::without_example(&Cli::command()), Vec::<String>::new());
    }
}
