//! Recording that the source of a job is back.

use crate::broker::queue::runs::{Tries, Write};
use crate::broker::{Broker, BrokerError, SteerResult};
use crate::job::id::JobId;

impl Broker {
    /// Records that the source of a completed job is back and its output gone. To be called by the program that has put
    /// it back; can be repeated.
    ///
    /// # Errors
    /// If the broker gives no answer.
    pub async fn record_undone(&self, job: &JobId) -> Result<SteerResult, BrokerError> {
        loop {
            let Some(found) = self.confirmed_run(job).await? else {
                return Ok(SteerResult::Unknown);
            };
            let Some(next) = found.run.undo(self.now()) else {
                return Ok(SteerResult::TooLate(Box::new(found.run)));
            };
            if let Write::Done(_) = self
                .record_run(&next, found.revision, Tries::ForAMinute)
                .await?
            {
                return Ok(SteerResult::Done(Box::new(next)));
            }
        }
    }
}
