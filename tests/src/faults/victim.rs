//! Meeting a worker at one step of a job, from outside: by holding the very
//! message that ends the step, or the ffmpeg that it consists of.

use crate::farm::Farm;
use crate::faults::proxy::{Fate, Held, NetworkConditions, Protocol, Proxy};
use crate::faults::stand_in::{Fault, StandIn};
use crate::programs::{Worker, WorkerSetup};
use crate::servers::store::TestStore;
use crate::{outside, poll};

/// A step in the life of a job whose input and output are objects, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Its message is fetched, its run not written.
    Claiming,
    /// Its run is written, its input not looked at.
    Claimed,
    /// A part of its input is in scratch.
    Downloading,
    /// ffmpeg encodes.
    Encoding,
    /// ffmpeg decodes what it encoded.
    Verifying,
    /// Its output is on its way to the store.
    Uploading,
    /// Its output is in the store in parts, the fence not written.
    Fencing,
    /// The fence is written, and the upload of the output is not completed.
    Committing,
    /// The output is there, and the run is not completed.
    Completing,
    /// The run is completed, and the message is not acknowledged.
    Acknowledging,
}

impl Step {
    pub const ALL: [Self; 10] = [
        Self::Claiming,
        Self::Claimed,
        Self::Downloading,
        Self::Encoding,
        Self::Verifying,
        Self::Uploading,
        Self::Fencing,
        Self::Committing,
        Self::Completing,
        Self::Acknowledging,
    ];
}

/// The bandwidth of a slow download, in bytes a second.
const CRAWL: u32 = 20_000;

/// A worker whose ffmpeg, broker and store a test controls.
pub struct Victim {
    pub worker: Worker,
    /// The proxy to the broker.
    pub broker: Proxy,
    /// The proxy to the store.
    pub store: Proxy,
    ffmpeg: StandIn,
}

/// Keeps a victim at its step. A held message is lost when this is dropped.
pub struct Reached(Option<Held>);

impl Reached {
    /// Decides the fate of a held message, whether or not its sender still lives.
    pub fn decide(self, fate: Fate) {
        if let Some(held) = self.0 {
            held.decide(fate);
        }
    }
}

impl Victim {
    /// Starts a worker of libx264 that downloads its inputs.
    pub async fn join(farm: &Farm, store: &TestStore, name: &str) -> Self {
        let ffmpeg = StandIn::new(&farm.folder().join(format!("ffmpeg-of-{name}")));
        let broker = Proxy::start(Protocol::Nats, farm.broker.port());
        let way_to_store = Proxy::start(Protocol::Http, store.port());
        let worker = farm
            .join(setup(farm, store, name, &ffmpeg, &broker, &way_to_store))
            .await;
        Self {
            worker,
            broker,
            store: way_to_store,
            ffmpeg,
        }
    }

    /// Starts the worker again under its name, as a supervisor does, and holds nothing.
    pub async fn restart(&mut self, farm: &Farm, store: &TestStore) {
        let setup = self.again(farm, store);
        self.worker = farm.join(setup).await;
    }

    /// As `restart`, with a clock that is so many seconds ahead; behind if negative.
    pub async fn restart_off(&mut self, farm: &Farm, store: &TestStore, seconds: i64) {
        let setup = self.again(farm, store).clock_off(seconds);
        self.worker = farm.join(setup).await;
    }

    fn again(&mut self, farm: &Farm, store: &TestStore) -> WorkerSetup {
        self.recover();
        let name = self.worker.name.clone();
        setup(farm, store, &name, &self.ffmpeg, &self.broker, &self.store)
    }

    /// Ends all faults of the network and of ffmpeg.
    pub fn recover(&mut self) {
        self.ffmpeg.recover();
        self.broker.set(NetworkConditions::GOOD);
        self.store.set(NetworkConditions::GOOD);
    }

    pub fn ffmpeg(&mut self) -> &mut StandIn {
        &mut self.ffmpeg
    }

    /// Prepares to stop the victim at a step of the next job that it takes.
    pub fn hold_at(&mut self, step: Step) -> HeldAt<'_> {
        let run = |word: &'static str| {
            self.broker
                .hold(move |request| request.subject.starts_with("$KV.runs.") && request.says(word))
        };
        let object = |method: &'static str, part: &'static str| {
            self.store.hold(move |request| {
                request.subject.starts_with(method) && request.subject.contains(part)
            })
        };
        let held = match step {
            Step::Claiming => Some(run("\"reading\"")),
            Step::Claimed => Some(object("HEAD ", "/in/")),
            Step::Downloading => {
                self.store.set(NetworkConditions {
                    rate: CRAWL,
                    ..NetworkConditions::GOOD
                });
                None
            }
            Step::Encoding => {
                self.ffmpeg.set_fault(Fault::Held);
                None
            }
            Step::Verifying => {
                self.ffmpeg.set_fault(Fault::CheckHeld);
                None
            }
            Step::Uploading => Some(object("PUT ", "partNumber=")),
            Step::Fencing => Some(run("\"publishing\"")),
            Step::Committing => Some(object("POST ", "uploadId=")),
            Step::Completing => Some(run("\"completed\"")),
            // An empty payload is an acknowledgement.
            Step::Acknowledging => Some(self.broker.hold(|request| {
                request.subject.starts_with("$JS.ACK.") && request.body.is_empty()
            })),
        };
        HeldAt {
            victim: self,
            step,
            held,
        }
    }
}

fn setup(
    farm: &Farm,
    store: &TestStore,
    name: &str,
    ffmpeg: &StandIn,
    broker: &Proxy,
    way_to_store: &Proxy,
) -> WorkerSetup {
    farm.worker(name)
        .encoders("libx264")
        .ffmpeg(ffmpeg)
        .option("--read", "download")
        .option("--stall-timeout", "10s")
        .option("--quarantine-rest", "2s")
        .option("--nats", broker.nats_url())
        .environment(store.environment())
        .environment([("AWS_ENDPOINT", way_to_store.http_url())])
}

/// A victim that will be stopped at a step.
pub struct HeldAt<'a> {
    victim: &'a Victim,
    step: Step,
    held: Option<Held>,
}

impl HeldAt<'_> {
    /// Waits until the victim is at the step.
    pub async fn reached(mut self, farm: &Farm) -> Reached {
        let step = self.step;
        let scratch = farm.scratch_of(&self.victim.worker.name);
        match &mut self.held {
            Some(held) => held.caught(&format!("{step:?}")).await,
            None => match step {
                Step::Downloading => {
                    poll::until("a part of a download", async || {
                        let files = outside::files(&scratch);
                        let (_, bytes) = files.iter().find(|(name, _)| name.ends_with("input"))?;
                        (!bytes.is_empty()).then_some(())
                    })
                    .await;
                }
                _ => {
                    // The check of an output stops at the first error; an encode does not.
                    let checks = step == Step::Verifying;
                    poll::until("ffmpeg to run", async || {
                        outside::encodes_in(&scratch)
                            .iter()
                            .any(|process| {
                                let is_ffmpeg = process.arguments[0].ends_with("/ffmpeg");
                                is_ffmpeg && process.command.contains("-xerror") == checks
                            })
                            .then_some(())
                    })
                    .await;
                }
            },
        }
        Reached(self.held)
    }
}
