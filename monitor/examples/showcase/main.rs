//! The page with a made-up farm behind it, for designing and for screenshots:
//! `cargo run -p ffmpeg-easy-monitor --example showcase [ADDR] [hostile]`, then open the page.
//! It needs nats-server and no ffmpeg.

#[path = "../../tests/live/farm.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod farm;
#[path = "../../tests/live/server.rs"]
mod server;

mod future;
mod past;
mod present;
mod workers;

use std::time::Duration;

use clap::Parser;
use common::broker::{Broker, ConnectOptions, HEARTBEAT};
use common::farm::card::{Proof, Verdict};
use common::farm::worker::{Heartbeat, WorkerStatus};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::job::id::JobId;
use common::job::progress::{EncodeProgress, Progress};
use common::job::run::report::Report;
use common::job::run::{Run, RunState, Stage};
use common::names::subject;
use common::wire;
use jiff::{SignedDuration, Timestamp, ToSpan};

const GB: u64 = 1_000_000_000;

#[tokio::main]
async fn main() {
    let mut address = "127.0.0.1:8080".to_owned();
    let mut is_hostile = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "hostile" => is_hostile = true,
            _ => address = argument,
        }
    }
    let server = server::Server::start();
    let config = monitor::Config::parse_from(["monitor", "--nats", &server.url()]);
    let listener = tokio::net::TcpListener::bind(&address)
        .await
        .expect("an address to listen on");
    println!("http://{}", listener.local_addr().expect("its address"));
    let stop = common::program::shutdown::on_signal();
    let page = tokio::spawn(monitor::run(config, listener, stop.clone()));

    let broker = Broker::set_up(&ConnectOptions::new(server.url(), "showcase"))
        .await
        .expect("our own broker");
    let mut farm = Farm {
        broker,
        workers: workers::workers(),
        running: Vec::new(),
    };
    farm.past().await;
    farm.present().await;
    farm.future(is_hostile).await;
    tokio::select! {
        () = farm.live() => {}
        _ = page => {}
    }
}

fn ago(seconds: i64) -> Timestamp {
    Timestamp::now() - seconds.seconds()
}

struct Farm {
    broker: Broker,
    workers: Vec<Heartbeat>,
    running: Vec<(Run, Stage, f32, f32)>,
}

impl Farm {
    async fn run(&self, job: &Job, worker: &str, since: i64) -> Run {
        let worker: WorkerName = worker.parse().expect("a name");
        let run = Run::first(job.clone(), &farm::lane(job, 5), 1, worker, ago(since));
        farm::write_run(&self.broker, &run).await;
        run
    }

    /// Heartbeats and progress, for as long as somebody looks.
    async fn live(&mut self) {
        let mut tick: u32 = 0;
        loop {
            if tick.is_multiple_of(u32::try_from(HEARTBEAT.as_secs()).expect("small") * 2) {
                for (index, worker) in self.workers.iter_mut().enumerate() {
                    if worker.name.as_str() == "attic-pi" && tick > 0 {
                        continue;
                    }
                    let wave = f64::from(tick) / 9.0 + index as f64 * 1.7;
                    let busy = worker.running.len() as f64 / f64::from(worker.slots);
                    worker.at = Timestamp::now();
                    worker.load.cpu = (0.18 + 0.62 * busy + 0.12 * wave.sin()) as f32;
                    let share = 0.22 + 0.3 * busy + 0.02 * wave.cos();
                    worker.load.memory_used = (worker.card.host.memory as f64 * share) as u64;
                    worker.load.scratch_free = (41 + 260 * index as u64) * GB;
                    self.broker.heartbeat(worker).await.expect("heard");
                }
            }
            for (run, stage, fraction, fps) in &mut self.running {
                let step = if *stage == Stage::Encoding {
                    *fps / 200_000.0
                } else {
                    0.002
                };
                if *fraction >= 0.0 {
                    *fraction = if *fraction + step < 1.0 {
                        *fraction + step
                    } else {
                        0.0
                    };
                }
                let progress = progress(run, *stage, *fraction, *fps, tick);
                let subject = subject::progress(&run.job.id);
                self.broker
                    .client()
                    .publish(subject, wire::encode(&progress))
                    .await
                    .expect("sent");
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
            tick += 1;
        }
    }
}

fn progress(run: &Run, stage: Stage, fraction: f32, fps: f32, tick: u32) -> Progress {
    let RunState::Running { worker, .. } = &run.state else {
        unreachable!("it was made running")
    };
    let job: JobId = run.job.id;
    let pace = fps * (1.0 + 0.03 * (tick as f32 / 3.0).sin());
    Progress {
        job,
        worker: worker.clone(),
        attempt: 1,
        stage,
        fraction: (fraction >= 0.0).then_some(fraction),
        encode: (stage == Stage::Encoding).then(|| EncodeProgress {
            frame: (fraction * 150_000.0) as u64,
            fps: pace,
            speed: pace / 23.976,
            bitrate: 6.1e6 + fps * 9_000.0,
            size: (run.job.input.size as f32 * fraction * 0.38) as u64,
            time: f64::from(fraction) * 6_200.0,
        }),
        eta: (fraction >= 0.0).then(|| {
            let rest = (1.0 - fraction) * 150_000.0;
            if stage == Stage::Encoding {
                rest / pace
            } else {
                90.0 * (1.0 - fraction)
            }
        }),
        waits_for: None,
        at: Timestamp::now(),
    }
}
