//! The life of a worker, from its configuration to its sign-off. The caller owns both the configuration and the
//! shutdown token, so tests can run a worker in their process.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use common::broker::{Broker, BrokerError, Requests as Asked};
use common::farm::card::Capabilities;
use common::farm::orders::Orders;
use common::store::Stores;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::attempt::executor::Executor;
use crate::attempt::input::server::InputServer;
use crate::attempt::outlines::Outlines;
use crate::attempt::parts::look_after;
use crate::attempt::proofs::ProofEncodes;
use crate::attempt::quality::helper;
use crate::attempt::scratch::Scratch;
use crate::attempt::trash;
use crate::capabilities::Detection;
use crate::cli::config::Config;
use crate::cli::error::Error;
use crate::dispatch::admission::{Admission, Reserved};
use crate::dispatch::dispatcher::Dispatcher;
use crate::dispatch::orders;
use crate::ffmpeg::Tools;
use crate::report::heartbeat::{Heartbeater, Profile};
use crate::report::metrics::Sources;
use crate::report::{metrics, namesake};
use crate::work::reach::Reach;
use crate::work::unfit::Unfit;
use crate::{library, preview};

/// How long the sign-off from the broker may take.
const SIGN_OFF: Duration = Duration::from_secs(3);
/// How long the removal of the scratch files of ended jobs may take.
const REMOVAL: Duration = Duration::from_secs(10);
/// How long to wait for a broker that is only just starting.
const BROKER_START: Duration = Duration::from_secs(15);
/// The wait between two requests to such a broker.
const AGAIN: Duration = Duration::from_secs(1);

/// Works until `shutdown` is cancelled or a limit of the configuration is reached, then drains and signs off.
///
/// # Errors
/// If a setting is wrong, ffmpeg is missing, or the broker is out of reach.
pub async fn run(config: &Config, shutdown: CancellationToken) -> Result<(), Error> {
    config.check()?;
    config.detection.check_sandbox().await?;
    if config.stop_with_stdin {
        stop_with_stdin(shutdown.clone());
    }
    let metrics = match config.metrics {
        Some(address) => Some(metrics::listen(address).await?),
        None => None,
    };
    let worker = Worker::start(config).await?;
    let gone = CancellationToken::new();
    let requests = worker.listen().await;
    namesake::take(
        &worker.broker,
        &worker.admission.name,
        &worker.heartbeater,
        &gone,
    )
    .await?;
    worker.greet();
    let services = worker.serve(requests, &gone);
    if let Some(listener) = metrics {
        services.spawn(metrics::serve(listener, worker.sources(), gone.clone()));
    }
    let tidying = tokio::spawn({
        let (stores, gone) = (worker.stores.clone(), gone.clone());
        async move { stores.tidy(&gone).await }
    });
    let (broker, executor) = (worker.broker.clone(), Arc::clone(&worker.executor));
    let worked = worker.dispatcher(config).run(shutdown).await;
    gone.cancel();
    executor.reach.close().await;
    services.close();
    let signing_off = async {
        services.wait().await;
        broker.client().flush().await
    };
    // A broker that is gone never answers.
    if !matches!(
        tokio::time::timeout(SIGN_OFF, signing_off).await,
        Ok(Ok(()))
    ) {
        tracing::warn!("could not sign off from the broker; the heartbeat will run out");
    }
    // This task ends by itself within seconds.
    let _ = tidying.await;
    let removed = executor.scratch.removed();
    if tokio::time::timeout(REMOVAL, removed).await.is_err() {
        tracing::warn!("scratch files are still being removed");
    }
    worked.context("cannot take jobs")?;
    tracing::info!("stopped");
    Ok(())
}

struct Worker {
    broker: Broker,
    stores: Stores,
    executor: Arc<Executor>,
    heartbeater: Arc<Heartbeater>,
    admission: Arc<Admission>,
    orders: watch::Sender<Orders>,
    slots: u32,
}

/// Requests of other programs.
struct Requests {
    previews: Result<Asked, BrokerError>,
    trashes: Result<Asked, BrokerError>,
    samples: Result<Asked, BrokerError>,
}

impl Worker {
    /// Tests the encoders of the machine, and connects to the broker meanwhile.
    async fn start(config: &Config) -> Result<Self, Error> {
        let name = config.worker_name();
        let stores = config.stores()?;
        let scratch = Scratch::open(&config.scratch(), &name)?;
        let options = config.broker();
        let connecting = when_broker_answers(async || Broker::set_up(&options).await);
        let (proved, broker) = tokio::join!(prove(config), connecting);
        let (broker, (tools, card)) = (broker?, proved?);
        let controls = when_broker_answers(async || broker.orders().await).await?;
        let (orders, controls) = watch::channel(controls);
        let slots = config.slots(card.host.cores);
        let measured = Arc::new(card);
        let (cards, card) = watch::channel(Arc::clone(&measured));
        let reach = Reach::new(&stores, broker.clock());
        let profile = Profile {
            name: name.clone(),
            slots,
            terms: config.terms(),
            places: reach.allowed(),
            card: card.clone(),
            away: reach.away(),
        };
        let heartbeater = Heartbeater::new(profile, scratch.path(), broker.clock());
        let heartbeater = Arc::new(heartbeater);
        let unfit = Unfit::default();
        let admission = Admission {
            name: name.clone(),
            terms: config.terms(),
            places: reach.allowed(),
            read: config.read,
            card: card.clone(),
            controls,
            reach: Arc::clone(&reach),
            reserved: Reserved::default(),
            unfit: unfit.clone(),
        };
        if admission.queues().is_empty() {
            let proved = card.borrow().queues(&name);
            let proved: Vec<String> = proved.iter().map(ToString::to_string).collect();
            return Err(Error::Usage(format!(
                "--only leaves no queue that this worker can serve; it has proved: {}",
                proved.join(", ")
            )));
        }
        let inputs = InputServer::start(stores.clone()).await;
        let inputs =
            inputs.context("no port can be opened on 127.0.0.1, to serve inputs to ffmpeg")?;
        let executor = Executor {
            broker: broker.clone(),
            stores: stores.clone(),
            inputs,
            detection: Detection {
                measured: Some(measured),
                ..config.detection.detection(&tools).await
            },
            tools,
            card,
            cards,
            reach,
            scratch,
            heartbeater: Arc::clone(&heartbeater),
            counters: Arc::default(),
            name,
            wrapper: config.detection.wrapper().await,
            read: config.read,
            verify: config.verify,
            stall_timeout: config.stall_timeout,
            max_job_time: config.max_job_time,
            max_memory: config.max_memory,
            proofs: ProofEncodes::default(),
            signers: config.signers().map_err(Error::Usage)?,
            unfit,
            outlines: Outlines::default(),
        };
        Ok(Self {
            broker,
            stores,
            executor: Arc::new(executor),
            heartbeater,
            admission: Arc::new(admission),
            orders,
            slots,
        })
    }

