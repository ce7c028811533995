//! Verifying: takes the output from the folder where ffmpeg may write, finishes it, and checks it.

use std::sync::Arc;
use std::time::Duration;

use common::job::failure::Failure;
use common::job::run::Stage;

use crate::attempt::steps::read::OUTPUT;
use crate::attempt::steps::{Attempt, Encoded, Unfinished};
use crate::attempt::tool_output::ToolOutput;
use crate::attempt::verify::gate::{Checked, Depth, check};
use crate::cli::config::Verify;

/// How much of the beginning and of the end of an output is decoded if only a sample is decoded.
const SAMPLE: Duration = Duration::from_secs(10);

/// An output that passed the check, and that no tool can change any more.
pub struct Verified {
    pub encoded: Encoded,
    pub output: ToolOutput,
    pub checked: Checked,
}

impl Encoded {
    /// Takes the output and checks it. All processes of the encode have ended by now.
    ///
    /// # Errors
    /// Those of [`ToolOutput::take`] and [`check`].
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
