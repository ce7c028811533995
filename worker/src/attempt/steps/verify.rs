//! Verifying: the output is taken from where ffmpeg may write, finished, and checked.

use std::sync::Arc;
use std::time::Duration;

use common::job::failure::Failure;
use common::job::run::Stage;

use crate::attempt::steps::read::OUTPUT;
use crate::attempt::steps::{Attempt, Encoded, Unfinished};
use crate::attempt::tool_output::ToolOutput;
use crate::attempt::verify::gate::{Checked, Depth, check};
use crate::cli::config::Verify;

/// How much of its beginning and of its end is decoded of an output that is not decoded whole.
const SAMPLE: Duration = Duration::from_secs(10);

/// An output that passed the check, and that no tool can change any more.
pub struct Verified {
    pub encoded: Encoded,
    pub output: ToolOutput,
    pub checked: Checked,
}

impl Encoded {
    /// Takes the output and checks it. Nothing that the encode started is alive any more.
    ///
    /// # Errors
    /// As [`ToolOutput::take`] and [`check`] say.
    pub async fn verify(self, depth: Depth) -> Result<Verified, Failure> {
        let folder = Arc::clone(&self.probed.prepared.folder);
        let finish = self.probed.arguments.finish.clone();
        let taken = tokio::task::spawn_blocking(move || {
            let output = ToolOutput::take(&folder, OUTPUT)?;
            output.finish(&finish)?;
            Ok(output)
        });
        let output = taken
            .await
            .map_err(|error| Failure::worker(format!("the output cannot be taken: {error}")))
            .flatten()?;
        let checked = check(
            self.probed.inspected(),
            &self.probed.prepared.recipe,
            &self.probed.arguments,
            &output,
            depth,
            &self.finished.complaints,
        )
        .await?;
        Ok(Verified {
            encoded: self,
            output,
            checked,
        })
    }
}

impl Attempt<'_> {
    pub(super) async fn verify(&self, encoded: Encoded) -> Result<Verified, Unfinished> {
        self.report(Stage::Verifying, None).await;
        let depth = match self.executor.verify {
            Verify::Full => Depth::Full,
            Verify::Sample => Depth::Sample(SAMPLE),
        };
        Ok(encoded.verify(depth).await?)
    }
}
