//! The farm that is broken, and who breaks it.

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

/// Jobs that wait, at least, while things break.
const WAITING: usize = 12;

/// Attempts of each job: what breaks here is never the job's own fault, and
/// only that is for a dead letter to say.
const ATTEMPTS: u32 = 1000;

/// What a stranger keeps at an output.
pub(crate) const PRECIOUS: &[u8] = b"precious, and nobody's output";

pub(crate) const FILMS: [&str; 3] = ["h264.mp4", "vp9.webm", "hevc.mkv"];

/// How long it took from the end of a fault, or from a blow that leaves nothing
/// to heal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Recovery {
    /// Until a job ended again.
    pub(crate) went_on: Duration,
    /// Until all jobs had ended that were there at the time.
    pub(crate) made_good: Duration,
}

/// A farm with a store, workers in a test's hand, and jobs.
pub(crate) struct Field {
    pub(crate) farm: Farm,
    pub(crate) store: TestStore,
    pub(crate) workers: Vec<Victim>,
    pub(crate) auditor: Auditor,
    pub(crate) films: [(&'static str, u64); FILMS.len()],
    pub(crate) jobs: Vec<Acknowledged>,
    /// Jobs by index at whose outputs a stranger's object lies.
    pub(crate) occupied: Vec<usize>,
    /// What was found while faults happened.
    pub(crate) findings: Findings,
}

impl Field {
    /// Starts everything.
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

    /// Enqueues until enough jobs wait, for workers of which none is in quarantine.
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

    /// Waits until the farm is over a fault.
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
                // No answer is no end.
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

    /// Jobs that have not ended.
    pub(crate) async fn open(&self) -> Vec<usize> {
        let queued = poll::until("the broker to say what it has", async || {
            self.auditor.queued().await.ok()
        })
        .await;
        (0..self.jobs.len())
            .filter(|index| queued.contains(&self.jobs[*index].id))
            .collect()
    }

    /// Waits until all has ended. Gives the number of jobs, how they ended, and
    /// what is not as it should be.
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
