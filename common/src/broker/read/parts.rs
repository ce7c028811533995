//! The parts of split jobs, for people.

use crate::broker::{Broker, BrokerError};
use crate::job::id::JobId;
use crate::job::part::Part;
use crate::job::run::{Run, RunState};
use crate::matching::parts::Parts;
use crate::names::subject;
use crate::names::subject::RUNS;

impl Broker {
    /// What is known of the parts of a split job, without their live progress; `None` if the job has no plan.
    pub async fn parts(&self, job: &JobId) -> Result<Option<Parts>, BrokerError> {
        let Some(plan) = self.plan(job).await? else {
            return Ok(None);
        };
        let mut parts = Parts::default();
        parts.plan(&plan);
        let twins = plan.parts().filter_map(Part::chunk).map(Part::Twin);
        let all = [Part::Whole].into_iter().chain(plan.parts()).chain(twins);
        let key = |part| subject::kv(RUNS, &subject::run(&job.with_part(part)));
        let keys: Vec<String> = all.map(key).collect();
        for stored in self
            .nats
            .last_of_each(&subject::bucket(RUNS), &keys)
            .await?
        {
            let run = (!stored.is_marker).then(|| self.nats.read::<Run>(&stored));
            let Some(run) = run.flatten() else { continue };
            match (&run.state, run.job.id.is_whole()) {
                (
                    RunState::Split {
                        since,
                        parts: count,
                    },
                    true,
                ) => parts.split(*since, *count),
                _ => parts.ran(run.job.id.part(), Some(&run)),
            }
        }
        Ok(Some(parts))
    }
}
