//! The farm that is broken, and who breaks it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use common::worker::WorkerStatus;
use harness::audit::{Acknowledged, Auditor, Findings, Place, Tally};
use harness::farm::{ACK_WAIT, Farm};
use harness::media::Media;
use harness::moment::{Moment, Victim};
use harness::process::Signal;
use harness::proxy::{Fate, Weather};
use harness::stand_in::Fault as Mishap;
use harness::store::TestStore;
use harness::{paths, poll};

use crate::Dice;
use crate::faults::Fault;

/// Workers, each with one slot.
const WORKERS: usize = 3;
/// Jobs that wait, at least, while things break.
const WAITING: usize = 12;
/// Attempts of each job: what breaks here is never the job's own fault, and
/// only that is for a dead letter to say.
const ATTEMPTS: u32 = 1000;
/// How long a fault lasts that outlives a lease.
const LONG: Duration = ACK_WAIT.saturating_mul(2);
/// How long a fault lasts that is over by itself.
const SHORT: Duration = Duration::from_secs(4);

const FILMS: [&str; 3] = ["h264.mp4", "vp9.webm", "hevc.mkv"];

const LOSSY: Weather = Weather {
    delay: Duration::from_millis(30),
    rate: 600_000,
    lost: 10,
    broken: 5,
    ..Weather::FAIR
};

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
    farm: Farm,
    store: TestStore,
    workers: Vec<Victim>,
    auditor: Auditor,
    films: [(&'static str, u64); FILMS.len()],
    jobs: Vec<Acknowledged>,
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

    /// Lets a fault happen and heals it.
    pub(crate) async fn suffer(
        &mut self,
        fault: Fault,
        dice: &mut Dice,
        patience: Duration,
    ) -> anyhow::Result<Recovery> {
        let chosen = usize::try_from(dice.below(WORKERS as u64))?;
        let moment = Moment::ALL[usize::try_from(dice.below(Moment::ALL.len() as u64))?];
        let is_delivered = dice.below(2) == 0 && moment != Moment::Committing;
        let (farm, store) = (&self.farm, &self.store);
        let victim = &mut self.workers[chosen];
        let since = match fault {
            Fault::WorkerKilled => {
                let ambush = victim.lie_in_wait(moment);
                let kept = ambush.met(farm).await;
                victim.worker.process.kill();
                let since = Instant::now();
                kept.decide(if is_delivered {
                    Fate::Passed
                } else {
                    Fate::Lost
                });
                victim.restart(farm, store).await;
                since
            }
            Fault::WorkerFrozen => {
                let ambush = victim.lie_in_wait(moment);
                let kept = ambush.met(farm).await;
                victim.worker.process.signal(Signal::STOP);
                tokio::time::sleep(LONG).await;
                kept.decide(if is_delivered {
                    Fate::Passed
                } else {
                    Fate::Lost
                });
                victim.worker.process.signal(Signal::CONT);
                victim.recover();
                Instant::now()
            }
            Fault::WorkerStopped => {
                victim.worker.process.signal(Signal::TERM);
                victim.worker.process.wait().await;
                let since = Instant::now();
                victim.restart(farm, store).await;
                since
            }
            Fault::BrokerCutOff => {
                victim.broker.set(Weather::CUT);
                tokio::time::sleep(LONG).await;
                victim.recover();
                Instant::now()
            }
            Fault::StoreCutOff => {
                victim.store.set(Weather::CUT);
                tokio::time::sleep(LONG).await;
                victim.recover();
                Instant::now()
            }
            Fault::ConnectionsBroken => {
                victim.broker.break_all();
                victim.store.break_all();
                Instant::now()
            }
            Fault::NetworkLossy => {
                for victim in &self.workers {
                    victim.broker.set(LOSSY);
                    victim.store.set(LOSSY);
                }
                tokio::time::sleep(SHORT).await;
                self.recover();
                Instant::now()
            }
            Fault::BrokerKilled => {
                self.farm.broker.kill();
                tokio::time::sleep(Duration::from_millis(dice.below(3000))).await;
                self.farm.broker.restart().await;
                Instant::now()
            }
            Fault::StoreKilled => {
                self.store.kill();
                tokio::time::sleep(Duration::from_millis(dice.below(3000))).await;
                self.store.restart().await;
                Instant::now()
            }
            Fault::StoreFails => {
                for victim in &self.workers {
                    let turn = AtomicUsize::new(0);
                    victim
                        .store
                        .judge(move |_| match turn.fetch_add(1, Ordering::Relaxed) % 10 {
                            3 => Fate::Refused(500),
                            8 => Fate::Refused(503),
                            _ => Fate::Passed,
                        });
                }
                tokio::time::sleep(SHORT).await;
                for victim in &self.workers {
                    victim.store.judge(|_| Fate::Passed);
                }
                Instant::now()
            }
            Fault::FfmpegCrashes | Fault::FfmpegLies | Fault::FfmpegHangs => {
                victim.ffmpeg().befall(match fault {
                    Fault::FfmpegCrashes => Mishap::Crash { after_frames: 10 },
                    Fault::FfmpegLies => Mishap::Torn,
                    _ => Mishap::Hang,
                });
                tokio::time::sleep(SHORT).await;
                victim.ffmpeg().recover();
                Instant::now()
            }
        };
        self.recovered(since, patience)
            .await
            .with_context(|| format!("{fault}, {moment:?}, worker w{}", chosen + 1))
    }

    fn recover(&mut self) {
        for victim in &mut self.workers {
            victim.recover();
        }
    }

    /// Waits until the farm is over a fault.
    async fn recovered(&mut self, since: Instant, patience: Duration) -> anyhow::Result<Recovery> {
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
    async fn open(&self) -> Vec<usize> {
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
        let place = Place::Bucket(&self.store, "out/".to_owned());
        let scratch = self.farm.scratch();
        let looked = self
            .auditor
            .last_look(patience, &self.jobs, &place, &scratch);
        let (tally, findings) = looked.await;
        (self.jobs.len(), tally, findings)
    }
}
