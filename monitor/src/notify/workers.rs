//! Which workers are lost: pure.

use std::collections::BTreeMap;

use common::broker::HEARTBEAT;
use common::farm::worker::{Heartbeat, WorkerStatus};
use common::farm::worker_name::WorkerName;
use common::notify::occurrence::Occurrence;
use jiff::{SignedDuration, Timestamp};

/// A heartbeat that is this old has expired: three heartbeats.
const SILENCE: SignedDuration = SignedDuration::from_secs(3 * HEARTBEAT.as_secs() as i64);
/// What clocks and the broker's own delay may add to that.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// The workers that are alive, as far as heard.
#[derive(Default)]
pub(super) struct Workers {
    known: BTreeMap<WorkerName, (Heartbeat, Timestamp)>,
}

impl Workers {
    /// Takes a heartbeat; `heard` is when the broker stored it.
    pub(super) fn heard(&mut self, heartbeat: Heartbeat, heard: Timestamp) {
        self.known
            .insert(heartbeat.name.clone(), (heartbeat, heard));
    }

    /// Takes the removal of a heartbeat at `at`: a worker that signs off removes a fresh one, an old one has expired.
    pub(super) fn gone(&mut self, worker: &WorkerName, at: Timestamp) {
        if let Some((_, heard)) = self.known.get(worker)
            && at.duration_since(*heard) + TOLERANCE < SILENCE
        {
            self.known.remove(worker);
        }
    }

    /// No heartbeat could be received until now: silence counts from here.
    pub(super) fn excuse_silence(&mut self, until: Timestamp) {
        for (_, heard) in self.known.values_mut() {
            *heard = (*heard).max(until);
        }
    }

    /// The workers that are lost now; each is told once. A worker that drained or had nothing to do while it drained
    /// was about to stop: its end is no loss.
    pub(super) fn lost(&mut self, now: Timestamp) -> Vec<Occurrence> {
        let mut lost = Vec::new();
        self.known.retain(|_, (last, heard)| {
            if now.duration_since(*heard) <= SILENCE + TOLERANCE {
                return true;
            }
            let was_stopping = match last.status {
                WorkerStatus::Drained => true,
                WorkerStatus::Draining => last.running.is_empty(),
                WorkerStatus::Ready | WorkerStatus::OffHours | WorkerStatus::Quarantined => false,
            };
            if !was_stopping {
                lost.push(Occurrence::worker_lost(last, now));
            }
            false
        });
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::testing;

    fn after(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    fn beat(name: &str, status: WorkerStatus) -> Heartbeat {
        Heartbeat {
            status,
            ..testing::heartbeat(name, &["libx265"])
        }
    }

    #[test]
    fn a_silent_worker_is_lost_once_and_one_that_signed_off_is_not() {
        let mut workers = Workers::default();
        workers.heard(beat("killed", WorkerStatus::Ready), after(0));
        workers.heard(beat("stopped", WorkerStatus::Ready), after(0));
        workers.heard(beat("drained", WorkerStatus::Drained), after(0));
        workers.heard(beat("alive", WorkerStatus::Ready), after(0));
        workers.gone(&"stopped".parse().expect("a name"), after(3));
        workers.gone(&"killed".parse().expect("a name"), after(15));
        workers.heard(beat("alive", WorkerStatus::Ready), after(15));
        assert!(workers.lost(after(16)).is_empty());
        let lost = workers.lost(after(18));
        assert_eq!(lost.len(), 1);
        assert_eq!(
            lost[0].id,
            Occurrence::worker_lost(&beat("killed", WorkerStatus::Ready), after(99)).id
        );
        assert!(workers.lost(after(19)).is_empty());
    }

    #[test]
    fn a_broker_that_was_away_loses_no_worker() {
        let mut workers = Workers::default();
        workers.heard(beat("w1", WorkerStatus::Ready), after(0));
        workers.excuse_silence(after(100));
        assert!(workers.lost(after(110)).is_empty());
        assert_eq!(workers.lost(after(118)).len(), 1);
    }
}
