//! apalis with Redis: one worker, 16 jobs at once. At least once: a worker's
//! jobs are enqueued again where its heartbeats stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use apalis::prelude::*;
use apalis_redis::{Config, RedisStorage};
use tokio::sync::mpsc::{Sender, channel};

const SLOTS: usize = 16;
const WARM_UP: usize = 200;
/// Jobs in one round trip, both ways: ten by default, the more the faster.
const BATCH: usize = 100;

/// Counts jobs, and tells the end of the warm-up and of all.
struct Clock {
    done: AtomicUsize,
    marks: [usize; 2],
    times: Sender<Instant>,
}

async fn nothing(_number: u64, clock: Data<Arc<Clock>>) -> Result<(), BoxDynError> {
    let done = clock.done.fetch_add(1, Ordering::Relaxed) + 1;
    if clock.marks.contains(&done) {
        clock.times.send(Instant::now()).await?;
    }
    Ok(())
}

async fn enqueue(storage: &mut RedisStorage<u64>, count: usize) -> Result<(), BoxDynError> {
    let numbers: Vec<u64> = (0..count as u64).collect();
    for many in numbers.chunks(1000) {
        storage.push_bulk(many.to_vec()).await?;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let jobs: usize = std::env::args()
        .nth(1)
        .ok_or("give a number of jobs")?
        .parse()?;
    let connection = apalis_redis::connect(std::env::var("REDIS_URL")?).await?;
    let config = Config::default().batch_size(BATCH);
    let mut storage = RedisStorage::new(connection).with_config(config);

    enqueue(&mut storage, WARM_UP).await?;
    let started = Instant::now();
    enqueue(&mut storage, jobs).await?;
    let enqueued = jobs as f64 / started.elapsed().as_secs_f64();

    let (times, mut marks) = channel(2);
    let clock = Arc::new(Clock {
        done: AtomicUsize::new(0),
        marks: [WARM_UP, WARM_UP + jobs],
        times,
    });
    let worker = WorkerBuilder::new("noop")
        .backend(storage)
        .data(Arc::clone(&clock))
        .concurrency(SLOTS)
        .build(nothing);
    let worker = tokio::spawn(worker.run());
    let (Some(first), Some(last)) = (marks.recv().await, marks.recv().await) else {
        return Err("the worker stopped early".into());
    };
    worker.abort();
    let processed = jobs as f64 / (last - first).as_secs_f64();
    println!("{enqueued:.0} {processed:.0}");
    Ok(())
}
