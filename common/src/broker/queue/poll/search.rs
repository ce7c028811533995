//! Searching the lanes, one priority after the other.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_nats::jetstream;
use jiff::SignedDuration;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::broker::queue::lanes::Known;
use crate::broker::queue::poll::{Claimant, PollEffort, PollResult};
use crate::broker::{Broker, BrokerError, Lanes};
use crate::farm::queue::Lane;
use crate::names::subject;
use crate::names::subject::JOBS;

/// How long a poll searches the lanes of one priority while no job there is claimed.
pub(super) const SEARCH: Duration = Duration::from_millis(250);
/// How long a poll searches in all. After that, each lane is fetched from once.
const LONGEST: Duration = Duration::from_millis(750);
/// Most jobs of one priority that one poll declines.
const MOST_DECLINES: usize = 4096;
/// Most jobs that one fetch asks for.
const MOST_AT_ONCE: usize = 256;
/// How long a lane is left to other workers if it took more than one poll to search through: each search hides its
/// jobs from them.
const LONG_REST: Duration = Duration::from_secs(30);

/// One of the lanes that are polled together.
pub(super) struct Turn<'a> {
    pub lane: &'a Lane,
    pub known: &'a Known,
    /// Fetches of this poll that brought jobs but no claim.
    fruitless: u32,
    /// Whether the lane is not fetched from again in this poll.
    pub is_over: bool,
    /// Whether the search ended before all jobs of the lane were seen.
    is_unfinished: bool,
    /// Whether a fetch brought a claim.
    is_fruitful: bool,
    /// Declined messages, each with the time until its next delivery.
    pub declined: Vec<(jetstream::Message, SignedDuration)>,
}

impl Broker {
    pub(super) async fn search_all<C: Claimant>(
        &self,
        lanes: &Lanes,
        claimant: &C,
        most: usize,
        effort: &watch::Receiver<PollEffort>,
        result: &mut PollResult<C::Ticket>,
    ) -> Result<(), BrokerError> {
        let end = Instant::now() + LONGEST;
        for mut group in groups(lanes, claimant) {
            let searched = self
                .search(&mut group, claimant, most, effort, end, result)
                .await;
            self.release(&mut group).await;
            if !searched? {
                break;
            }
        }
        Ok(())
    }

