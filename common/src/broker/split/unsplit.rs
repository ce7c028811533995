//! Giving up a split: the parts cannot give the film, and the job is encoded as a whole.
//!
//! The state tells it first, for good. From then on no part is needed, and whoever owns the job next encodes the whole.
//! Whatever comes after that write can be repeated.

use crate::broker::queue::runs::{Tries, Write};
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::job::id::JobId;
use crate::job::part::Part;
use crate::job::run::Run;
use crate::job::split::SplitState;

impl Broker {
    /// Gives up the split of a job because this part of it has failed: the other parts end, and the job waits in the lane
    /// of its encoder. Nothing happens if the part is done by now. If a worker owns the job, it looks at the state once it
    /// has written the job as split.
    pub(super) async fn give_up_parts(&self, part: &JobId, why: &str) -> Result<(), BrokerError> {
        let whole = part.whole();
        let Some(lane) = self.write_given_up(&whole, part.part(), why).await? else {
            return Ok(());
        };
        self.requeue_whole(&whole, &lane).await?;
        self.end_unfinished(&whole).await
    }

    /// Gives up the split of a job for a reason that is none of its parts: the parts end, and the job waits in the lane of
    /// its encoder. Nothing happens if the job has no plan.
    ///
    /// # Errors
    /// The broker gives no answer. The same can be done again.
    pub async fn give_up_split(&self, job: &JobId, why: &str) -> Result<(), BrokerError> {
        self.give_up_parts(&job.whole(), why).await
    }

    /// Writes that the split of a job is given up, and returns the lane of its encoder. `None` if the part is done that
    /// is to blame, or the job has no plan.
    pub(crate) async fn write_given_up(
        &self,
        job: &JobId,
        part: Part,
        why: &str,
    ) -> Result<Option<Lane>, BrokerError> {
        let give_up = |state: &mut SplitState| state.give_up(part, why);
        let Some((state, ())) = self.change_state(job, give_up).await? else {
            return Ok(None);
        };
        let plan = self.plan(job).await?;
        Ok(plan
            .filter(|_| state.unsplit.is_some())
            .map(|plan| plan.lane()))
    }

    /// Has a split job wait in this lane. Nothing happens if it is not split now.
    pub(super) async fn requeue_whole(&self, job: &JobId, lane: &Lane) -> Result<(), BrokerError> {
        let mut is_sent = false;
        while let Some(found) = self.confirmed_run(job).await? {
            let next = found.run.unsplit(lane, self.now());
            let Some(next) = next.filter(|_| found.run.is_split()) else {
                break;
            };
            // The message is stored first: a waiting run without a message would wait for ever. A worker that gets it
            // before the run is written claims the job as well.
            if !std::mem::replace(&mut is_sent, true) {
                self.open_lane(lane).await?;
                self.send_to(&next.job, lane).await?;
            }
            let written = self.record_run(&next, found.revision, Tries::ForAMinute);
            if let Write::Done(_) = written.await? {
                break;
            }
        }
        Ok(())
    }

    /// Sends the message of a job whose owner has just written that it is to be encoded as a whole.
    pub(crate) async fn send_whole(&self, queued: &Run) -> Result<(), BrokerError> {
        let lane = queued.lane();
        self.open_lane(&lane).await?;
        self.send_to(&queued.job, &lane).await
    }
}