    /// Where the metrics of this worker come from.
    fn sources(&self) -> Sources {
        Sources {
            broker: self.broker.clone(),
            heartbeater: Arc::clone(&self.heartbeater),
            counters: Arc::clone(&self.executor.counters),
        }
    }

    fn greet(&self) {
        let card = Arc::clone(&self.admission.card.borrow());
        let proved: Vec<&str> = card.proved().map(|(encoder, _)| encoder.as_str()).collect();
        tracing::info!(
            worker = %self.admission.name,
            slots = self.slots,
            encoders = %proved.join(" "),
            ffmpeg = card.ffmpeg.version,
            sandbox = %self.executor.card.borrow().sandbox.unwrap_or_default(),
            "ready"
        );
        if self.stores.places().roots.is_empty() {
            tracing::info!(
                "jobs about local files are left to others: no --root says where those may be"
            );
        }
    }

    /// Listens for requests. Programs that know of the worker may ask it at once, so this comes before its first heartbeat.
    async fn listen(&self) -> Requests {
        let (broker, name) = (&self.broker, &self.executor.name);
        Requests {
            previews: broker.preview_requests(name).await,
            trashes: broker.trash_requests(name).await,
            samples: broker.sample_requests(name).await,
        }
    }

    /// Starts the services that run beside the jobs until the worker is gone.
    fn serve(&self, requests: Requests, gone: &CancellationToken) -> TaskTracker {
        let Requests {
            previews,
            trashes,
            samples,
        } = requests;
        let services = TaskTracker::new();
        services.spawn({
            let (heartbeater, broker) = (Arc::clone(&self.heartbeater), self.broker.clone());
            let gone = gone.clone();
            async move { heartbeater.run(&broker, gone).await }
        });
        let orders = self.orders.clone();
        services.spawn(orders::follow(self.broker.clone(), orders, gone.clone()));
        services.spawn(preview::serve(
            Arc::clone(&self.executor),
            previews,
            gone.clone(),
        ));
        services.spawn(trash::serve(
            Arc::clone(&self.executor),
            trashes,
            gone.clone(),
        ));
        services.spawn(trash::empty(Arc::clone(&self.executor), gone.clone()));
        services.spawn(helper::serve(
            Arc::clone(&self.executor),
            samples,
            gone.clone(),
        ));
        services.spawn(look_after::serve(Arc::clone(&self.executor), gone.clone()));
        services.spawn(library::serve(Arc::clone(&self.executor), gone.clone()));
        services
    }

    fn dispatcher(self, config: &Config) -> Dispatcher<Executor> {
        Dispatcher {
            scratch: self.executor.scratch.path().to_owned(),
            broker: self.broker,
            work: self.executor,
            admission: self.admission,
            heartbeater: self.heartbeater,
            hours: config.schedule.clone(),
            slots: self.slots as usize,
            quarantine_after: config.quarantine_after as usize,
            quarantine_rest: config.quarantine_rest,
            drain_timeout: config.drain_timeout,
            limits: config.limits(),
        }
    }
}

async fn prove(config: &Config) -> Result<(Tools, Capabilities), Error> {
    let tools = config.detection.tools()?;
    let card = config.detection.detect(&tools, true).await?;
    Ok((tools, card))
}

/// Repeats a request while the broker does not answer: it may be starting at the same time as this worker, or
/// restarting.
async fn when_broker_answers<T>(
    request: impl AsyncFn() -> Result<T, BrokerError>,
) -> Result<T, BrokerError> {
    let give_up = Instant::now() + BROKER_START;
    let mut has_warned = false;
    loop {
        match request().await {
            Err(error @ (BrokerError::TooOld { .. } | BrokerError::NoJetStream { .. })) => {
                return Err(error);
            }
            Err(error) if Instant::now() < give_up => {
                if !std::mem::replace(&mut has_warned, true) {
                    tracing::warn!(%error, "waiting for the broker");
                }
                tokio::time::sleep(AGAIN).await;
            }
            answer => return answer,
        }
    }
}

/// Stops the worker when the program that started it is gone.
fn stop_with_stdin(shutdown: CancellationToken) {
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        shutdown.cancel();
    });
}
