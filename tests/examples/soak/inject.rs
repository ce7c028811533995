//! How each fault begins and ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use harness::farm::ACK_WAIT;
use harness::faults::proxy::{Fate, NetworkConditions};
use harness::faults::stand_in::Fault as Mishap;
use harness::faults::victim::Step;
use harness::process::Signal;

use crate::dice::Dice;
use crate::faults::Fault;
use crate::field::{Field, PRECIOUS, Recovery, WORKERS};

/// The duration of a fault that outlasts a lease.
const LONG: Duration = ACK_WAIT.saturating_mul(2);

/// The duration for which the broker is away.
const BROKER_AWAY: Duration = ACK_WAIT.saturating_mul(4);

/// The duration for which the store is away: longer than all waits of three attempts.
const STORE_AWAY: Duration = Duration::from_secs(130);

/// The duration for which the store refuses credentials.
const REFUSED: Duration = Duration::from_secs(40);

/// The time that the store takes to complete an upload.
const COMPLETION: Duration = ACK_WAIT.saturating_mul(2);

/// The error of a clock, in seconds: more than any wait of the farm, less than an S3 store tolerates.
const CLOCK_OFF: i64 = 600;

/// The duration of a short fault.
const SHORT: Duration = Duration::from_secs(4);

const LOSSY: NetworkConditions = NetworkConditions {
    delay: Duration::from_millis(30),
    rate: 600_000,
    lost: 10,
    broken: 5,
    ..NetworkConditions::GOOD
};

impl Field {
    /// Injects a fault, and ends it.
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
                // The job with the longest wait ahead of it.
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

    pub(crate) fn recover(&mut self) {
        for victim in &mut self.workers {
            victim.recover();
        }
    }
}
