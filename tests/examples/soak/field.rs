//! The farm of the soak.

use std::time::{Duration, Instant};

use common::farm::worker::WorkerStatus;
use harness::farm::Farm;
use harness::faults::victim::Victim;
use harness::outside::audit::{Acknowledged, Auditor, Findings, OutputPlace, Tally};
use harness::outside::media::Media;
use harness::servers::store::TestStore;
use harness::{paths, poll};

/// Workers, each with one slot.
pub(crate) const WORKERS: usize = 3;

/// The least number of jobs that wait during the faults.
const WAITING: usize = 12;

/// The attempts of each job. They must not run out: no fault of the soak is the job's own, so no job may become a dead
/// letter.
const ATTEMPTS: u32 = 1000;

/// The content of a stranger's object at an output.
pub(crate) const PRECIOUS: &[u8] = b"precious, and nobody's output";

pub(crate) const FILMS: [&str; 3] = ["h264.mp4", "vp9.webm", "hevc.mkv"];

/// How long the farm took to recover, from the end of the fault.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recovery {
    /// Until the next job ended.
    pub(crate) went_on: Duration,
    /// Until all jobs had ended that were enqueued when the fault ended.
    pub(crate) made_good: Duration,
}

/// A farm with a store, with jobs, and with workers that the soak controls.
pub(crate) struct Field {
    pub(crate) farm: Farm,
    pub(crate) store: TestStore,
    pub(crate) workers: Vec<Victim>,
    pub(crate) auditor: Auditor,
    pub(crate) films: [(&'static str, u64); FILMS.len()],
    pub(crate) jobs: Vec<Acknowledged>,
    /// The indexes of jobs whose output is a stranger's object.
    pub(crate) occupied: Vec<usize>,
    /// The broken promises that were found during the faults.
    pub(crate) findings: Findings,
}

impl Field {
    /// Starts all parts of the farm.
    pub(crate) async fn start() -> Self {
        let farm = Farm::start().await;
        let store = TestStore::start(farm.folder()).await;
        for film in FILMS {
            store.put(&paths::media(film), &format!("in/{film}")).await;
        }
        let mut workers = Vec::new();
        for number in 1..=WORKERS {
            workers.push(Victim::join(&farm, &store, &format!("w{number}")).await);
        }
        let auditor = Auditor::connect(farm.url()).await;
        Self {
            farm,
            store,
            workers,
            auditor,
            films: FILMS.map(|film| (film, Media::of(&paths::media(film)).frames())),
            jobs: Vec::new(),
            occupied: Vec::new(),
            findings: Findings::new(),
        }
    }

    /// Enqueues until enough jobs wait, and waits until no worker is in quarantine.
    pub(crate) async fn top_up(&mut self) {
        for victim in &self.workers {
            let name = &victim.worker.name;
            poll::until("every worker to take jobs", async || {
                let heartbeat = self.farm.heartbeat(name).await?;
                (heartbeat.status == WorkerStatus::Ready).then_some(())
            })
            .await;
        }
        for _ in self.open().await.len()..WAITING {
            let number = self.jobs.len();
            let (film, frames) = self.films[number % FILMS.len()];
            let output = format!("{number}-{film}.mkv");
            let mut job = self
                .store
                .job(&format!("in/{film}"), &format!("out/{output}"), "libx264")
                .await;
            job.attempts = ATTEMPTS;
            self.farm.enqueue(&job).await;
            self.jobs.push(Acknowledged {
                id: job.id.to_string(),
                output,
                frames,
            });
        }
    }

    /// Waits until the farm has recovered from a fault.
    pub(crate) async fn recovered(
        &mut self,
        since: Instant,
        patience: Duration,
    ) -> anyhow::Result<Recovery> {
        let mut open = self.open().await;
        let before = open.len();
        let mut went_on = None;
        loop {
            let mut still_open = Vec::new();
            for index in open {
                // A request without an answer does not show that a job has ended.
                let ended = self.auditor.has_ended(&self.jobs[index].id).await;
                if !ended.unwrap_or(false) {
                    still_open.push(index);
                }
            }
            open = still_open;
            if open.len() < before || open.is_empty() {
                went_on.get_or_insert_with(|| since.elapsed());
            }
            if let (Some(went_on), true) = (went_on, open.is_empty()) {
                return Ok(Recovery {
                    went_on,
                    made_good: since.elapsed(),
                });
            }
            anyhow::ensure!(
                since.elapsed() < patience,
                "jobs that did not end: {open:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The jobs that have not ended.
    pub(crate) async fn open(&self) -> Vec<usize> {
        let queued = poll::until("the broker to say what it has", async || {
            self.auditor.queued().await.ok()
        })
        .await;
        (0..self.jobs.len())
            .filter(|index| queued.contains(&self.jobs[*index].id))
            .collect()
    }

    /// Waits until all jobs have ended. Returns the number of jobs, how they ended, and the broken promises.
    pub(crate) async fn settle(&mut self, patience: Duration) -> (usize, Tally, Findings) {
        poll::until("the queue to be empty", async || {
            self.auditor.queued().await.ok()?.is_empty().then_some(())
        })
        .await;
        self.foreign().await;
        let place = OutputPlace::Bucket(&self.store, "out/".to_owned());
        let scratch = self.farm.scratch();
        let looked = self
            .auditor
            .inspect_when_quiet(patience, &self.jobs, &place, &scratch);
        let (tally, mut findings) = looked.await;
        findings.append(&mut self.findings);
        (self.jobs.len(), tally, findings)
    }
}
