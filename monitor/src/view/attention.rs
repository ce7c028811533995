//! What needs attention: each cause once, with the jobs that it holds up.

use std::collections::BTreeSet;

use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::recipe::encoder::Encoder;
use jiff::Timestamp;

use super::runs::Runs;
use super::workers::Workers;
use crate::snapshot::attention::{Attention, Unavailable, WaitingJobs};
use crate::snapshot::queues::{QueueRow, Unserved};
use crate::snapshot::workers::{Presence, WorkerRow};

/// Workers that take no jobs, and the jobs that wait for them, by cause. Drained workers and
/// workers outside their hours are listed only if jobs wait for them.
pub(super) fn unavailable(
    rows: &[WorkerRow],
    queues: &[QueueRow],
    workers: &Workers,
    runs: &Runs,
    clock: Timestamp,
) -> Vec<Attention> {
    let causes = [
        (Presence::Quarantined, Unserved::Quarantined, true),
        (Presence::Lost, Unserved::Lost, true),
        (Presence::Drained, Unserved::Drained, false),
        (Presence::OffHours, Unserved::OffHours, false),
    ];
    let item = |(cause, why, is_news)| {
        let waiting = waiting(queues, why, |_| Vec::new());
        let wanted: BTreeSet<&WorkerName> = waiting
            .iter()
            .flat_map(|held| workers.serving(&held.queue, clock))
            .map(|(heartbeat, _)| &heartbeat.name)
            .collect();
        let affected: Vec<Unavailable> = rows
            .iter()
            .filter(|row| row.status == cause || is_draining(row, cause))
            .filter(|row| is_news || wanted.contains(&row.name))
            .map(|row| worker(row, runs))
            .collect();
        (!affected.is_empty()).then_some(Attention::Unavailable {
            cause,
            workers: affected,
            waiting,
        })
    };
    causes.into_iter().filter_map(item).collect()
}

/// A draining worker takes no jobs either.
fn is_draining(row: &WorkerRow, cause: Presence) -> bool {
    cause == Presence::Drained && row.status == Presence::Draining
}

fn worker(row: &WorkerRow, runs: &Runs) -> Unavailable {
    Unavailable {
        worker: row.name.clone(),
        note: row.note.clone(),
        until: row.until,
        last_seen: row.last_seen,
        running: runs.running_on(&row.name),
    }
}

/// Jobs that no known worker could take, by cause.
pub(super) fn unserved(queues: &[QueueRow], workers: &Workers, clock: Timestamp) -> Vec<Attention> {
    let causes = [Unserved::NotThere, Unserved::NoWorkers, Unserved::NotProved];
    let item = |why| {
        let waiting = waiting(queues, why, |queue| match why {
            Unserved::NotProved => alternatives(queue, workers, clock),
            _ => Vec::new(),
        });
        (!waiting.is_empty()).then_some(Attention::Unserved { why, waiting })
    };
    causes.into_iter().filter_map(item).collect()
}

fn waiting(
    queues: &[QueueRow],
    why: Unserved,
    alternatives: impl Fn(&Queue) -> Vec<Encoder>,
) -> Vec<WaitingJobs> {
    queues
        .iter()
        .filter(|row| row.unserved == Some(why))
        .map(|row| WaitingJobs {
            queue: row.queue.clone(),
            pending: row.held_up,
            alternatives: alternatives(&row.queue),
        })
        .collect()
}

/// Encoders of the same codec that ready workers have proved.
fn alternatives(queue: &Queue, workers: &Workers, clock: Timestamp) -> Vec<Encoder> {
    let Queue::Encoder(wanted) = queue else {
        return Vec::new();
    };
    let Some(codec) = wanted.codec() else {
        return Vec::new();
    };
    let proved = workers.proved(clock);
    let same: BTreeSet<&Encoder> = proved
        .filter(|encoder| encoder.codec() == Some(codec))
        .collect();
    same.into_iter().cloned().collect()
}
