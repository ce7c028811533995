//! Sampling on this machine.

use common::broker::Broker;
use tokio_util::sync::CancellationToken;

use super::{Order, Submitted};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::encode::encoders_to_prove;
use crate::commands::run::passing_farm::{HasEntries, PassingFarm};
use crate::recipe::known::check_known;
use crate::submit::entry::Entry;

impl HasEntries for Submitted {
    fn entries(&mut self) -> &mut [Entry] {
        &mut self.entries
    }
}

impl Order<'_> {
    pub(super) async fn here(
        &self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        let folder = &self.destination.folder;
        let Some(output) = folder.path() else {
            return Err(Error::usage(format!(
                "{folder} is not a local folder: name the farm with --nats"
            )));
        };
        check_known(&self.recipe, &[])?;
        let farm = PassingFarm {
            machine: &self.options.machine,
            settings,
            output: Some(output),
            inputs: self.inputs().collect(),
            recipe: &self.recipe,
            encoders: encoders_to_prove(&self.recipe),
            too_early: "interrupted; nothing has been encoded yet",
        };
        let submit = async |broker: &Broker| self.submit(broker).await;
        let (submitted, end) = farm.run(submit, shutdown).await?;
        self.conclude(&submitted, end, "run the same command again")
    }
}
