//! Who made what is at an output, or makes it, or is to make it.

use std::collections::HashMap;

use crate::broker::queue::outputs::ClaimHolder;
use crate::broker::{Broker, BrokerError};
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::input::Input;
use crate::job::run::report::Report;
use crate::job::run::{Run, RunState};
use crate::names::location::Location;
use crate::names::subject;
use crate::names::subject::{JOBS, RUNS};
use crate::recipe::Recipe;

/// The jobs that have made outputs, make them or are to make them.
pub type JobsByOutput = HashMap<Location, OutputJob>;

/// The job that last claimed an output.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputJob {
    /// Nobody has taken it yet.
    Waiting(Box<Job>),
    /// Somebody has.
    Taken(Box<Run>),
}

impl OutputJob {
    /// The job.
    pub fn job(&self) -> &Job {
        match self {
            Self::Waiting(job) => job,
            Self::Taken(run) => &run.job,
        }
    }

    /// Whether it waits or runs.
    pub fn lives(&self) -> bool {
        match self {
            Self::Waiting(_) => true,
            Self::Taken(run) => !run.state.is_terminal(),
        }
    }

    /// What it has made, where it is done.
    pub fn report(&self) -> Option<&Report> {
        match self {
            Self::Taken(run) => match &run.state {
                RunState::Completed { report } => Some(report),
                _ => None,
            },
            Self::Waiting(_) => None,
        }
    }

    /// Whether it makes the same of the same.
    pub fn does(&self, input: &Input, recipe: &Recipe) -> bool {
        self.job().input == *input && self.job().recipe == *recipe
    }

    /// The same as the holder of an output.
    pub fn holder(&self) -> ClaimHolder {
        self.job().into()
    }

    /// Why what it has made is not what another job was to make there.
    pub fn differs(&self, input: &Location, recipe: &Recipe) -> String {
        let job = self.job();
        let how = if job.input.location != *input {
            format!("from {}", job.input.location)
        } else if job.recipe != *recipe {
            "by another recipe".to_owned()
        } else {
            "from an earlier version of its source".to_owned()
        };
        format!("{} was made {how} by job {}", job.output, job.id)
    }
}

impl Broker {
    /// The jobs that claimed these outputs last, as far as anybody knows them.
    ///
    /// # Errors
    /// Where the broker gives no answer.
    pub async fn jobs_by_output(
        &self,
        outputs: impl IntoIterator<Item = Location>,
    ) -> Result<JobsByOutput, BrokerError> {
        let outputs: HashMap<String, Location> = outputs
            .into_iter()
            .map(|output| (subject::output(&output), output))
            .collect();
        let claims = self.claims(outputs.keys()).await?;
        let jobs: Vec<JobId> = claims.values().filter_map(|(job, _)| *job).collect();
        let mut known: HashMap<JobId, OutputJob> = HashMap::new();
        if jobs.is_empty() {
            return Ok(JobsByOutput::new());
        }
        // What waits is read first: a job that is taken meanwhile is seen as taken.
        let messages: Vec<String> = jobs
            .iter()
            .flat_map(|job| [subject::job_anywhere(job), subject::later_anywhere(job)])
            .collect();
        for stored in self.nats.last_of_each(JOBS, &messages).await? {
            if let Some(job) = self.nats.read::<Job>(&stored) {
                known.insert(job.id, OutputJob::Waiting(Box::new(job)));
            }
        }
        let runs: Vec<String> = jobs
            .iter()
            .map(|job| subject::kv(RUNS, &subject::run(job)))
            .collect();
        let found = self
            .nats
            .last_of_each(&subject::bucket(RUNS), &runs)
            .await?;
        for stored in found.iter().filter(|stored| !stored.is_marker) {
            if let Some(run) = self.nats.read::<Run>(stored) {
                known.insert(run.job.id, OutputJob::Taken(Box::new(run)));
            }
        }
        let last_job = |(key, output)| {
            let (job, _) = claims.get(&key)?;
            let last_job = known.get(job.as_ref()?)?;
            (last_job.job().output == output).then(|| (output, last_job.clone()))
        };
        Ok(outputs.into_iter().filter_map(last_job).collect())
    }
}
