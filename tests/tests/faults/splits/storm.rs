//! A storm of faults over split jobs: workers are killed, or stopped for longer than their lease, and the broker is
//! killed. The faults and their times are those of a seed.
//!
//! `STORM_FAULTS` sets the number of faults, `STORM_SEED` the seed.

use std::time::{Duration, Instant};

use common::job::Job;
use common::job::run::RunState;
use common::job::split::Split;
use fastrand::Rng;
use harness::farm::{ACK_WAIT, Farm};
use harness::process::Signal;
use harness::programs::Worker;

use super::{assert_settled, enqueue, film, job, output, parts, reference};

const WORKERS: usize = 3;
/// The workers that faults befall. A job that three workers took with them ends: it may be the cause.
const VICTIMS: usize = 2;
/// The split jobs that are under way at once.
const JOBS: usize = 2;
const SECONDS: u32 = 20;
/// Faults in the suite; a longer storm is for those who ask for it.
const FAULTS: u32 = 40;
/// How long all jobs may take after the last fault.
const CALM: Duration = Duration::from_secs(120);

fn setting(name: &str, default: u32) -> u32 {
    match std::env::var(name) {
        Err(_) => default,
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name}: '{text}' is no number")),
    }
}

/// A farm that faults befall.
struct Storm {
    farm: Farm,
    dice: Rng,
    workers: Vec<Worker>,
    /// When each stopped worker goes on.
    stopped: Vec<Option<Instant>>,
    jobs: Vec<Job>,
    film: std::path::PathBuf,
    /// The attempts at parts that the faults may have cost.
    most_lost: u32,
    told: Vec<String>,
}

impl Storm {
    /// Has so many split jobs under way.
    async fn top_up(&mut self) {
        let mut under_way = 0;
        for job in &self.jobs {
            let run = self.farm.run(&job.id).await;
            under_way += usize::from(!run.is_some_and(|run| run.state.is_terminal()));
        }
        for _ in under_way..JOBS {
            let name = format!("{}.mkv", self.jobs.len());
            let mut job = job(&self.farm, &self.film, &name, Split::Every(1));
            // No fault is the job's own.
            job.attempts = 1000;
            enqueue(&self.farm, &job).await;
            self.jobs.push(job);
        }
    }

    async fn suffer(&mut self) {
        let chosen = self.dice.usize(..VICTIMS);
        match self.dice.u32(..10) {
            0..5 => {
                self.told.push(format!("w{chosen} killed"));
                self.most_lost += 1;
                self.stopped[chosen] = None;
                self.workers[chosen].process.kill();
                self.workers[chosen] = worker(&self.farm, chosen);
            }
            5..8 => {
                self.told.push(format!("w{chosen} stopped"));
                self.most_lost += 1;
                self.workers[chosen].process.signal(Signal::STOP);
                let more = Duration::from_millis(self.dice.u64(500..2500));
                self.stopped[chosen] = Some(Instant::now() + ACK_WAIT + more);
            }
            _ => {
                self.told.push("broker killed".to_owned());
                self.most_lost += u32::try_from(WORKERS).expect("few");
                self.farm.broker.kill();
                let pause = self.dice.u64(..1000);
                tokio::time::sleep(Duration::from_millis(pause)).await;
                self.farm.broker.restart().await;
            }
        }
    }

    /// Lets stopped workers go on whose time has come.
    fn go_on(&mut self, all: bool) {
        for (worker, until) in self.workers.iter().zip(&mut self.stopped) {
            if until.is_some_and(|until| all || until <= Instant::now()) {
                worker.process.signal(Signal::CONT);
                *until = None;
            }
        }
    }
}

fn worker(farm: &Farm, number: usize) -> Worker {
    let setup = farm.worker(&format!("w{number}")).encoders("libx264");
    setup.spawn()
}

#[tokio::test]
async fn a_storm_of_faults_loses_no_frame_and_leaves_nothing() {
    let faults = setting("STORM_FAULTS", FAULTS);
    let seed = setting("STORM_SEED", 1);
    let farm = Farm::start().await;
    let film = film(farm.folder(), "film.mkv", SECONDS).await;
    let reference = reference(&farm, &film).await;
    let mut storm = Storm {
        dice: Rng::with_seed(u64::from(seed)),
        workers: (0..WORKERS).map(|number| worker(&farm, number)).collect(),
        stopped: vec![None; WORKERS],
        jobs: Vec::new(),
        most_lost: 0,
        told: Vec::new(),
        farm,
        film,
    };
    for _ in 0..faults {
        storm.top_up().await;
        let pause = Duration::from_millis(storm.dice.u64(200..1500));
        tokio::time::sleep(pause).await;
        storm.go_on(false);
        storm.suffer().await;
    }
    storm.go_on(true);
    let Storm { farm, jobs, .. } = &storm;
    let calm = Instant::now();
    let mut lost = 0;
    let mut seconds = 0.0;
    for job in jobs {
        let run = loop {
            let run = farm.run(&job.id).await;
            if let Some(run) = run.as_ref().filter(|run| run.state.is_terminal()) {
                break run.clone();
            }
            assert!(calm.elapsed() < CALM, "{:?}: it is {run:#?}", storm.told);
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let RunState::Completed { report } = &run.state else {
            panic!("{:?}: it is {run:#?}", storm.told);
        };
        lost += parts(report)
            .iter()
            .map(|part| part.attempt - 1)
            .sum::<u32>();
        seconds += report.total_seconds;
        assert!(output(job).exists());
    }
    assert!(
        lost <= storm.most_lost,
        "{lost} attempts at parts were lost by {:?}",
        storm.told
    );
    assert_settled(farm, jobs, &reference).await;
    eprintln!(
        "{faults} faults of seed {seed} over {} jobs of {SECONDS} chunks: {lost} attempts lost of {} at most; {:.0} s after the last fault, all had ended; joins took {seconds:.1} s",
        jobs.len(),
        storm.most_lost,
        calm.elapsed().as_secs_f64(),
    );
}
