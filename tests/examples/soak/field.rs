//! The farm that is broken, and who breaks it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use common::farm::worker::WorkerStatus;
use harness::farm::{ACK_WAIT, Farm};
use harness::faults::proxy::{Fate, NetworkConditions};
use harness::faults::stand_in::Fault as Mishap;
use harness::faults::victim::{Step, Victim};
use harness::outside::audit::{
    Acknowledged, Auditor, Charges, Finding, Findings, OutputPlace, Tally,
};
use harness::outside::media::Media;
use harness::process::Signal;
use harness::servers::store::TestStore;
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
/// How long the broker stays away.
const BROKER_AWAY: Duration = ACK_WAIT.saturating_mul(4);
/// How long the store stays away: longer than all waits of three attempts.
const STORE_AWAY: Duration = Duration::from_secs(130);
/// How long it refuses credentials.
const REFUSED: Duration = Duration::from_secs(40);
/// How long the store takes to complete an upload.
const COMPLETION: Duration = ACK_WAIT.saturating_mul(2);
/// By how much a clock is off, in seconds: more than any wait of the farm, less than an S3 store forgives.
const CLOCK_OFF: i64 = 600;
/// What a stranger keeps at an output.
const PRECIOUS: &[u8] = b"precious, and nobody's output";
/// How long a fault lasts that is over by itself.
const SHORT: Duration = Duration::from_secs(4);

const FILMS: [&str; 3] = ["h264.mp4", "vp9.webm", "hevc.mkv"];

