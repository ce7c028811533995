//! A job's positions in its queues, and how many jobs come before it.

use jiff::Timestamp;

use crate::broker::nats::all_of;
use crate::broker::queue::messages;
use crate::broker::{Broker, BrokerError};
use crate::farm::queue::{Lane, Queue};
use crate::job::id::JobId;
use crate::job::record::QueueAhead;
use crate::names::subject;
use crate::names::subject::{JOBS, JobSubject};

/// Where a job waits now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueuePositions {
    /// The lanes that may deliver the job, each with the job's sequence in the stream.
    pub lanes: Vec<(Lane, u64)>,
    /// The lanes that will open to the job, each with its time; the next one first.
    pub opens: Vec<(Lane, Timestamp)>,
}

/// Up to this many messages in the work queue are counted exactly: counting a million takes the broker about a
/// second.
const COUNTED: u64 = 20_000;

impl Broker {
    /// The positions of a job.
    pub async fn queue_positions(&self, job: &JobId) -> Result<QueuePositions, BrokerError> {
        let mut found = QueuePositions::default();
        for stored in self.messages(job).await? {
            if let Some(place) = JobSubject::parse(&stored.subject) {
                found.lanes.push((place.lane, stored.sequence));
            } else if let Some(opening) = messages::opening(&stored) {
                found.opens.push(opening);
            }
        }
        found.opens.sort_by_key(|(_, at)| *at);
        Ok(found)
    }

    /// How many jobs are delivered before a job at these places: all in more urgent lanes, and those in equally
    /// urgent lanes that were enqueued before it. Only queues for which `contends` is true count. In a long queue the
    /// number is an estimate, because the broker would take seconds to count.
    pub async fn queue_ahead(
        &self,
        places: &[(Lane, u64)],
        contends: impl Fn(&Queue) -> bool,
    ) -> Result<QueueAhead, BrokerError> {
        let best = places.iter().max_by_key(|(lane, sequence)| {
            let earliest = std::cmp::Reverse(*sequence);
            (lane.priority, earliest)
        });
        let Some((Lane { priority, .. }, sequence)) = best else {
            return Ok(QueueAhead {
                jobs: 0,
                is_exact: true,
            });
        };
        let extent = self.nats.extent(JOBS).await?;
        let is_exact = extent.messages <= COUNTED;
        let consumers = self.nats.consumers(JOBS).await?;
        let mut counting = Vec::new();
        for info in consumers {
            let lane = Lane::from_consumer(&info.name).filter(|lane| contends(&lane.queue));
            let Some(lane) = lane.filter(|lane| lane.priority >= *priority) else {
                continue;
            };
            counting.push(async move {
                let pending = info.num_pending;
                if pending == 0 || lane.priority > *priority {
                    return Ok(pending);
                }
                if is_exact {
                    let behind = self.count_from(&lane, *sequence).await?;
                    return Ok(pending.saturating_sub(behind));
                }
                let next = info.delivered.stream_sequence + 1;
                Ok(share_before(*sequence, next, extent.last, pending))
            });
        }
        let jobs = all_of(counting).await?.into_iter().sum();
        Ok(QueueAhead { jobs, is_exact })
    }

    /// Number of jobs in a lane from a sequence on, counted by the broker.
    async fn count_from(&self, lane: &Lane, sequence: u64) -> Result<u64, BrokerError> {
        let page = self
            .nats
            .page(JOBS, &subject::lane(lane), sequence, 1)
            .await?;
        Ok(page.first().map_or(0, |stored| 1 + stored.behind))
    }
}

/// Estimates how many of `jobs`, which lie evenly from `from` to `last`, come before `sequence`. The result stays
/// within what is possible, since no two jobs have the same sequence.
fn share_before(sequence: u64, from: u64, last: u64, jobs: u64) -> u64 {
    let before = sequence.saturating_sub(from);
    let from_on = (last + 1).saturating_sub(sequence);
    let share = before as f64 / (before + from_on).max(1) as f64;
    let even = (jobs as f64 * share).round() as u64;
    even.clamp(jobs.saturating_sub(from_on), before.min(jobs))
}

#[cfg(test)]
mod tests {
    use super::share_before;

    #[test]
    fn an_estimate_keeps_within_what_is_possible() {
        assert_eq!(share_before(501, 1, 1000, 1000), 500, "one lane alone");
        assert_eq!(share_before(501, 1, 1000, 100), 50, "one lane of several");
        assert_eq!(share_before(3, 1, 1000, 999), 2, "no more than sequences");
        assert_eq!(share_before(5, 9, 1000, 10), 0, "given out already");
        assert_eq!(share_before(9, 9, 8, 0), 0, "nothing there");
    }
}
