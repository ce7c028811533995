//! All actions at once, at random: two workers that fail, die, freeze and stop, and people who cancel, move and retry.
//! In any order, every job ends once.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use common::broker::{Broker, Claim, ClaimError, Lanes, Lease};
use common::farm::queue::{Priority, Queue};
use common::job::Job;
use common::job::failure::Failure;
use common::job::id::JobId;
use common::job::run::RunState;
use common::job::run::fence::Fence;
use common::testing;
use fastrand::Rng;
use futures::StreamExt;
use tokio::time::Instant;

use crate::{job, name, report, start};

const JOBS: usize = 80;
/// The queues between which jobs are moved.
const QUEUES: [&str; 3] = ["libx264", "on_w1", "on_w2"];
/// The duration of the storm.
const STORM: Duration = Duration::from_secs(6);
/// How long the rest of the work may take after the storm.
const CALM: Duration = Duration::from_secs(60);

/// How often each job was completed, by the answers that the workers got.
type Completed = Mutex<HashMap<JobId, u32>>;

fn queues(worker: &str) -> Vec<Queue> {
    let own = format!("on_{worker}");
    ["libx264", &own]
        .map(|queue| queue.parse().expect("a queue"))
        .to_vec()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_job_ends_once_whatever_is_done_to_it() {
    let seed = std::env::var("STORM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("STORM_SEED={seed}");
    let (_server, broker, _) = start().await;
    let jobs: Vec<Job> = (0..JOBS)
        .map(|nth| Job {
            attempts: 4,
            ..job(&nth.to_string())
        })
        .collect();
    let placed: Vec<_> = jobs
        .iter()
        .map(|job| (job.clone(), crate::lane(5)))
        .collect();
    broker.enqueue(&placed, |_| {}).await.expect("enqueued");

    let completed = Completed::default();
    let until = Instant::now() + STORM;
    tokio::join!(
        work(&broker, "w1", until, &completed, Rng::with_seed(seed)),
        work(&broker, "w2", until, &completed, Rng::with_seed(seed ^ 1)),
        meddle(&broker, &jobs, until, Rng::with_seed(seed ^ 2)),
        meddle(&broker, &jobs, until, Rng::with_seed(seed ^ 3)),
    );
    tokio::join!(
        finish(&broker, &jobs, "w1", &completed),
        finish(&broker, &jobs, "w2", &completed),
    );

    let completed = completed.into_inner().expect("no test panicked");
    let runs = broker.runs().await.expect("an answer");
    assert_eq!(runs.len(), JOBS, "each job has a run");
    let mut dead = Vec::new();
    for run in &runs {
        let times = completed.get(&run.job.id).copied().unwrap_or(0);
        let expected = u32::from(matches!(run.state, RunState::Completed { .. }));
        assert_eq!(times, expected, "{run:#?}");
        assert!(run.state.is_terminal(), "{run:#?}");
        if matches!(run.state, RunState::Failed { .. }) {
            dead.push(run.job.id.to_string());
        }
    }
    let letters = subjects(&broker, "DEAD").await;
    let mut letters: Vec<_> = letters
        .iter()
        .filter_map(|subject| subject.rsplit('.').next())
        .collect();
    letters.sort_unstable();
    dead.sort();
    assert_eq!(
        letters, dead,
        "each failed job is a dead letter, and no other"
    );
    assert_eq!(subjects(&broker, "JOBS").await, Vec::<String>::new());
}

async fn subjects(broker: &Broker, stream: &str) -> Vec<String> {
    let stream = broker.jetstream().get_stream(stream).await.expect("it");
    let subjects = stream.info_with_subjects(">").await.expect("them");
    subjects
        .map(|subject| subject.expect("one").0)
        .collect()
        .await
}

/// The messages in the queue, and the lanes' counts of them.
async fn queue(broker: &Broker) -> String {
    let stream = broker.jetstream().get_stream("JOBS").await.expect("it");
    let mut text = String::new();
    for subject in subjects(broker, "JOBS").await {
        let last = stream.get_last_raw_message_by_subject(&subject).await;
        let message = last.expect("it is there");
        text += &format!("\n{} {subject} since {}", message.sequence, message.time);
    }
    let mut lanes = stream.consumers();
    while let Some(lane) = lanes.next().await {
        let lane = lane.expect("one");
        text += &format!(
            "\n{}: delivered {}, acknowledged up to {}, {} pending, {} held, {} again",
            lane.name,
            lane.delivered.stream_sequence,
            lane.ack_floor.stream_sequence,
            lane.num_pending,
            lane.num_ack_pending,
            lane.num_redelivered,
        );
    }
    text
}

/// A worker at which anything may go wrong.
async fn work(broker: &Broker, worker: &str, until: Instant, completed: &Completed, mut rng: Rng) {
    let mut zombies: Vec<Claim> = Vec::new();
    let mut lanes = Lanes::default();
    while Instant::now() < until {
        broker
            .find_lanes(&queues(worker), &mut lanes)
            .await
            .expect("lanes");
        let most = rng.usize(1..4);
        let Some(look) = look(broker, &lanes, worker, most).await else {
            continue;
        };
        for (claim, ()) in look {
            match rng.u8(0..12) {
                0..5 => run(claim, worker, completed, &mut rng).await,
                5 => drop(claim.fail(Failure::passing("the network")).await),
                6 => drop(claim.fail(Failure::worker("the disk")).await),
                7 => drop(claim.fail(Failure::input("corrupt")).await),
                8 => drop(claim.release().await),
                // The worker dies with the job, or is frozen and continues later.
                9 => drop(claim),
                _ => zombies.push(claim),
            }
        }
        if zombies.len() > 3 {
            let zombie = zombies.swap_remove(rng.usize(..zombies.len()));
            finish_one(zombie, worker, completed).await;
        }
        pause(&mut rng, 40).await;
    }
}

/// Polls and claims; `None` for a lane that is listed while the broker still makes it.
async fn look(
    broker: &Broker,
    lanes: &Lanes,
    worker: &str,
    most: usize,
) -> Option<Vec<(Claim, ())>> {
    match broker.poll(lanes, &name(worker), most).await {
        Ok(look) => Some(look.claims),
        Err(error) if error.to_string().ends_with("503") => None,
        Err(error) => panic!("{error}"),
    }
}

/// A successful attempt, whose job may still be taken away at any moment.
async fn run(mut claim: Claim, worker: &str, completed: &Completed, rng: &mut Rng) {
    let lease = Lease::keep(&claim);
    pause(rng, 120).await;
    if lease.ended().is_none() && claim.fence(fence(worker)).await.is_ok() {
        pause(rng, 30).await;
        finish_one(claim, worker, completed).await;
    }
}

fn fence(worker: &str) -> Fence {
    testing::fence(worker, "an upload")
}

async fn finish_one(claim: Claim, worker: &str, completed: &Completed) {
    let id = claim.job().id;
    match claim.complete(report(worker)).await {
        Ok(_) => *completed.lock().expect("no panic").entry(id).or_default() += 1,
        Err(ClaimError::Elsewhere) => {}
        Err(ClaimError::Broker(error)) => panic!("{error}"),
    }
}

/// A person who changes jobs at random.
async fn meddle(broker: &Broker, jobs: &[Job], until: Instant, mut rng: Rng) {
    while Instant::now() < until {
        let job = &jobs[rng.usize(..jobs.len())].id;
        let steered = match rng.u8(0..6) {
            0 => broker.cancel(job).await,
            1 | 2 => broker.retry(job).await,
            3 => {
                let priority = Priority::try_from(rng.u8(1..=10)).expect("in range");
                broker.move_job(job, None, Some(priority)).await
            }
            _ => {
                let queue = QUEUES[rng.usize(..QUEUES.len())];
                let queue: Queue = queue.parse().expect("a queue");
                broker.move_job(job, Some(&queue), None).await
            }
        };
        steered.expect("an answer");
        pause(&mut rng, 20).await;
    }
}

/// A worker without faults, until no job is left.
async fn finish(broker: &Broker, jobs: &[Job], worker: &str, completed: &Completed) {
    let deadline = Instant::now() + CALM;
    let mut lanes = Lanes::default();
    loop {
        let queues = queues(worker);
        broker.find_lanes(&queues, &mut lanes).await.expect("lanes");
        for (claim, ()) in look(broker, &lanes, worker, 8).await.unwrap_or_default() {
            finish_one(claim, worker, completed).await;
        }
        let runs = broker.runs().await.expect("an answer");
        let open: Vec<_> = runs.iter().filter(|run| !run.state.is_terminal()).collect();
        if runs.len() == jobs.len() && open.is_empty() && subjects(broker, "JOBS").await.is_empty()
        {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "stranded: {open:#?}, in the queue: {}",
            queue(broker).await
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn pause(rng: &mut Rng, most: u64) {
    tokio::time::sleep(Duration::from_millis(rng.u64(..most))).await;
}
