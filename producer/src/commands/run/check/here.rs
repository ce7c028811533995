//! Checking on this machine, with a private farm over a temporary state.

use common::broker::Broker;
use common::recipe::Recipe;
use common::recipe::encoder::Encoder;
use tokio_util::sync::CancellationToken;

use super::Check;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::embedded::farm::{PrivateFarm, RunningFarm};
use crate::embedded::state::State;
use crate::embedded::{broker as server, scratch, worker};
use crate::submit::entry::Entry;
use crate::wait::ended::{WaitEnd, wait_until_ended};
use crate::wait::follow::Follower;

/// The only encoder that is tested: a check needs none, and testing all takes seconds.
const ENCODER: &str = "libx264";

impl Check<'_> {
    pub(super) async fn here(
        &self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        let machine = &self.options.machine;
        let server = server::find(machine.nats_server.as_deref()).await?;
        let program = worker::find(machine.worker_program.as_deref())?;
        let state = State::temporary()?;
        let inputs = self.sources.iter().map(|source| &source.input.location);
        let encoder: Encoder = ENCODER.parse().map_err(Error::usage)?;
        let setup = worker::Setup {
            program,
            ffmpeg: machine.ffmpeg.clone(),
            max_jobs: machine.max_jobs,
            roots: worker::roots(state.output(), inputs),
            scratch: match &machine.scratch {
                Some(scratch) => std::path::absolute(scratch)
                    .map_err(|error| Error::usage(format!("{}: {error}", scratch.display())))?,
                None => scratch::make(&state)?,
            },
            encoders: Some(vec![encoder]),
        };
        let farm = PrivateFarm {
            server,
            ack_wait: settings.ack_wait,
            state: &state,
            worker: setup,
        };
        let ran = farm
            .run(async |farm, broker| self.checked(farm, broker, shutdown).await)
            .await;
        state.remove();
        let (entries, end) = ran?.done?;
        self.conclude(&entries, end, "run the same command again")
    }

    async fn checked(
        &self,
        farm: &mut RunningFarm<'_>,
        broker: &Broker,
        shutdown: &CancellationToken,
    ) -> Result<(Vec<Entry>, WaitEnd), Error> {
        let beginning = async {
            let follower = Follower::start(broker).await?;
            let entries = self.submit(broker).await?;
            farm.start(broker, &Recipe::copy()).await?;
            Ok::<_, Error>((follower, entries))
        };
        let (follower, mut entries) = tokio::select! {
            begun = beginning => begun?,
            () = shutdown.cancelled() => {
                return Err(Error::interrupted("interrupted; nothing has been checked yet"));
            }
        };
        let supervise = farm.supervise();
        let waiting = wait_until_ended(
            broker,
            Some(follower),
            None,
            &mut entries,
            shutdown,
            supervise,
        );
        let end = waiting.await?.end;
        Ok((entries, end))
    }
}
