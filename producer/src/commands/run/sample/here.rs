//! Sampling on this machine, with a private farm over a temporary state.

use std::path::PathBuf;

use common::broker::Broker;
use tokio_util::sync::CancellationToken;

use super::{Order, Submitted};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::encode::encoders_to_prove;
use crate::embedded::farm::{PrivateFarm, RunningFarm};
use crate::embedded::state::State;
use crate::embedded::{broker as server, scratch, worker};
use crate::recipe::known::check_known;
use crate::wait::ended::{WaitEnd, wait_until_ended};
use crate::wait::follow::Follower;

impl Order<'_> {
    pub(super) async fn here(
        &self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        let machine = &self.options.machine;
        let folder = &self.destination.folder;
        let Some(output) = folder.path() else {
            return Err(Error::usage(format!(
                "{folder} is not a local folder: name the farm with --nats"
            )));
        };
        check_known(&self.recipe, &[])?;
        let server = server::find(machine.nats_server.as_deref()).await?;
        let program = worker::find(machine.worker_program.as_deref())?;
        std::fs::create_dir_all(&output).map_err(|error| {
            Error::usage(format!(
                "cannot make the folder {}: {error}",
                output.display()
            ))
        })?;
        let state = State::temporary()?;
        let absolute = |path: &PathBuf| {
            std::path::absolute(path)
                .map_err(|error| Error::usage(format!("{}: {error}", path.display())))
        };
        let setup = worker::Setup {
            program,
            ffmpeg: machine.ffmpeg.clone(),
            max_jobs: machine.max_jobs,
            roots: worker::roots(&output, self.inputs()),
            scratch: match &machine.scratch {
                Some(scratch) => absolute(scratch)?,
                None => scratch::make(&state)?,
            },
            encoders: encoders_to_prove(&self.recipe),
        };
        let farm = PrivateFarm {
            server,
            ack_wait: settings.ack_wait,
            state: &state,
            worker: setup,
        };
        let ran = farm
            .run(async |farm, broker| self.sampled(farm, broker, shutdown).await)
            .await;
        state.remove();
        let (submitted, end) = ran?.done?;
        self.conclude(&submitted, end, "run the same command again")
    }

    async fn sampled(
        &self,
        farm: &mut RunningFarm<'_>,
        broker: &Broker,
        shutdown: &CancellationToken,
    ) -> Result<(Submitted, WaitEnd), Error> {
        let beginning = async {
            let follower = Follower::start(broker).await?;
            farm.start(broker, &self.recipe).await?;
            let submitted = self.submit(broker).await?;
            Ok::<_, Error>((follower, submitted))
        };
        let (follower, mut submitted) = tokio::select! {
            begun = beginning => begun?,
            () = shutdown.cancelled() => {
                return Err(Error::interrupted("interrupted; nothing has been encoded yet"));
            }
        };
        let supervise = farm.supervise();
        let (follower, entries) = (Some(follower), &mut submitted.entries);
        let waiting = wait_until_ended(broker, follower, None, entries, shutdown, supervise);
        let end = waiting.await?.end;
        Ok((submitted, end))
    }
}
