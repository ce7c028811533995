//! How jobs are submitted, and the options that set it.

use std::time::Duration;

use clap::Args;
use common::farm::queue::{Lane, Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::{Fallbacks, Job};
use common::recipe::Recipe;

use crate::cli::args;
use crate::cli::exit::Error;

#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Jobs")]
pub(crate) struct JobOptions {
    /// Priority: 1 (low) to 10 (high)
    #[arg(long, value_name = "1..10", default_value_t)]
    pub priority: Priority,
    /// How many attempts a job has, crashes of workers included
    #[arg(long, value_name = "N", default_value_t = Job::ATTEMPTS, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub attempts: u32,
    /// With several encoders: how long a job waits before the next encoder may take it too, e.g. 10m
    #[arg(long, value_name = "TIME", value_parser = args::duration)]
    pub hop_after: Option<Duration>,
    /// Only this worker may run the jobs
    #[arg(long, value_name = "NAME", conflicts_with = "hop_after")]
    pub worker: Option<WorkerName>,
    /// Start new jobs even for what is done, running or waiting already
    #[arg(long)]
    pub again: bool,
    /// Replace existing output files; sources are never touched
    #[arg(long)]
    pub overwrite: bool,
    /// Only show what would be done with each file: its output, or why it is skipped, and what would be kept, converted or lost
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

impl JobOptions {
    ///
    /// # Errors
    /// Where `--hop-after` and several encoders do not come together.
    pub(crate) fn terms(&self, recipe: Recipe, renew: Renew) -> Result<JobTerms, Error> {
        Ok(JobTerms {
            fallbacks: self.fallbacks(&recipe)?,
            worker: self.worker.clone(),
            recipe,
            priority: self.priority,
            attempts: self.attempts,
            again: self.again,
            overwrite: self.overwrite,
            renew,
        })
    }

    fn fallbacks(&self, recipe: &Recipe) -> Result<Option<Fallbacks>, Error> {
        let queues = recipe.further_queues();
        match (self.hop_after, queues.is_empty()) {
            (None, true) => Ok(None),
            // The worker takes the first encoder that it has proved.
            (None, false) if self.worker.is_some() => Ok(None),
            (None, false) => Err(Error::usage(
                "several encoders need --hop-after TIME: how long a job waits before the next encoder may take it",
            )),
            (Some(_), true) => Err(Error::usage(
                "--hop-after needs several encoders: --encoder hevc_nvenc,libx265",
            )),
            (Some(after), false) => Ok(Some(Fallbacks {
                queues,
                after: after.as_secs(),
            })),
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct JobTerms {
    pub recipe: Recipe,
    pub fallbacks: Option<Fallbacks>,
    /// The only worker that may run the jobs, where one is named.
    pub worker: Option<WorkerName>,
    pub priority: Priority,
    pub attempts: u32,
    /// Whether to start new jobs for what is done already.
    pub again: bool,
    /// Whether to replace existing output files.
    pub overwrite: bool,
    pub renew: Renew,
}

/// Which ended jobs are replaced by new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renew {
    Never,
    /// Completed ones whose output is missing.
    Gone,
    /// These, and failed or cancelled ones.
    Ended,
}

impl JobTerms {
    pub(crate) fn replaces(&self) -> bool {
        self.overwrite || self.again
    }

    pub(crate) fn lane(&self) -> Lane {
        Lane {
            priority: self.priority,
            queue: match &self.worker {
                Some(worker) => Queue::On(worker.clone()),
                None => self.recipe.queue(),
            },
        }
    }
}
