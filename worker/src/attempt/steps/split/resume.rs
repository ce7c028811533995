//! Going on with a job that was split before: its missing parts are enqueued again, or its pieces are joined.

use common::farm::queue::Queue;
use common::job::part::Part;
use common::job::run::Run;
use common::job::run::report::Report;
use common::job::split::{Plan, Split, SplitState};
use common::store::StoreError;
use futures::{StreamExt, TryStreamExt, stream};

use crate::attempt::input;
use crate::attempt::steps::{Attempt, Unfinished};

/// The pieces that are looked for at the same time.
const AT_ONCE: usize = 16;

/// What earlier attempts have decided about a split.
pub(in crate::attempt::steps) enum Planned {
    /// Nothing yet.
    Not,
    /// The job is made in parts, some of which are done.
    Parts(Box<Plan>, SplitState),
    /// It was split, and is encoded as a whole after all, for this reason.
    Whole(String),
}

impl Attempt<'_> {
    /// The plan of the job, if it is split.
    pub(in crate::attempt::steps) async fn planned(&self) -> Result<Planned, Unfinished> {
        if self.job.split == Split::Off {
            return Ok(Planned::Not);
        }
        let broker = &self.executor.broker;
        let Some(plan) = self.executor.plan_of(&self.job).await? else {
            return Ok(Planned::Not);
        };
        let state = broker.split_state(&self.job.id).await?;
        match state.unsplit {
            // The join may have found it out, in the lane of copies, where a worker may lack the encoder.
            Some(why) if self.claim.lane().queue == Queue::Copy => Err(Unfinished::Unsplit(why)),
            Some(why) => Ok(Planned::Whole(why)),
            None => Ok(Planned::Parts(plan.into(), state)),
        }
    }

    /// Joins the pieces if all are there. Otherwise has the missing ones made.
    pub(in crate::attempt::steps) async fn resume(
        &mut self,
        plan: Plan,
        state: SplitState,
    ) -> Result<Report, Unfinished> {
        let broker = self.executor.broker.clone();
        let (done, mut missing): (Vec<Part>, Vec<Part>) =
            plan.parts().partition(|part| state.has(*part));
        let mut runs = broker.part_runs(&plan).await?;
        // Of two runs of one chunk, both may have made a piece, and only one of them fits.
        let piece = |run: &Run| run.report().and_then(Report::piece).cloned();
        runs.retain(|run| piece(run).is_none_or(|made| state.admits(&made)));
        let gone = self.gone(&plan, &done, &runs).await?;
        if !gone.is_empty() {
            tracing::warn!(pieces = gone.len(), "pieces are gone, and are made again");
            broker.unmark_parts(&self.job.id, &gone).await?;
            missing.extend(gone);
        }
        if missing.is_empty() {
            return Box::pin(self.join_pieces(&plan, &runs)).await;
        }
        tracing::info!(missing = missing.len(), "parts are missing");
        broker.enqueue_parts(&plan).await?;
        Err(Unfinished::Split(plan.parts().count()))
    }

    /// Those of the parts whose pieces are not in place, or not as they were published.
    async fn gone(
        &self,
        plan: &Plan,
        done: &[Part],
        runs: &[Run],
    ) -> Result<Vec<Part>, Unfinished> {
        let stores = &self.executor.stores;
        let is_gone = async |part: Part| {
            let Some(piece) = super::join::piece(plan, part, runs) else {
                return Ok(Some(part));
            };
            match stores.head(&piece.location).await {
                Ok(found) if found.size == piece.size => Ok(None),
                Ok(_) | Err(StoreError::Missing(_)) => Ok(Some(part)),
                Err(error) => Err(input::failure(error)),
            }
        };
        let gone = stream::iter(done.iter().copied())
            .map(is_gone)
            .buffer_unordered(AT_ONCE)
            .try_filter_map(async |gone| Ok(gone));
        Ok(gone.try_collect().await?)
    }
}
