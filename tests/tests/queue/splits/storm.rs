//! All faults at once, at random: workers that fail, die, freeze and stop, people who cancel, move and retry, workers that
//! begin second runs, and sweeps that forget ended splits. In any order, every job ends once, and nothing is left behind.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use common::broker::Lease;
use common::farm::queue::Priority;
use common::job::failure::Failure;
use fastrand::Rng;
use tokio::time::Instant;

use super::*;

/// The films at the beginning; people bring more of them.
const FILMS: usize = 8;
const CHUNKS: u32 = 5;
/// The queues between which jobs are moved.
const QUEUES: [&str; 2] = ["libx264", "on_w1"];
/// Faults of workers, after which the storm is over.
const FAULTS: u32 = 200;
/// How long the storm may take, and the rest of the work after it.
const LONGEST: Duration = Duration::from_secs(60);

/// What the storm has done.
#[derive(Default)]
struct Storm {
    faults: AtomicU32,
    films: Mutex<Vec<Job>>,
    /// How often each whole job was completed, by the answers that the workers got.
    completed: Mutex<HashMap<JobId, u32>>,
}

impl Storm {
    fn is_over(&self) -> bool {
        self.faults.load(Ordering::Relaxed) >= FAULTS
    }

    fn fault(&self) {
        self.faults.fetch_add(1, Ordering::Relaxed);
    }

    fn complete(&self, job: JobId) {
        *self
            .completed
            .lock()
            .expect("no panic")
            .entry(job)
            .or_default() += 1;
    }

    fn films(&self) -> Vec<Job> {
        self.films.lock().expect("no panic").clone()
    }

    /// Enqueues one more film.
    async fn add(&self, broker: &Broker) {
        let film = Job {
            attempts: 6,
            ..film(&self.films().len().to_string())
        };
        self.films.lock().expect("no panic").push(film.clone());
        enqueue(broker, &film).await;
    }
}

