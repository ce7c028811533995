//! The machines that would take chunks of a job now.

use common::broker::{Broker, BrokerError};
use common::farm::queue::{Lane, Queue};
use common::farm::worker::Heartbeat;
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::recipe::encoder::Encoder;

use crate::ffmpeg::split::gain::Machine;

/// The live workers that would encode chunks of a job, without the slots that other waiting jobs will fill. `me` is the
/// worker that holds the job; the slot of the job is free again once the job is split.
pub(super) async fn machines(
    broker: &Broker,
    job: &Job,
    lane: &Lane,
    encoder: &Encoder,
    me: &WorkerName,
) -> Result<Vec<Machine>, BrokerError> {
    let (workers, lanes) = tokio::try_join!(broker.workers(), broker.lane_statuses())?;
    let any = encoder.codec().map(Queue::Any);
    let queues = [Some(Queue::Encoder(encoder.clone())), any];
    let comes_first = |other: &Lane| {
        other.priority >= lane.priority
            && (other.queue == lane.queue || queues.contains(&Some(other.queue.clone())))
    };
    let ahead = lanes.iter().filter(|status| comes_first(&status.lane));
    let ahead = ahead.map(|status| status.pending).sum();
    let able = workers
        .iter()
        .filter(|worker| worker.encodes(job, &lane.queue, encoder));
    Ok(free(able, encoder, me, ahead))
}

/// Their free slots, of which `ahead` are left to other jobs.
fn free<'a>(
    workers: impl Iterator<Item = &'a Heartbeat>,
    encoder: &Encoder,
    me: &WorkerName,
    mut ahead: u64,
) -> Vec<Machine> {
    let mut machines = Vec::new();
    for worker in workers {
        let Some(proof) = worker.card.proof(encoder) else {
            continue;
        };
        let running = u32::try_from(worker.running.len()).unwrap_or(u32::MAX);
        let own = u32::from(worker.name == *me).min(running);
        let slots = worker.slots.saturating_sub(running - own);
        let slots = slots.min(proof.sessions.unwrap_or(u32::MAX));
        let left = u32::try_from(ahead.min(u64::from(slots))).unwrap_or(slots);
        ahead -= u64::from(left);
        let machine = Machine {
            cores: worker.card.host.cores,
            free_slots: slots - left,
            fps: f64::from(proof.fps),
        };
        machines.extend((machine.free_slots > 0).then_some(machine));
    }
    machines
}

#[cfg(test)]
mod tests {
    use common::recipe::Choice;
    use common::testing;

    use super::*;

    #[test]
    fn slots_for_other_jobs_do_not_count() {
        let encoder: Encoder = "libx264".parse().expect("an encoder");
        let job = testing::job(Choice::Encoder(encoder.clone()), 1000);
        let mut me = testing::heartbeat("me", &["libx264"]);
        (me.slots, me.running) = (2, vec![job.id]);
        let mut other = testing::heartbeat("other", &["libx264"]);
        (other.slots, other.running) = (4, vec![job.id]);
        let slots = |ahead| -> Vec<u32> {
            let workers = [me.clone(), other.clone()];
            let machines = free(workers.iter(), &encoder, &me.name, ahead);
            machines.iter().map(|machine| machine.free_slots).collect()
        };
        assert_eq!(slots(0), [2, 3], "the slot of the job itself is free");
        assert_eq!(slots(1), [1, 3]);
        assert_eq!(slots(4), [1]);
        assert_eq!(slots(9), [0; 0]);
    }
}
