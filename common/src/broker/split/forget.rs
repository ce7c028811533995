//! Removing all that is kept of a split.

use crate::broker::nats::all_of;
use crate::broker::{Broker, BrokerError};
use crate::job::split::Plan;
use crate::names::subject;
use crate::names::subject::{PLANS, RUNS};

impl Broker {
    /// Removes the plan of a job that has ended, its state, and the runs of its parts; not their pieces. Nothing is
    /// removed if the job lives. If this is interrupted, the plan is left for the next call.
    ///
    /// # Errors
    /// The broker gives no answer. Then this can be repeated.
    pub async fn forget_split(&self, plan: &Plan) -> Result<(), BrokerError> {
        let job = &plan.job.id;
        let what = format!("forgetting how job {job} was split");
        let (key, state) = (subject::plan(job), subject::split_state(job));
        // Read before the job: an attempt that goes on with this split writes the state anew, so one of the two fails.
        let stored = self.nats.last_of_key(PLANS, &key, &what).await?;
        let before = self.nats.last_of_key(PLANS, &state, &what).await?;
        if !self.has_whole_ended(job).await? {
            return Ok(());
        }
        self.end_unfinished(job).await?;
        // The runs of a new plan come later than this, and stay.
        let last = self.nats.extent(&subject::bucket(RUNS)).await?.last;
        if let Some((value, revision)) = before
            && !value.is_empty()
        {
            let removed = self.nats.forget_key(PLANS, &state, revision, &what);
            match removed.await {
                Err(error) if error.is_conflict() => return Ok(()),
                removed => removed?,
            }
        }
        let parts: Vec<_> = plan.all_parts().collect();
        let mut removing = Vec::with_capacity(parts.len());
        for part in &parts {
            removing.push(self.forget_run(part, last));
        }
        all_of(removing).await?;
        match stored {
            Some((value, revision)) if !value.is_empty() => {
                let removed = self.nats.forget_key(PLANS, &key, revision, &what);
                // On a conflict, a new plan is there.
                removed.await.or_else(BrokerError::unless_conflict)
            }
            _ => Ok(()),
        }
    }
}
