//! Checking on this machine.

use common::broker::Broker;
use common::recipe::Recipe;
use tokio_util::sync::CancellationToken;

use super::Check;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::encode::encoders_to_prove;
use crate::commands::run::passing_farm::PassingFarm;

impl Check<'_> {
    pub(super) async fn here(
        &self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        let inputs = self.sources.iter().map(|source| &source.input.location);
        let farm = PassingFarm {
            machine: &self.options.machine,
            settings,
            output: None,
            inputs: inputs.collect(),
            recipe: &Recipe::copy(),
            encoders: encoders_to_prove(&Recipe::copy()),
            too_early: "interrupted; nothing has been checked yet",
        };
        let submit = async |broker: &Broker| self.submit(broker).await;
        let (entries, end) = farm.run(submit, shutdown).await?;
        self.conclude(&entries, end, "run the same command again")
    }
}
