//! Checking on this machine.

use common::broker::Broker;
use common::recipe::Recipe;
use common::recipe::encoder::Encoder;
use tokio_util::sync::CancellationToken;

use super::Check;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::run::passing_farm::PassingFarm;

/// The only encoder that is tested: a check needs none, and testing all takes seconds.
const ENCODER: &str = "libx264";

impl Check<'_> {
    pub(super) async fn here(
        &self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        let encoder: Encoder = ENCODER.parse().map_err(Error::usage)?;
        let inputs = self.sources.iter().map(|source| &source.input.location);
        let farm = PassingFarm {
            machine: &self.options.machine,
            settings,
            output: None,
            inputs: inputs.collect(),
            recipe: &Recipe::copy(),
            encoders: Some(vec![encoder]),
            too_early: "interrupted; nothing has been checked yet",
        };
        let submit = async |broker: &Broker| self.submit(broker).await;
        let (entries, end) = farm.run(submit, shutdown).await?;
        self.conclude(&entries, end, "run the same command again")
    }
}
