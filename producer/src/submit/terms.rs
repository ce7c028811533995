//! The options of jobs, and the terms that they set.

use std::time::Duration;

use clap::Args;
use common::farm::queue::Priority;
use common::farm::worker_name::WorkerName;
use common::job::sidecar::Sidecars;
use common::job::split::Split;
use common::job::{Fallbacks, Job};
use common::recipe::Recipe;
use common::submit::output_set::OutputSet;
use common::submit::terms::{JobTerms, Renew};

use crate::cli::args;
use crate::cli::exit::Error;
use crate::submit::rules::RuleOptions;
use crate::submit::sidecars::SidecarOption;

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
    /// Replace existing output files; no source is touched
    #[arg(long)]
    pub overwrite: bool,
    /// What becomes of files beside a source that bear its name, such as film.en.srt, film.nfo and film-poster.jpg [default: carry with --replace, leave with -o]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub sidecars: Option<SidecarOption>,
    /// Whether a film is encoded in parts, by as many workers as there are: auto (if it pays), off, or always in chunks of about so much of the film, e.g. 30s
    #[arg(long, value_name = "auto|off|TIME", default_value_t = Split::Auto)]
    pub split: Split,
    #[command(flatten)]
    pub rules: RuleOptions,
    /// Only show what would be done with each file: its output, or why it is skipped, and what would be kept, converted or lost
    #[arg(long)]
    pub dry_run: bool,
    /// Print the result as JSON
    #[arg(long)]
    pub json: bool,
}

impl JobOptions {
    /// # Errors
    /// If only one of `--hop-after` and several encoders is given, or the rules, sidecars or chunks make no sense for
    /// these outputs.
    pub(crate) fn terms(&self, outputs: &OutputSet, renew: Renew) -> Result<JobTerms, Error> {
        let rules = self.rules.rules();
        rules.check(outputs).map_err(Error::usage)?;
        let usual = Sidecars::usual(outputs.replaces());
        let sidecars = self.sidecars.map_or(usual, Sidecars::from);
        if sidecars == Sidecars::Carry && outputs.is_ladder() {
            return Err(Error::usage(
                "players of a ladder read no files beside it: leave --sidecars carry out",
            ));
        }
        outputs.check_split(self.split).map_err(Error::usage)?;
        Ok(JobTerms {
            rules,
            fallbacks: self.fallbacks(outputs.first())?,
            worker: self.worker.clone(),
            priority: self.priority,
            attempts: self.attempts,
            again: self.again,
            overwrite: self.overwrite,
            renew,
            sidecars,
            split: self.split,
        })
    }

    fn fallbacks(&self, recipe: &Recipe) -> Result<Option<Fallbacks>, Error> {
        let queues = recipe.fallback_queues();
        match (self.hop_after, queues.is_empty()) {
            (None, true) => Ok(None),
            // The worker uses the first encoder that it has proved.
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
