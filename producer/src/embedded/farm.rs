//! The private farm while it runs: its broker, and its worker once there is something to do.

use std::path::PathBuf;
use std::time::Duration;

use common::broker::Broker;
use common::matching::plan::Plan;
use common::recipe::Recipe;
use common::say;

use super::broker::PrivateBroker;
use super::guarded::Guarded;
use super::memory::Memory;
use super::state::State;
use super::{memory, scratch, worker};
use crate::cli::exit::Error;

/// How often a worker that ended by itself is started again.
const RESTARTS: u32 = 3;
/// How long the private broker may take to list its runs at the end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long the connection may take to close.
const FAREWELL: Duration = Duration::from_secs(1);

/// What a private farm is made of.
pub(crate) struct PrivateFarm<'a> {
    pub server: PathBuf,
    pub ack_wait: Duration,
    pub state: &'a State,
    pub worker: worker::Setup,
}

/// What a private farm was used for.
pub(crate) struct Ran<T> {
    pub done: Result<T, Error>,
    /// What is to be remembered; `None` where a later command has something to carry on with.
    pub worth: Option<Memory>,
}

impl PrivateFarm<'_> {
    /// Starts the farm with what its state remembers, does `work` with it, and stops it however that ends.
    pub(crate) async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut RunningFarm<'_>, &Broker) -> Result<T, Error>,
    ) -> Result<Ran<T>, Error> {
        let mut broker = PrivateBroker::start(&self.server, self.state).await?;
        let mut running = RunningFarm {
            farm: self,
            url: broker.url().to_owned(),
            worker: None,
        };
        let connected = broker.connect(self.ack_wait).await;
        let done = match &connected {
            Ok(connection) => {
                let work = async {
                    let memory = self.state.remembered();
                    connection.restore(&memory.runs, &memory.masters).await?;
                    self.note(memory, connection).await?;
                    work(&mut running, connection).await
                };
                tokio::select! {
                    done = work => done,
                    error = broker.ended() => Err(error),
                }
            }
            Err(error) => Err(error.clone()),
        };
        if let Some(worker) = running.worker.take() {
            worker.stop().await;
        }
        let mut worth = None;
        if let Ok(connection) = connected {
            if done.is_ok() {
                worth = to_remember(&connection, self.state.remembered()).await;
            }
            disconnect(&connection).await;
        }
        broker.stop().await;
        if let Err(error) = scratch::clear(self.state, &worker::name()) {
            tracing::warn!(%error, "scratch files may be left; the next command removes them");
        }
        Ok(Ran { done, worth })
    }

    /// Keeps what undo needs before anything changes: this command may forget jobs of an interrupted one.
    async fn note(&self, memory: Memory, broker: &Broker) -> Result<(), Error> {
        let before = memory.replaced.clone();
        let memory = memory.noting(broker.runs().await?);
        if memory.replaced == before {
            return Ok(());
        }
        self.state.keep(&memory).map_err(|error| {
            Error::failed(format!(
                "cannot remember what has been replaced: {error}; make room for the state folder"
            ))
        })
    }
}

/// What is to be remembered, where nothing is left to do. A broker that gives no answer keeps its state.
async fn to_remember(broker: &Broker, before: Memory) -> Option<Memory> {
    match tokio::time::timeout(PATIENCE, memory::worth(broker, before)).await {
        Ok(Ok(worth)) => worth,
        Ok(Err(error)) => {
            tracing::debug!(%error, "the state of this encode stays");
            None
        }
        Err(_) => None,
    }
}

/// Closes the connection before the broker stops: the client would report a broker that goes first as lost.
async fn disconnect(connection: &Broker) {
    if let Err(error) = connection.client().drain().await {
        tracing::debug!(%error, "the connection was closed before");
    }
    // `drain` only begins to close; `flush` returns once the connection is closed.
    let _ = tokio::time::timeout(FAREWELL, connection.client().flush()).await;
}

/// A private farm whose broker runs.
pub(crate) struct RunningFarm<'a> {
    farm: &'a PrivateFarm<'a>,
    url: String,
    worker: Option<Guarded>,
}

impl RunningFarm<'_> {
    /// Starts the worker, and waits until it has proved that it can run the recipe.
    ///
    /// # Errors
    /// Where the worker cannot be started, or cannot run the recipe.
    pub(crate) async fn start(&mut self, broker: &Broker, recipe: &Recipe) -> Result<(), Error> {
        let PrivateFarm { worker, state, .. } = self.farm;
        let worker = worker::start(worker, state, &self.url, false)?;
        prove(recipe, self.worker.insert(worker), broker).await
    }

    /// Starts a worker that ended by itself again, a few times. A job that crashes workers ends as well: its attempts
    /// are limited.
    pub(crate) async fn supervise(&mut self) -> Error {
        for left in (0..RESTARTS).rev() {
            let error = ended(&mut self.worker).await;
            tracing::warn!(%error, left, "starting the worker again");
            match worker::start(&self.farm.worker, self.farm.state, &self.url, true) {
                Ok(next) => self.worker = Some(next),
                Err(error) => return error,
            }
        }
        ended(&mut self.worker).await
    }
}

async fn ended(worker: &mut Option<Guarded>) -> Error {
    match worker {
        Some(worker) => worker.ended().await,
        None => std::future::pending().await,
    }
}

/// Waits for the worker's capabilities and checks that it can run the recipe.
async fn prove(recipe: &Recipe, worker: &mut Guarded, broker: &Broker) -> Result<(), Error> {
    let spinner = indicatif::ProgressBar::new_spinner();
    spinner.set_message("testing the encoder");
    spinner.enable_steady_tick(Duration::from_millis(100));
    let ready = worker::ready(worker, broker).await;
    spinner.finish_and_clear();
    let worker = ready?;
    if cfg!(target_os = "linux")
        && let Some(level) = worker.card.sandbox.filter(|level| !level.is_full())
    {
        say!(
            "warning: ffmpeg is not fully confined here ({level}): encode files that you trust only"
        );
    }
    let plan = Plan::of(recipe, &[worker]);
    let Some(candidate) = plan.candidates.first() else {
        return Err(Error::failed(cannot_run(&plan)));
    };
    for warning in &candidate.warnings {
        say!("warning: {warning}");
    }
    Ok(())
}

fn cannot_run(plan: &Plan) -> String {
    let reason = plan
        .unfit
        .first()
        .map_or("no reason given", |unfit| unfit.reason.as_str());
    let proved: Vec<String> = plan
        .alternatives
        .iter()
        .map(|other| format!("--encoder {}", other.encoder))
        .collect();
    let instead = if proved.is_empty() {
        "`worker capabilities` lists what works here".to_owned()
    } else {
        format!("of this codec, this machine can use {}", proved.join(", "))
    };
    format!("this machine cannot run the recipe: {reason}; {instead}")
}
