//! All workers are replaced while they work, and replaced back. One of them does not stop in good order.

use harness::outside::audit::{Auditor, OutputPlace};
use harness::poll;
use harness::process::Signal;
use harness::programs::Worker;

use super::builds::{Build, MixedFarm};

/// Jobs of each build's producer.
const JOBS: usize = 20;

struct Roll {
    mixed: MixedFarm,
    auditor: Auditor,
    workers: Vec<Worker>,
}

impl Roll {
    /// Waits until so many jobs are done. Then some must be left, or there is nothing to disturb.
    async fn done(&self, wanted: usize) {
        let done = poll::until(&format!("{wanted} jobs"), async || {
            self.auditor
                .completed()
                .await
                .ok()
                .filter(|done| *done >= wanted)
        })
        .await;
        assert!(done < 2 * JOBS, "all jobs are done already");
    }

    /// Replaces a worker by one of this build.
    async fn replace(&mut self, nth: usize, build: Build, signal: Signal) {
        let mut old = self.workers.remove(nth);
        old.process.signal(signal);
        old.process.wait().await;
        let new = self.mixed.join(&old.name, build).await;
        self.workers.insert(nth, new);
    }

    /// Waits until a worker encodes.
    async fn works(&self, nth: usize) {
        let name = &self.workers[nth].name;
        poll::until(&format!("{name} to work"), async || {
            let runs = self.mixed.farm.view.runs().await.ok()?;
            let mut running = runs.iter().filter(|run| !run.state.is_terminal());
            running
                .any(|run| run.worker().is_some_and(|worker| worker.as_str() == name))
                .then_some(())
        })
        .await;
    }
}

#[tokio::test]
#[ignore = "it needs the programs of an earlier commit: make upgrade"]
async fn three_workers_are_rolled_there_and_back_and_no_job_is_lost_or_done_twice() {
    let mixed = MixedFarm::start().await;
    for build in Build::BOTH {
        mixed
            .enqueue(build, (0..JOBS).map(|nth| format!("{build:?}-{nth}")))
            .await;
    }
    let jobs = mixed.jobs(Build::New).await;
    assert_eq!(jobs.len(), 2 * JOBS);
    let mut workers = Vec::new();
    for name in ["a", "b", "c"] {
        workers.push(mixed.join(name, Build::Old).await);
    }
    let auditor = Auditor::connect(mixed.farm.url()).await;
    let mut roll = Roll {
        mixed,
        auditor,
        workers,
    };

    roll.done(3).await;
    roll.replace(0, Build::New, Signal::TERM).await;
    roll.works(1).await;
    roll.replace(1, Build::New, Signal::KILL).await;
    roll.replace(2, Build::New, Signal::TERM).await;
    roll.done(JOBS / 2).await;
    roll.replace(0, Build::Old, Signal::TERM).await;
    roll.works(1).await;
    roll.replace(1, Build::Old, Signal::KILL).await;
    roll.replace(2, Build::Old, Signal::TERM).await;

    let farm = &roll.mixed.farm;
    let place = OutputPlace::Folder(farm.out());
    let tally = roll.auditor.settled(&jobs, &place, &farm.scratch()).await;
    assert_eq!((tally.completed, tally.failed), (2 * JOBS, 0));
    // Each of the two workers that were killed took one job along, and nothing else was anybody's fault.
    let mut blamed = 0;
    for job in &jobs {
        blamed += roll.auditor.charges(&job.id).await.unwrap().workers;
    }
    assert!(blamed <= 2, "{blamed}");
}
