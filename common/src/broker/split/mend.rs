//! Going on with a split job that lacks messages: a broker may have lost what it had stored.

use std::collections::HashSet;

use crate::broker::queue::runs::Versioned;
use crate::broker::{Broker, BrokerError};
use crate::job::id::JobId;
use crate::job::split::Plan;

impl Broker {
    /// Sends the messages that a split job lacks to go on: of parts that are not done, or of the job itself once all are
    /// done. Nothing happens if a part runs whose owner lives. `false` if nothing was missing.
    ///
    /// # Errors
    /// The broker gives no answer. Then this can be repeated.
    pub async fn mend_split(&self, plan: &Plan) -> Result<bool, BrokerError> {
        let job = plan.job.id;
        let Some(before) = self.split_run(&job).await? else {
            return Ok(false);
        };
        // Read before the state: a part is marked as done before its message goes.
        let jobs = plan.parts().map(|part| job.with_part(part)).chain([job]);
        let waiting: HashSet<JobId> = self.with_messages(jobs).await?.into_iter().collect();
        let state = self.stored_state(&job).await?.map(|(state, _)| state);
        let is_missing = |part| state.as_ref().is_some_and(|state| state.needs(part));
        let missing = plan.parts().filter(|part| is_missing(*part));
        let missing: Vec<JobId> = missing.map(|part| job.with_part(part)).collect();
        // A job that has ended meanwhile, or is being joined, lacks nothing.
        let now = self.split_run(&job).await?;
        if now.is_none_or(|now| now.revision != before.revision) {
            return Ok(false);
        }
        if missing.is_empty() {
            if waiting.contains(&job) {
                return Ok(false);
            }
            self.look_after_split(&before.run).await?;
            return Ok(true);
        }
        let (mut is_sent, mut is_anew) = (false, false);
        for part in missing.iter().filter(|part| !waiting.contains(part)) {
            match self.confirmed_run(part).await {
                Ok(Some(found)) if !found.run.state.is_terminal() => {
                    is_sent |= self.send_again(found).await?;
                }
                Ok(_) | Err(BrokerError::BrokenRun { .. }) => is_anew = true,
                Err(error) => return Err(error),
            }
        }
        if is_anew {
            self.enqueue_parts(plan).await?;
        }
        Ok(is_sent || is_anew)
    }

    /// The run of a job, if it is split now.
    async fn split_run(&self, job: &JobId) -> Result<Option<Versioned>, BrokerError> {
        let found = self.confirmed_run(job).await?;
        Ok(found.filter(|found| found.run.is_split()))
    }
}