const LOSSY: NetworkConditions = NetworkConditions {
    delay: Duration::from_millis(30),
    rate: 600_000,
    lost: 10,
    broken: 5,
    ..NetworkConditions::GOOD
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
    /// Jobs by index at whose outputs a stranger's object lies.
    occupied: Vec<usize>,
    /// What was found while faults happened.
    findings: Findings,
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

    /// Lets a fault happen and heals it.
    pub(crate) async fn suffer(
        &mut self,
        fault: Fault,
        dice: &mut Dice,
        patience: Duration,
    ) -> anyhow::Result<Recovery> {
        let chosen = usize::try_from(dice.below(WORKERS as u64))?;
        let step = Step::ALL[usize::try_from(dice.below(Step::ALL.len() as u64))?];
        let is_delivered = dice.below(2) == 0 && step != Step::Committing;
        let open = self.open().await;
        let mut before = Vec::new();
        for index in &open {
            before.push(self.charges(*index).await);
        }
        let (farm, store) = (&self.farm, &self.store);
        let victim = &mut self.workers[chosen];
        let since = match fault {
            Fault::WorkerKilled => {
                let held = victim.hold_at(step);
                let reached = held.reached(farm).await;
                victim.worker.process.kill();
                let since = Instant::now();
                reached.decide(if is_delivered {
                    Fate::Passed
                } else {
                    Fate::Lost
                });
                victim.restart(farm, store).await;
                since
            }
            Fault::WorkerFrozen => {
                let held = victim.hold_at(step);
                let reached = held.reached(farm).await;
                victim.worker.process.signal(Signal::STOP);
                tokio::time::sleep(LONG).await;
                reached.decide(if is_delivered {
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
                victim.broker.set(NetworkConditions::CUT);
                tokio::time::sleep(LONG).await;
                victim.recover();
                Instant::now()
            }
            Fault::StoreCutOff => {
                victim.store.set(NetworkConditions::CUT);
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
                victim.ffmpeg().set_fault(match fault {
                    Fault::FfmpegCrashes => Mishap::Crash { after_frames: 10 },
                    Fault::FfmpegLies => Mishap::Torn,
                    _ => Mishap::Hang,
                });
                tokio::time::sleep(SHORT).await;
                victim.ffmpeg().recover();
                Instant::now()
            }
            Fault::StoreAway => {
                self.store.kill();
                tokio::time::sleep(STORE_AWAY).await;
                self.store.restart().await;
                Instant::now()
            }
            Fault::CredentialsRefused => {
                for victim in &self.workers {
                    victim.store.judge(|_| Fate::Refused(403));
                }
                tokio::time::sleep(REFUSED).await;
                for victim in &self.workers {
                    victim.store.judge(|_| Fate::Passed);
                }
                Instant::now()
            }
            Fault::BrokerAway => {
                self.farm.broker.kill();
                tokio::time::sleep(BROKER_AWAY).await;
                self.farm.broker.restart().await;
                Instant::now()
            }
            Fault::CompletionSlow => {
                let reached = victim.hold_at(Step::Committing).reached(farm).await;
                tokio::time::sleep(COMPLETION).await;
                reached.decide(if is_delivered {
                    Fate::Passed
                } else {
                    Fate::CutShort(0)
                });
                Instant::now()
            }
            Fault::OutputOccupied => {
                // The one that waits longest behind the others.
                let index = *open.last().context("a job that waits")?;
                let key = format!("out/{}", self.jobs[index].output);
                if self.store.get(&key).await.is_none() {
                    let file = self.farm.folder().join("precious");
                    std::fs::write(&file, PRECIOUS)?;
                    self.store.put(&file, &key).await;
                    self.occupied.push(index);
                }
                Instant::now()
            }
            Fault::JobCancelled => {
                let reached = victim.hold_at(step).reached(farm).await;
                let heartbeat = farm.heartbeat(&victim.worker.name).await;
                let running = heartbeat.map(|heartbeat| heartbeat.running);
                let job = running.and_then(|running| running.first().copied());
                let cancelled = async {
                    if let Some(job) = job {
                        farm.view.cancel(&job).await?;
                    }
                    anyhow::Ok(())
                };
                let decided = async {
                    tokio::time::sleep(ACK_WAIT / 2).await;
                    reached.decide(Fate::Passed);
                };
                let (cancelled, ()) = tokio::join!(cancelled, decided);
                cancelled?;
                victim.recover();
                Instant::now()
            }
            Fault::ClockWrong => {
                victim.worker.process.signal(Signal::TERM);
                victim.worker.process.wait().await;
                let seconds = if is_delivered { CLOCK_OFF } else { -CLOCK_OFF };
                victim.restart_off(farm, store, seconds).await;
                victim
                    .ffmpeg()
                    .set_fault(Mishap::Crash { after_frames: 10 });
                tokio::time::sleep(SHORT).await;
                victim.ffmpeg().recover();
                let since = Instant::now();
                victim.worker.process.signal(Signal::TERM);
                victim.worker.process.wait().await;
                victim.restart(farm, store).await;
                since
            }
        };
        let recovery = self
            .recovered(since, patience)
            .await
            .with_context(|| format!("{fault}, {step:?}, worker w{}", chosen + 1))?;
        if fault.is_nobodys() {
            self.blame(fault, &open, &before).await;
        }
        Ok(recovery)
    }

    async fn charges(&self, index: usize) -> Charges {
        let job = &self.jobs[index].id;
        poll::until("the broker to say what a job is charged with", async || {
            self.auditor.charges(job).await.ok()
        })
        .await
    }

    /// Finds out who was charged with what is nobody's fault.
    async fn blame(&mut self, fault: Fault, open: &[usize], before: &[Charges]) {
        for (index, before) in open.iter().zip(before) {
            let after = self.charges(*index).await;
            let allowed = before.spent + u64::from(!before.is_running);
            if after.spent > allowed || after.workers > before.workers {
                let job = &self.jobs[*index].id;
                let what = format!("{fault}: {job} went from {before:?} to {after:?}");
                self.findings.push((Finding::Blamed, what));
            }
        }
        for victim in &self.workers {
            let name = &victim.worker.name;
            let heartbeat = self.farm.heartbeat(name).await;
            if heartbeat.is_some_and(|alive| alive.status == WorkerStatus::Quarantined) {
                let what = format!("{fault}: {name} is in quarantine");
                self.findings.push((Finding::Blamed, what));
            }
        }
    }

    /// Looks after what is not the farm's: sources, and strangers' objects at outputs.
    async fn foreign(&mut self) {
        for film in FILMS {
            let kept = self.store.get(&format!("in/{film}")).await;
            let original = std::fs::read(paths::media(film)).ok();
            if kept != original {
                let kind = match kept {
                    None => Finding::Destroyed,
                    Some(_) => Finding::Overwritten,
                };
                self.findings.push((kind, format!("the source {film}")));
            }
        }
        for index in self.occupied.clone() {
            let job = &self.jobs[index];
            let key = format!("out/{}", job.output);
            match self.store.get(&key).await {
                None => self.findings.push((Finding::Destroyed, key.clone())),
                Some(bytes) if bytes == PRECIOUS => {}
                Some(_) => self.findings.push((Finding::Overwritten, key.clone())),
            }
            // What is left in the output place is the farm's from here on.
            self.store.remove(&key).await;
        }
        for index in 0..self.jobs.len() {
            let id = &self.jobs[index].id;
            let end = self.auditor.end(id).await.ok().flatten();
            if end == Some("failed") && !self.occupied.contains(&index) {
                let what = format!("{id} failed by no fault of its own");
                self.findings.push((Finding::Blamed, what));
            }
        }
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