    /// Searches the lanes of one priority. Returns whether to go on with the next priority.
    async fn search<C: Claimant>(
        &self,
        group: &mut [Turn<'_>],
        claimant: &C,
        most: usize,
        effort: &watch::Receiver<PollEffort>,
        end: Instant,
        result: &mut PollResult<C::Ticket>,
    ) -> Result<bool, BrokerError> {
        let end = end.min(Instant::now() + SEARCH);
        let mut declined = 0;
        loop {
            let order = self.order(group).await?;
            let is_alone = order.len() == 1;
            let mut found = false;
            for index in order {
                let free = most - result.claims.len();
                if free == 0 || *effort.borrow() == PollEffort::Stop {
                    return Ok(false);
                }
                let turn = &mut group[index];
                let is_late = declined >= MOST_DECLINES
                    || Instant::now() >= end
                    || *effort.borrow() >= PollEffort::Brief;
                if turn.fruitless > 0 && is_late {
                    turn.is_over = true;
                    turn.is_unfinished = true;
                    continue;
                }
                // The job that has waited longest may be in any of several lanes: then each fetch takes one job.
                let wanted = if is_alone { free } else { 1 };
                let reach = turn.known.reach.load(Ordering::Relaxed);
                let messages = self.fetch_from(turn.lane, wanted.max(reach)).await?;
                if messages.is_empty() {
                    turn.is_over = true;
                    continue;
                }
                let (fetched, before) = (messages.len(), result.claims.len());
                self.offer(turn, messages, claimant, wanted, result).await;
                if result.claims.len() == before {
                    turn.fruitless += 1;
                    declined += fetched;
                    let reach = (2 * wanted.max(reach)).min(MOST_AT_ONCE);
                    turn.known.reach.store(reach, Ordering::Relaxed);
                } else {
                    turn.is_fruitful = true;
                    turn.known.reach.store(0, Ordering::Relaxed);
                }
                found = true;
                break;
            }
            if !found {
                return Ok(true);
            }
        }
    }

    /// Releases the declined messages: at once if the lane was searched through, otherwise after their time.
    async fn release(&self, group: &mut [Turn<'_>]) {
        for turn in group {
            let longest = turn.declined.iter().map(|(_, wait)| *wait).max();
            let is_unfinished = turn.is_unfinished && !turn.is_fruitful;
            for (message, wait) in turn.declined.drain(..) {
                let wait = if is_unfinished {
                    wait
                } else {
                    SignedDuration::ZERO
                };
                if let Err(error) = self.nak_later(&message, wait).await {
                    tracing::debug!(%error, "not declined; the broker redelivers it after the lease");
                }
            }
            let was_unfinished = turn
                .known
                .is_unfinished
                .swap(is_unfinished, Ordering::Relaxed);
            if let Some(longest) = longest.filter(|_| turn.is_over && !is_unfinished) {
                let rest = if was_unfinished {
                    LONG_REST
                } else {
                    longest.unsigned_abs()
                };
                turn.known.rest(rest);
            }
        }
    }

    /// Indexes of the lanes that are still to be fetched from, in order: lanes with the fewest fruitless fetches
    /// first, then the lane whose next job was enqueued first.
    async fn order(&self, group: &[Turn<'_>]) -> Result<Vec<usize>, BrokerError> {
        let open = || (0..group.len()).filter(|index| !group[*index].is_over);
        let mut asking = Vec::new();
        // The order needs no request if only one lane is left.
        if open().count() > 1 {
            for index in open() {
                asking.push(self.head(group[index].lane));
            }
        }
        let mut heads = futures::future::try_join_all(asking).await?;
        heads.resize(open().count(), None);
        let mut order: Vec<_> = open().zip(heads).collect();
        // A lane without a head is polled all the same: a redelivered job does not show as a head.
        order.sort_by_key(|(index, head)| (group[*index].fruitless, head.unwrap_or(0)));
        Ok(order.into_iter().map(|(index, _)| index).collect())
    }

    /// The sequence of the next job among those that the lane has not delivered before.
    async fn head(&self, lane: &Lane) -> Result<Option<u64>, BrokerError> {
        let info = self.lane_info(lane).await?;
        if info.num_pending == 0 {
            return Ok(None);
        }
        let next = info.delivered.stream_sequence + 1;
        let filter = subject::lane(lane);
        let head = self.nats.first_from(JOBS, &filter, next).await?;
        Ok(head.map(|stored| stored.sequence))
    }

    /// Messages that a lane can deliver at once.
    async fn fetch_from(
        &self,
        lane: &Lane,
        most: usize,
    ) -> Result<Vec<jetstream::Message>, BrokerError> {
        self.nats.fetch(JOBS, &lane.consumer(), most).await
    }
}

/// Lanes that are polled together, the most urgent first; within a priority, preferred lanes first.
fn groups<'a, C: Claimant>(lanes: &'a Lanes, claimant: &C) -> Vec<Vec<Turn<'a>>> {
    let mut groups = BTreeMap::<_, Vec<_>>::new();
    for (lane, known) in lanes.iter() {
        if claimant.is_open(&lane.queue) && !known.is_resting() {
            let rank = (lane.priority, claimant.prefers(&lane.queue));
            groups
                .entry(std::cmp::Reverse(rank))
                .or_default()
                .push(Turn {
                    lane,
                    known,
                    fruitless: 0,
                    is_over: false,
                    is_unfinished: false,
                    is_fruitful: false,
                    declined: Vec::new(),
                });
        }
    }
    groups.into_values().collect()
}
