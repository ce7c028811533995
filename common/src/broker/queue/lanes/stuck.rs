//! Stuck lanes: their consumers forgot messages.

use std::time::Duration;

use jiff::Timestamp;

use crate::broker::nats::all_of;
use crate::broker::queue::lanes::Lanes;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::Lane;
use crate::names::subject;
use crate::names::subject::JOBS;

impl Broker {
    /// Makes consumers anew that forgot messages: nothing of their lane is pending or held, but a message has been in
    /// the stream for longer than a lease. A defect of the broker or a purge from outside leads to that state, and
    /// such a consumer would never deliver these messages.
    pub async fn recreate_stuck_consumers(&self, lanes: &Lanes) -> Result<(), BrokerError> {
        let mut checking = Vec::new();
        for (lane, known) in lanes.iter() {
            checking.push(self.recreate_if_stuck(lane, known.ack_wait));
        }
        all_of(checking).await.map(drop)
    }

    async fn recreate_if_stuck(&self, lane: &Lane, lease: Duration) -> Result<(), BrokerError> {
        let Some(sequence) = self.forgotten(lane, lease).await? else {
            return Ok(());
        };
        let name = lane.consumer();
        tracing::warn!(
            lane = name,
            sequence,
            "the broker forgot jobs of this lane: making it anew"
        );
        self.nats.delete_consumer(JOBS, &name).await?;
        self.open_lane_with(lane, lease).await.map(drop)
    }

    /// The sequence of the first message that a lane should deliver but does not know.
    async fn forgotten(&self, lane: &Lane, lease: Duration) -> Result<Option<u64>, BrokerError> {
        let filter = subject::lane(lane);
        // The consumer is asked first: the search takes long if many jobs wait.
        if self.knows_any(lane).await? {
            return Ok(None);
        }
        let Some(before) = self.nats.first_from(JOBS, &filter, 1).await? else {
            return Ok(None);
        };
        let is_young = |time: Timestamp| self.now().duration_since(time).unsigned_abs() < lease;
        if before.time.is_none_or(is_young) || self.knows_any(lane).await? {
            return Ok(None);
        }
        // The message may have been settled between the two looks.
        let after = self.nats.first_from(JOBS, &filter, 1).await?;
        let still = after.filter(|after| after.sequence == before.sequence);
        Ok(still.map(|stored| stored.sequence))
    }
}
