//! The cost of a worker that has nothing to do.

use std::time::{Duration, Instant};

use harness::farm::Farm;
use harness::outside;

use crate::figure::Figure;

const WATCHED: Duration = Duration::from_secs(20);

pub(crate) async fn measure() -> Vec<Figure> {
    let farm = Farm::start().await;
    let worker = farm.join(farm.worker("idle").encoders("libx264")).await;
    // After some jobs, so that memory that the worker does not free counts.
    for name in ["h264.mp4", "vp9.webm", "hevc.mkv"] {
        let job = farm.job(&harness::paths::media(name), "libx264");
        farm.enqueue(&job).await;
        farm.completed(&job.id).await;
    }
    let id = worker.process.id();
    let used = || outside::processor_seconds(id).expect("it runs");
    let (before, started) = (used(), Instant::now());
    tokio::time::sleep(WATCHED).await;
    let share = (used() - before) / started.elapsed().as_secs_f64() * 100.0;
    let memory = outside::resident_memory(id).expect("it runs") as f64 / f64::from(1 << 20);
    vec![
        Figure {
            what: "worker's own memory",
            measured: format!("{memory:.1} MiB"),
            goal: "≤ 40 MiB".to_owned(),
            reached: Some(memory <= 40.0),
        },
        Figure {
            what: "worker's idle CPU",
            measured: format!("{share:.2} % of a core"),
            goal: "≤ 0.5 %".to_owned(),
            reached: Some(share <= 0.5),
        },
    ]
}
