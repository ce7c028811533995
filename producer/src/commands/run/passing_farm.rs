//! A farm on this machine for the jobs of one command: it ends with the command, and remembers nothing.

use std::path::PathBuf;

use common::broker::Broker;
use common::names::location::Location;
use common::recipe::Recipe;
use common::recipe::encoder::Encoder;
use tokio_util::sync::CancellationToken;

use crate::cli::exit::Error;
use crate::cli::settings::Settings;
use crate::commands::run::encode::MachineOptions;
use crate::embedded::farm::{PrivateFarm, RunningFarm};
use crate::embedded::state::State;
use crate::embedded::{broker as server, scratch, worker};
use crate::submit::entry::Entry;
use crate::wait::ended::{WaitEnd, wait_until_ended};
use crate::wait::follow::Follower;

/// What the farm is to do.
pub(super) struct PassingFarm<'a> {
    pub machine: &'a MachineOptions,
    pub settings: &'a Settings,
    /// The folder of the outputs; `None` if there are none.
    pub output: Option<PathBuf>,
    /// The files to read.
    pub inputs: Vec<&'a Location>,
    /// What the worker is to be able to do before it gets jobs.
    pub recipe: &'a Recipe,
    /// The only encoders to prove; `None` for all.
    pub encoders: Option<Vec<Encoder>>,
    /// What a person hears who interrupts the command early.
    pub too_early: &'static str,
}

/// What a command has submitted.
pub(super) trait HasEntries {
    fn entries(&mut self) -> &mut [Entry];
}

impl HasEntries for Vec<Entry> {
    fn entries(&mut self) -> &mut [Entry] {
        self
    }
}

impl PassingFarm<'_> {
    /// Starts the farm, submits jobs, follows them to their end, and takes the farm down.
    ///
    /// # Errors
    /// If the farm or its jobs cannot be started, or its broker or worker ends.
    pub(super) async fn run<T: HasEntries>(
        &self,
        submit: impl AsyncFnOnce(&Broker) -> Result<T, Error>,
        shutdown: &CancellationToken,
    ) -> Result<(T, WaitEnd), Error> {
        let machine = self.machine;
        let server = server::find(machine.nats_server.as_deref()).await?;
        let program = worker::find(machine.worker_program.as_deref())?;
        if let Some(output) = &self.output {
            std::fs::create_dir_all(output).map_err(|error| {
                let output = output.display();
                Error::usage(format!("cannot make the folder {output}: {error}"))
            })?;
        }
        let state = State::temporary()?;
        let inputs = self.inputs.iter().copied();
        let worker = worker::Setup {
            program,
            ffmpeg: machine.ffmpeg.clone(),
            max_jobs: machine.max_jobs,
            roots: worker::roots(self.output.as_deref().unwrap_or(state.output()), inputs),
            scratch: match &machine.scratch {
                Some(scratch) => std::path::absolute(scratch)
                    .map_err(|error| Error::usage(format!("{}: {error}", scratch.display())))?,
                None => scratch::make(&state)?,
            },
            encoders: self.encoders.clone(),
            store: self.settings.file().store.clone(),
        };
        let farm = PrivateFarm {
            server,
            ack_wait: self.settings.ack_wait,
            state: &state,
            worker,
        };
        let ran = farm
            .run(async |farm, broker| self.work(farm, broker, submit, shutdown).await)
            .await;
        state.remove();
        ran?.done
    }

    async fn work<T: HasEntries>(
        &self,
        farm: &mut RunningFarm<'_>,
        broker: &Broker,
        submit: impl AsyncFnOnce(&Broker) -> Result<T, Error>,
        shutdown: &CancellationToken,
    ) -> Result<(T, WaitEnd), Error> {
        let beginning = async {
            let follower = Follower::start(broker).await?;
            farm.start(broker, self.recipe).await?;
            let submitted = submit(broker).await?;
            Ok::<_, Error>((follower, submitted))
        };
        let (follower, mut submitted) = tokio::select! {
            begun = beginning => begun?,
            () = shutdown.cancelled() => return Err(Error::interrupted(self.too_early)),
        };
        let supervise = farm.supervise();
        let (follower, entries) = (Some(follower), submitted.entries());
        let waiting = wait_until_ended(broker, follower, None, entries, shutdown, supervise);
        let end = waiting.await?.end;
        Ok((submitted, end))
    }
}
