//! Selections: the jobs that an order is about, named one by one or by what
//! they have in common. Never all of them unless that is said.

use std::fmt::Display;
use std::str::FromStr;

use clap::Args;
use common::broker::Broker;
use common::job::record::JobRecord;

use crate::exit::Error;
use crate::select::filter::FilterOptions;
use crate::select::lookup;

/// Which jobs an order is about.
#[derive(Clone, Debug, Args)]
pub(crate) struct Selection {
    /// Ids of jobs, or the starts of them
    #[arg(value_name = "JOB")]
    pub jobs: Vec<String>,
    /// Jobs that have something in common.
    #[command(flatten)]
    pub filter: FilterOptions,
    /// Every job that this can be done to
    #[arg(long, conflicts_with = "jobs", help_heading = "Which jobs")]
    pub all: bool,
}

impl Selection {
    /// What stands behind the jobs where no option says what they are to get:
    /// `reassign JOB… NAME`, `reprioritize JOB… 9`.
    ///
    /// # Errors
    /// Where nothing stands there, or nothing that makes sense.
    pub(crate) fn take_target<T: FromStr<Err: Display>>(
        &mut self,
        option: &str,
    ) -> Result<T, Error> {
        let last = self.jobs.pop().ok_or_else(|| {
            Error::usage(format!(
                "nothing says what the jobs are to get: give {option}"
            ))
        })?;
        last.parse().map_err(|error| {
            Error::usage(format!(
                "{error}; expected JOB… and then what they are to get, or {option}"
            ))
        })
    }

    /// Finds the jobs. Those that are named are taken as they are, so that the
    /// order can say what became of each; of others only those that `suits`.
    ///
    /// # Errors
    /// Where nothing is selected, or nothing matches.
    pub(crate) async fn find(
        &self,
        broker: &Broker,
        suits: impl Fn(&JobRecord) -> bool,
    ) -> Result<Vec<JobRecord>, Error> {
        match (self.jobs.is_empty(), self.filter.is_empty(), self.all) {
            (false, true, _) => return lookup::find_all(broker, &self.jobs).await,
            (false, false, _) => {
                return Err(Error::usage(
                    "jobs are selected by id or by options, not by both: leave one of them out",
                ));
            }
            (true, true, false) => {
                return Err(Error::usage(
                    "nothing says which jobs: name them, or give --batch, --state, --queue, --worker, --match or --all",
                ));
            }
            _ => {}
        }
        let filter = self.filter.filter(broker).await?;
        let mut found = broker.jobs(filter.wants_waiting()).await?;
        found.retain(|record| filter.wants(record) && suits(record));
        if found.is_empty() {
            return Err(Error::usage(
                "no job matches that this can be done to: `producer jobs` lists them",
            ));
        }
        Ok(found)
    }
}
