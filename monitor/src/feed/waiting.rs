//! The pending jobs of each lane, and which jobs come next. The index knows once it is complete;
//! until then the broker is asked, which takes seconds with a million pending jobs.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError, LaneStatus};
use common::job::record::Pending;
use tokio::sync::mpsc::Sender;

use crate::index::shared::Listing;
use crate::view::{Input, NEXT};

/// How often the index is read.
const TICK: Duration = Duration::from_millis(250);
/// Wait before the next request to the broker.
const AGAIN: Duration = Duration::from_secs(1);
/// Jobs at the head of one queue that are always listed: as many as the page shows at first.
const OF_EACH: usize = 8;
/// The fewest jobs at the head of one lane, however many lanes share its priority.
const HEAD: usize = 5;

/// Sends the waiting jobs, whenever they change. Ends only if the broker does not answer.
pub(super) async fn follow(
    broker: &Broker,
    listing: &Arc<Listing>,
    tell: Sender<Input>,
) -> Result<Infallible, BrokerError> {
    let mut seen = None;
    listing.caught_up().await;
    loop {
        let (input, pause) = if listing.is_complete() {
            let revision = listing.read().revision();
            let is_new = seen.replace(revision) != Some(revision);
            let input = if is_new { listed(listing).await } else { None };
            (input, TICK)
        } else {
            seen = None;
            let lanes = broker.lane_statuses().await?;
            let heads = heads(broker, &lanes).await?;
            (Some(Input::Lanes(lanes, heads)), AGAIN)
        };
        if let Some(input) = input {
            // The receiver ends together with this task.
            let _ = tell.send(input).await;
        }
        tokio::time::sleep(pause).await;
    }
}

async fn listed(listing: &Arc<Listing>) -> Option<Input> {
    let listing = listing.clone();
    let looked = tokio::task::spawn_blocking(move || {
        let index = listing.read();
        Input::Waiting(index.lanes(), index.next(NEXT, OF_EACH), index.waiting())
    });
    looked.await.ok()
}

/// The jobs that come next. Lanes of one priority share the places that more urgent lanes leave, and long lanes take the
/// places that short lanes do not need.
async fn heads(broker: &Broker, lanes: &[LaneStatus]) -> Result<Vec<Pending>, BrokerError> {
    let mut waiting: Vec<&LaneStatus> = lanes.iter().filter(|lane| lane.pending > 0).collect();
    waiting.sort_by_key(|status| (std::cmp::Reverse(status.lane.priority), status.pending));
    let mut heads: Vec<Pending> = Vec::new();
    for peers in waiting.chunk_by(|a, b| a.lane.priority == b.lane.priority) {
        let mut left = NEXT.saturating_sub(heads.len());
        if left == 0 {
            break;
        }
        for (index, status) in peers.iter().enumerate() {
            let share = (left / (peers.len() - index)).max(HEAD);
            let head = broker.next_in_lane(status, share).await?;
            left = left.saturating_sub(head.len());
            heads.extend(head);
        }
    }
    Ok(heads)
}
