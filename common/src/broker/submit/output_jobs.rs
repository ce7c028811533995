//! Looking up the last jobs of outputs.

use std::collections::HashMap;

use crate::broker::{Broker, BrokerError};
use crate::job::Job;
use crate::job::id::JobId;
use crate::job::run::Run;
use crate::names::location::Location;
use crate::names::subject;
use crate::names::subject::{JOBS, RUNS};
use crate::submit::output_job::{JobsByOutput, OutputJob};

impl Broker {
    /// The jobs that claimed these outputs last. Outputs whose job is unknown are left out.
    ///
    /// # Errors
    /// If the broker gives no answer.
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
        // Messages are read before runs: a job that a worker takes in between is seen as taken.
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
