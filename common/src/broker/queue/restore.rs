//! Restoring ended jobs on a new broker, from the runs that another broker had stored.

use futures::{StreamExt, TryStreamExt};

use crate::broker::nats::atomic;
use crate::broker::queue::runs::Tries;
use crate::broker::{Broker, BrokerError};
use crate::job::Job;
use crate::job::master::MasterRecord;
use crate::job::run::Run;
use crate::names::subject;
use crate::names::subject::OUTPUTS;
use crate::wire;

/// Runs that are written at once.
const AT_ONCE: usize = 64;

impl Broker {
    /// Writes runs that have ended, the claims of their outputs, and records of master files. What exists stays. Safe to
    /// repeat.
    pub async fn restore(&self, runs: &[Run], masters: &[MasterRecord]) -> Result<(), BrokerError> {
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
            let revision = |key: &String| match known.get(key) {
                None => Some(0),
                // It was removed.
                Some((None, revision)) => Some(*revision),
                Some((Some(_), _)) => None,
            };
            let free: Vec<(&String, &Job, u64)> = keys
                .iter()
                .zip(some)
                .filter_map(|(key, run)| Some((key, &run.job, revision(key)?)))
                .collect();
            if !free.is_empty() {
                self.write_claims(free).await?;
            }
        }
        for record in masters {
            let key = subject::master(&record.ladder.master);
            let what = format!("restoring the record of {}", record.ladder.master);
            let restored = self
                .nats
                .replace(OUTPUTS, &key, wire::encode(record), 0, &what);
            match restored.await {
                Err(error) if !error.is_conflict() => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}
