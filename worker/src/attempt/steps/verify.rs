//! Verifying: takes the output from the folder where ffmpeg may write, finishes it, and checks it.

use std::sync::Arc;
use std::time::Duration;

use common::job::failure::Failure;
use common::job::ladder::LadderStream;
use common::job::run::Stage;
use common::job::run::quality::{MeasuredQuality, OutputQuality};

use crate::attempt::companions::Made;
use crate::attempt::quality::floor::Pair;
use crate::attempt::steps::read::OUTPUT;
use crate::attempt::steps::{Attempt, Encoded, Probed, Unfinished};
use crate::attempt::tool_output::ToolOutput;
use crate::attempt::verify::gate::{Checked, Depth, check};
use crate::cli::config::Verify;
use crate::ffmpeg::Source;

/// How much of the beginning and of the end of an output is decoded if only a sample is decoded.
pub(super) const SAMPLE: Duration = Duration::from_secs(10);

/// An output that passed the check, and that no tool can change any more.
pub struct Verified {
    pub encoded: Encoded,
    pub output: ToolOutput,
    pub checked: Checked,
    /// The measured quality; `None` if the recipe sets no floor.
    pub measured: Option<OutputQuality>,
    /// The files beside the output.
    pub companions: Vec<Made>,
    /// The streams of a rendition of a ladder.
    pub ladder: Vec<LadderStream>,
}

impl Verified {
    /// The output with its quality measured, if the recipe sets a floor.
    ///
    /// # Errors
    /// The input's fault if the output does not reach the floor; the failure of ffmpeg.
    pub(super) async fn measured(mut self) -> Result<Self, Failure> {
        let probed = &self.encoded.probed;
        self.measured = probed.measure(&self.output, &self.checked).await?;
        Ok(self)
    }

    /// What is known about the quality; `None` if the recipe asks for no measurement.
    pub(super) fn quality(&self) -> Option<MeasuredQuality> {
        let quality = MeasuredQuality {
            found: self.encoded.probed.found.clone(),
            output: self.measured,
        };
        (quality != MeasuredQuality::default()).then_some(quality)
    }
}

impl Encoded {
    /// Takes the output, checks it, and measures it if the recipe sets a floor. All processes of the encode have ended by
    /// now.
    ///
    /// # Errors
    /// Those of [`Self::take`], [`Self::check`] and [`Verified::measured`].
    pub async fn verify(self, depth: Depth) -> Result<Verified, Failure> {
        let output = self.take().await?;
        self.check(output, depth).await?.measured().await
    }

    /// Takes the output out of the reach of tools, and finishes it.
    ///
    /// # Errors
    /// Those of [`ToolOutput::take`] and [`ToolOutput::finish`].
    pub(super) async fn take(&self) -> Result<ToolOutput, Failure> {
        let folder = Arc::clone(&self.probed.prepared.folder);
        let finish = self.probed.arguments.finish.clone();
        let taken = tokio::task::spawn_blocking(move || {
            let output = ToolOutput::take(&folder, OUTPUT)?;
            output.finish(&finish)?;
            Ok(output)
        });
        taken
            .await
            .map_err(|error| Failure::worker(format!("the output cannot be taken: {error}")))
            .flatten()
    }

    /// Checks the output.
    ///
    /// # Errors
    /// Those of [`check`].
    pub(super) async fn check(
        mut self,
        output: ToolOutput,
        depth: Depth,
    ) -> Result<Verified, Failure> {
        let checked = check(
            self.probed.inspected(),
            &self.probed.prepared.recipe,
            &self.probed.arguments,
            &output,
            depth,
            &self.finished.complaints,
        )
        .await?;
        let companions = std::mem::take(&mut self.probed.files);
        Ok(Verified {
            encoded: self,
            output,
            checked,
            measured: None,
            companions,
            ladder: Vec::new(),
        })
    }
}

impl Probed {
    /// Measures the output if the recipe sets a floor.
    ///
    /// # Errors
    /// The input's fault if the output does not reach the floor; the failure of ffmpeg.
    async fn measure(
        &self,
        output: &ToolOutput,
        checked: &Checked,
    ) -> Result<Option<OutputQuality>, Failure> {
        let recipe = &self.prepared.recipe;
        let Some(floor) = recipe.video_encode().and_then(|video| video.floor) else {
            return Ok(None);
        };
        let mut sources = self.arguments.tracks.iter().map(|track| &track.source);
        let (Some(source), Some(made)) = (
            sources.find(|track| track.is_film()),
            checked.media.films().next(),
        ) else {
            return Err(Failure::input("the output holds no video to measure"));
        };
        // The filters may read files in the folder where the encode ran.
        let runner = self.prepared.writing().reading(output.path());
        let pair = Pair {
            runner: &runner,
            source: (&self.prepared.source, &self.media, source),
            output: (
                &Source::File(output.path().to_owned()),
                &checked.media,
                made,
            ),
            filters: &self.arguments.filters,
            skipped: recipe.trim.map_or(0.0, |trim| trim.from),
        };
        pair.reaches(floor).await.map(Some)
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
