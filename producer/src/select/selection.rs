//! The jobs that a command changes: by ids, or by filters. All of them only with `--all`.

use std::fmt::Display;
use std::str::FromStr;

use clap::Args;
use common::broker::Broker;
use common::job::record::JobRecord;

use crate::cli::exit::Error;
use crate::select::filter::FilterOptions;
use crate::select::lookup;

#[derive(Clone, Debug, Args)]
pub(crate) struct Selection {
    /// Job ids, or their first characters
    #[arg(value_name = "JOB")]
    pub jobs: Vec<String>,
    #[command(flatten)]
    pub filter: FilterOptions,
    /// All jobs that the command can change
    #[arg(long, conflicts_with = "jobs", help_heading = "Which jobs")]
    pub all: bool,
    /// Say what would become of each job, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Selection {
    /// The word for what is done to the jobs.
    pub(crate) fn done(&self, word: &str) -> String {
        match self.dry_run {
            true => format!("would be {word}:"),
            false => word.to_owned(),
        }
    }

    /// The last argument, as the value of an option that is not given: `reassign JOB… NAME`, `reprioritize JOB… 9`.
    ///
    /// # Errors
    /// If there is no such argument, or it cannot be read.
    pub(crate) fn take_target<T: FromStr<Err: Display>>(
        &mut self,
        option: &str,
    ) -> Result<T, Error> {
        let last = self.jobs.pop().ok_or_else(|| {
            Error::usage(format!("nothing says what to change to: give {option}"))
        })?;
        last.parse().map_err(|error| {
            Error::usage(format!(
                "{error}; expected JOB… and the new value, or {option}"
            ))
        })
    }

    /// Finds the jobs. Jobs that are named by ids are all taken, so that the command reports on each; filters find only
    /// those that `suits`.
    pub(crate) async fn find(
        &self,
        broker: &Broker,
        suits: impl Fn(&JobRecord) -> bool,
    ) -> Result<Vec<JobRecord>, Error> {
        match (self.jobs.is_empty(), self.filter.is_empty(), self.all) {
            (false, true, _) => return lookup::find_all(broker, &self.jobs).await,
            (false, false, _) => {
                return Err(Error::usage(
                    "select jobs by ids or by options, not by both",
                ));
            }
            (true, true, false) => {
                return Err(Error::usage(
                    "no jobs are selected: name them, or give --batch, --state, --queue, --worker, --match or --all",
                ));
            }
            _ => {}
        }
        let filter = self.filter.filter(broker).await?;
        let wants = |record: &JobRecord| filter.wants(record) && suits(record);
        let found = broker
            .pick_jobs(filter.wants_waiting(), |record| {
                wants(&record).then_some(record)
            })
            .await?;
        if found.is_empty() {
            return Err(Error::usage(
                "no jobs match that the command can change: `producer jobs` lists all",
            ));
        }
        Ok(found)
    }
}
