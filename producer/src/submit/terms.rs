//! The terms on which jobs are submitted, and the options that set them.

use std::time::Duration;

use clap::Args;
use common::farm::queue::{Lane, Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::{Fallbacks, Job};
use common::recipe::Recipe;

use crate::args;
use crate::exit::Error;

/// On what terms jobs are made.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Jobs")]
pub(crate) struct JobOptions {
    /// How urgent: 1 (low) to 10 (high)
    #[arg(long, value_name = "1..10", default_value_t)]
    pub priority: Priority,
    /// How often a job may be tried, crashes of workers included
    #[arg(long, value_name = "N", default_value_t = Job::ATTEMPTS, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub attempts: u32,
    /// Of several encoders, open each further one to a job that has waited so long for those before it, e.g. 10m
    #[arg(long, value_name = "TIME", value_parser = args::duration)]
    pub hop_after: Option<Duration>,
    /// Have this worker run them, and no other
    #[arg(long, value_name = "NAME", conflicts_with = "hop_after")]
    pub worker: Option<WorkerName>,
    /// Do it all again, whatever is done, running or waiting already
    #[arg(long)]
    pub again: bool,
    /// Replace files that are there already; sources are never touched
    #[arg(long)]
    pub overwrite: bool,
    /// Only tell what would be done to each file: its output, or why it is skipped, and what would be kept, converted or lost
    #[arg(long)]
    pub dry_run: bool,
    /// Print the outcome as JSON
    #[arg(long)]
    pub json: bool,
}

impl JobOptions {
    /// The terms, for a recipe.
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
            // Its worker takes the first of them that it has proved.
            (None, false) if self.worker.is_some() => Ok(None),
            (None, false) => Err(Error::usage(
                "several encoders need --hop-after TIME: how long a job waits for one before the next is opened to it",
            )),
            (Some(_), true) => Err(Error::usage(
                "--hop-after needs several encoders to hop between: --encoder hevc_nvenc,libx265",
            )),
            (Some(after), false) => Ok(Some(Fallbacks {
                queues,
                after: after.as_secs(),
            })),
        }
    }
}

/// On what terms jobs are submitted.
#[derive(Clone, Debug)]
pub(crate) struct JobTerms {
    /// How to encode.
    pub recipe: Recipe,
    /// Further queues that are opened to jobs that wait too long.
    pub fallbacks: Option<Fallbacks>,
    /// The only worker that may run them, where one is named.
    pub worker: Option<WorkerName>,
    /// How urgently.
    pub priority: Priority,
    /// How often each job may be tried.
    pub attempts: u32,
    /// Whether what is done already is done anew.
    pub again: bool,
    /// Whether files that are there already are replaced.
    pub overwrite: bool,
    /// Which jobs that are over get a new one in their place.
    pub renew: Renew,
}

/// Which jobs that are over get a new one in their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renew {
    /// None.
    Never,
    /// Those that are done, but whose output is gone.
    Gone,
    /// These, and those that failed or were cancelled.
    Ended,
}

impl JobTerms {
    /// Whether what is at an output may be replaced.
    pub(crate) fn replaces(&self) -> bool {
        self.overwrite || self.again
    }

    /// Where such jobs wait.
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
