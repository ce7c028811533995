//! Moving the parts of a job along with the job.

use crate::broker::nats::all_of;
use crate::broker::queue::runs::{Tries, Versioned, Write};
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::{Lane, Priority, Queue};
use crate::job::event::Event;
use crate::job::id::JobId;
use crate::job::run::Run;
use crate::job::split::Plan;
use crate::names::subject;
use crate::names::subject::PLANS;
use crate::wire;

impl Broker {
    /// Moves a job whose parts wait or run; `None` if another program has written its run meanwhile. If this is
    /// interrupted, the same move once more does the rest.
    pub(crate) async fn move_split(
        &self,
        found: &Versioned,
        queue: Option<&Queue>,
        priority: Option<Priority>,
    ) -> Result<Option<Run>, BrokerError> {
        let job = &found.run.job.id;
        let lane = self.move_parts(job, queue, priority).await?;
        let lane = lane.unwrap_or_else(|| Lane {
            queue: queue.unwrap_or(&found.run.queue).clone(),
            priority: priority.unwrap_or(found.run.priority),
        });
        if lane == found.run.lane() {
            return Ok(Some(found.run.clone()));
        }
        let Some(next) = found.run.move_split(&lane, self.now()) else {
            return Ok(None);
        };
        let written = self.write_run(&next, found.revision, Tries::ForAMinute);
        let Write::Done(_) = written.await? else {
            return Ok(None);
        };
        self.record_event(&Event::moved(&next, lane.queue != found.run.queue))
            .await;
        Ok(Some(next))
    }

    /// Moves the parts of a job that wait or run, and the lane of those that are enqueued later. Returns that lane;
    /// `None` if the job has no plan.
    pub(crate) async fn move_parts(
        &self,
        job: &JobId,
        queue: Option<&Queue>,
        priority: Option<Priority>,
    ) -> Result<Option<Lane>, BrokerError> {
        let Some(lane) = self.move_plan(job, queue, priority).await? else {
            return Ok(None);
        };
        let parts = self.unfinished(job).await?;
        let mut moving = Vec::with_capacity(parts.len());
        for part in &parts {
            // On the heap: the type of a future that calls itself has no end.
            moving.push(Box::pin(self.move_one(part, queue, priority)));
        }
        all_of(moving).await?;
        Ok(Some(lane))
    }

    /// Writes another lane into a plan.
    async fn move_plan(
        &self,
        job: &JobId,
        queue: Option<&Queue>,
        priority: Option<Priority>,
    ) -> Result<Option<Lane>, BrokerError> {
        let key = subject::plan(job);
        let what = format!("moving the parts of job {job}");
        loop {
            let Some((plan, revision)) = self.stored_plan(job).await? else {
                return Ok(None);
            };
            let next = Plan {
                queue: queue.unwrap_or(&plan.queue).clone(),
                priority: priority.unwrap_or(plan.priority),
                ..plan.clone()
            };
            if next == plan {
                return Ok(Some(next.lane()));
            }
            let value = wire::encode(&next);
            let written = self.nats.replace(PLANS, &key, value, revision, &what);
            match written.await {
                Ok(_) => return Ok(Some(next.lane())),
                Err(error) if error.is_conflict() => {}
                Err(error) => return Err(error),
            }
        }
    }
}