async fn lanes(broker: &Broker, known: &mut Lanes) {
    let queues = ["libx264", "on_w1", "copy"].map(|queue| queue.parse().expect("a queue"));
    broker.find_lanes(&queues, known).await.expect("lanes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_or_left_behind_whatever_is_done() {
    let seed = std::env::var("STORM_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("STORM_SEED={seed}");
    let (_server, broker, _) = start().await;
    let storm = Storm::default();
    for _ in 0..FILMS {
        storm.add(&broker).await;
    }
    let rng = |nth: u64| Rng::with_seed(seed ^ nth);
    // On the heap: together they are larger than the stack of a test.
    let raging = async {
        tokio::join!(
            Box::pin(work(&broker, "w1", &storm, rng(0))),
            Box::pin(work(&broker, "w2", &storm, rng(1))),
            Box::pin(work(&broker, "w3", &storm, rng(2))),
            Box::pin(meddle(&broker, &storm, rng(3))),
            Box::pin(forget(&broker, &storm, rng(4))),
        )
    };
    let raged = tokio::time::timeout(LONGEST, raging).await;
    raged.expect("a storm in time");
    tokio::join!(
        Box::pin(calm(&broker, "w1", &storm)),
        Box::pin(calm(&broker, "w2", &storm)),
    );

    let films = storm.films();
    let completed = storm.completed.into_inner().expect("no test panicked");
    for film in &films {
        let run = run_of(&broker, &film.id).await;
        let times = completed.get(&film.id).copied().unwrap_or(0);
        let expected = u32::from(run.report().is_some());
        assert_eq!(times, expected, "{run:#?}");
        assert!(run.state.is_terminal(), "{run:#?}");
    }
    // What is kept for a retry goes when the sweep says so, and the plan of a frozen planner whose job is completed.
    for (plan, _) in broker.plans().await.expect("an answer") {
        broker.forget_split(&plan).await.expect("an answer");
    }
    assert_eq!(subjects(&broker, "JOBS").await, Vec::<String>::new());
    assert_eq!(keys(&broker, subject::PLANS).await, Vec::<String>::new());
    let runs = keys(&broker, subject::RUNS).await;
    assert_eq!(runs.len(), films.len(), "{runs:?}");
    let letters = subjects(&broker, "DEAD").await;
    let is_part = |letter: &&String| letter.contains("chunk") || letter.contains("rest");
    assert_eq!(letters.iter().find(is_part), None);
}

/// A worker at which anything may go wrong.
async fn work(broker: &Broker, worker: &str, storm: &Storm, mut rng: Rng) {
    let mut zombies: Vec<Claim> = Vec::new();
    let mut known = Lanes::default();
    while !storm.is_over() {
        lanes(broker, &mut known).await;
        let most = rng.usize(1..4);
        // A lane may be listed while the broker still makes it.
        let Ok(look) = broker.poll(&known, &crate::name(worker), most).await else {
            continue;
        };
        for done in look.completed {
            finish_or_die(broker, done, storm, &mut rng).await;
        }
        for (claim, ()) in look.claims {
            let fault = rng.u8(0..14);
            if fault > 6 {
                attempt(broker, claim, worker, storm, &mut rng).await;
                continue;
            }
            storm.fault();
            match fault {
                0 => drop(claim.fail(Failure::passing("the network")).await),
                1 => drop(claim.fail(Failure::worker("the disk")).await),
                2 if rng.u8(0..4) == 0 => drop(claim.fail(Failure::input("corrupt")).await),
                3 => drop(claim.release().await),
                // The worker dies with the job, or is frozen and continues later.
                4 => drop(claim),
                _ => zombies.push(claim),
            }
        }
        if zombies.len() > 2 {
            let zombie = zombies.swap_remove(rng.usize(..zombies.len()));
            attempt(broker, zombie, worker, storm, &mut rng).await;
        }
        if rng.u8(0..4) == 0 {
            for (plan, _) in broker.plans().await.expect("an answer") {
                let chunk = rng.u32(..CHUNKS);
                let _ = broker.enqueue_twin(&plan, chunk).await.expect("an answer");
            }
        }
        pause(&mut rng, 30).await;
    }
}

/// An attempt at a job or a part, which may be taken away at any moment, and whose worker may die at some.
async fn attempt(broker: &Broker, claim: Claim, worker: &str, storm: &Storm, rng: &mut Rng) {
    if claim.job().id.is_whole() {
        return attempt_whole(broker, claim, worker, storm, rng).await;
    }
    let lease = Lease::keep(&claim);
    pause(rng, 60).await;
    if lease.ended().is_some() {
        return claim.ack().await;
    }
    match make(claim, worker).await {
        Ok(done) => finish_or_die(broker, done, storm, rng).await,
        Err(ClaimError::Elsewhere) => {}
        Err(ClaimError::Broker(error)) => panic!("{error}"),
    }
}

/// An attempt at a whole job: makes the plan, goes on with it, or joins.
async fn attempt_whole(broker: &Broker, claim: Claim, worker: &str, storm: &Storm, rng: &mut Rng) {
    let _lease = Lease::keep(&claim);
    let id = claim.job().id;
    let plan = match broker.plan(&id).await.expect("an answer") {
        Some(plan) => plan,
        None => {
            let plan = plan_of(claim.job(), &lane(5), CHUNKS);
            broker.put_plan(&plan).await.expect("stored")
        }
    };
    let state = broker.split_state(&id).await.expect("an answer");
    if state.is_complete(&plan) && rng.u8(0..6) > 0 {
        let runs = broker.part_runs(&plan).await.expect("an answer");
        assert!(!runs.is_empty());
        let report = Report {
            split: Some(SplitReport::Parts(Vec::new())),
            ..report(worker)
        };
        return match claim.record_completed(report).await {
            Ok(done) => {
                storm.complete(id);
                finish_or_die(broker, done, storm, rng).await;
            }
            Err(ClaimError::Elsewhere) => {}
            Err(ClaimError::Broker(error)) => panic!("{error}"),
        };
    }
    if state.is_complete(&plan) {
        // One piece is gone.
        storm.fault();
        let gone = [Part::Chunk(rng.u32(..CHUNKS))];
        let unmarked = broker.unmark_parts(&id, &gone).await;
        unmarked.expect("an answer");
    }
    if broker.enqueue_parts(&plan).await.is_err() {
        // The split was forgotten meanwhile.
        drop(claim.fail(Failure::passing("its plan is gone")).await);
        return;
    }
    if rng.u8(0..6) == 0 {
        storm.fault();
        return;
    }
    match claim.split(CHUNKS + 1).await {
        Ok(_) | Err(ClaimError::Elsewhere) => {}
        Err(ClaimError::Broker(error)) => panic!("{error}"),
    }
}

/// Does what follows from a completion, unless the worker dies before.
async fn finish_or_die(broker: &Broker, done: CompletedJob, storm: &Storm, rng: &mut Rng) {
    if rng.u8(0..6) == 0 && !storm.is_over() {
        storm.fault();
    } else {
        finish(broker, done).await;
    }
}

/// A person who changes jobs at random.
async fn meddle(broker: &Broker, storm: &Storm, mut rng: Rng) {
    while !storm.is_over() {
        let films = storm.films();
        let job = &films[rng.usize(..films.len())].id;
        if rng.u8(0..5) == 0 {
            storm.add(broker).await;
        }
        let steered = match rng.u8(0..8) {
            0 => broker.cancel(job).await,
            1..=4 => broker.retry(job).await,
            5 => {
                let priority = Priority::try_from(rng.u8(4..=6)).expect("in range");
                broker.move_job(job, None, Some(priority)).await
            }
            _ => {
                let queue = QUEUES[rng.usize(..QUEUES.len())];
                let queue: Queue = queue.parse().expect("a queue");
                broker.move_job(job, Some(&queue), None).await
            }
        };
        steered.expect("an answer");
        pause(&mut rng, 150).await;
    }
}

/// A sweep that waits for no day.
async fn forget(broker: &Broker, storm: &Storm, mut rng: Rng) {
    while !storm.is_over() {
        for (plan, _) in broker.plans().await.expect("an answer") {
            broker.forget_split(&plan).await.expect("an answer");
        }
        pause(&mut rng, 300).await;
    }
}

/// A worker without faults, until all jobs have ended.
async fn calm(broker: &Broker, worker: &str, storm: &Storm) {
    let films = storm.films();
    let deadline = Instant::now() + LONGEST;
    let mut known = Lanes::default();
    let mut rng = Rng::with_seed(0);
    loop {
        lanes(broker, &mut known).await;
        if let Ok(look) = broker.poll(&known, &crate::name(worker), 8).await {
            for done in look.completed {
                finish(broker, done).await;
            }
            for (claim, ()) in look.claims {
                attempt(broker, claim, worker, storm, &mut rng).await;
            }
        }
        let mut open = Vec::new();
        for film in &films {
            let known = broker.job(&film.id).await.expect("an answer");
            // A job that no worker has claimed yet has no run.
            let run = known.as_ref().and_then(|record| record.run());
            let is_open = run.is_none_or(|run| !run.state.is_terminal());
            open.extend(is_open.then_some(known));
        }
        let left = subjects(broker, "JOBS").await;
        if open.is_empty() && left.is_empty() {
            return;
        }
        if Instant::now() >= deadline {
            let mut runs = Vec::new();
            for (plan, state) in broker.plans().await.expect("an answer") {
                runs.push((state, broker.part_runs(&plan).await.expect("an answer")));
            }
            panic!("stranded: {open:#?}, in the queue: {left:#?}, parts: {runs:#?}");
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn pause(rng: &mut Rng, most: u64) {
    tokio::time::sleep(Duration::from_millis(rng.u64(..most))).await;
}
