//! Going on with a job that was split before: its missing parts are enqueued again, or its pieces are joined.

use common::job::part::Part;
use common::job::run::report::Report;
use common::job::split::{Plan, Split};
use common::store::StoreError;
use futures::{StreamExt, TryStreamExt, stream};

use crate::attempt::input;
use crate::attempt::steps::{Attempt, Unfinished};

/// The pieces that are looked for at the same time.
const AT_ONCE: usize = 16;

impl Attempt<'_> {
    /// The plan of the job; `None` if it was not split.
    pub(in crate::attempt::steps) async fn plan(&self) -> Result<Option<Plan>, Unfinished> {
        if self.job.split == Split::Off {
            return Ok(None);
        }
        Ok(self.executor.broker.plan(&self.job.id).await?)
    }

    /// Joins the pieces if all are there. Otherwise has the missing ones made.
    pub(in crate::attempt::steps) async fn resume(
        &mut self,
        plan: Plan,
    ) -> Result<Report, Unfinished> {
        let broker = self.executor.broker.clone();
        let state = broker.split_state(&self.job.id).await?;
        let (done, mut missing): (Vec<Part>, Vec<Part>) =
            plan.parts().partition(|part| state.has(*part));
        let runs = broker.part_runs(&plan).await?;
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
        runs: &[common::job::run::Run],
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
