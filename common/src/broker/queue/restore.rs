//! Restoring ended jobs on a new broker, from the runs that another broker had stored.

use futures::{StreamExt, TryStreamExt};

use crate::broker::nats::atomic;
use crate::broker::queue::runs::Tries;
use crate::broker::{Broker, BrokerError};
use crate::job::Job;
use crate::job::run::Run;
use crate::names::subject;

/// Runs that are written at once.
const AT_ONCE: usize = 64;

impl Broker {
    /// Writes runs that have ended, and the claims of their outputs. Existing runs and claims stay. Safe to repeat.
    pub async fn restore(&self, runs: &[Run]) -> Result<(), BrokerError> {
        for some in runs.chunks(atomic::MOST) {
            // An existing run makes a conflict, which is fine.
            futures::stream::iter(some)
                .map(async |run| self.write_run(run, 0, Tries::ForAMinute).await.map(drop))
                .buffer_unordered(AT_ONCE)
                .try_collect::<()>()
                .await?;
            let keys: Vec<String> = some
                .iter()
                .map(|run| subject::output(&run.job.output))
                .collect();
            let known = self.claims(keys.iter()).await?;
            let free: Vec<(&String, &Job, u64)> = keys
                .iter()
                .zip(some)
                .filter(|(key, _)| !known.contains_key(*key))
                .map(|(key, run)| (key, &run.job, 0))
                .collect();
            if !free.is_empty() {
                self.write_claims(free).await?;
            }
        }
        Ok(())
    }
}
