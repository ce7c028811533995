//! Split jobs that do not go on because a broker has lost a message.

use std::collections::HashMap;

use common::broker::BrokerError;
use common::job::id::JobId;
use common::job::split::SplitState;

use crate::attempt::executor::Executor;

/// How far each split job was in the last look.
#[derive(Default)]
pub(super) struct LastLook(HashMap<JobId, SplitState>);

impl Executor {
    /// Sends the messages that split jobs lack, of those that have not gone on since the last look.
    pub(super) async fn mend_splits(&self, last: &mut LastLook) -> Result<(), BrokerError> {
        let plans = self.plans().await?;
        for (plan, state) in &plans {
            let job = plan.job.id;
            if last.0.get(&job) == Some(state) && self.broker.mend_split(plan).await? {
                tracing::warn!(%job, "the broker has lost messages of its parts: they are sent again");
            }
        }
        let states = plans.into_iter().map(|(plan, state)| (plan.job.id, state));
        last.0 = states.collect();
        Ok(())
    }
}
