//! Keeping: the rules of the job say that the original is the better result. Nothing that was made is published; if
//! the rules ask for it, a copy of the original appears beside the place of the output.
//!
//! The copy appears as an output does: staged under a hidden name, fenced, and never over another file. An attempt
//! that takes the job over finds the copy by the fence.

use std::io;

use common::job::failure::Failure;
use common::job::input::Input;
use common::job::run::Stage;
use common::job::run::fence::Fence;
use common::job::run::kept::{KeptReason, KeptReport};
use common::names::digest::Digest;
use common::names::location::Location;
use common::rules::Original;
use common::store::roots::Roots;
use common::store::{StoreError, Stores};
use tokio::time::Instant;

use crate::attempt::input;
use crate::attempt::publish::attributes::Attributes;
use crate::attempt::publish::{sidecars, staged_file};
use crate::attempt::rules::OutputLimit;
use crate::attempt::scratch::AttemptFolder;
use crate::attempt::steps::{Attempt, Prepared, Probed, Unfinished, Verified};
use crate::attempt::tool_output::ToolOutput;
use crate::ffmpeg::probe;
use crate::ffmpeg::probe::media::Media;
use crate::work::reach::Need;

/// The name of a copy of the original while it is made.
const COPY: &str = "original";

impl Attempt<'_> {
    /// Ends the steps if the condition of the rules holds for the input.
    pub(super) async fn keep_by_rule(
        &self,
        mut prepared: Prepared,
    ) -> Result<Prepared, Unfinished> {
        let Some(condition) = &self.job.rules.skip_if else {
            return Ok(prepared);
        };
        let whole = probe::probe(&prepared.runner, &prepared.source).await?;
        let stores = &self.executor.stores;
        let file = stores.stored_file(&self.job.input.location).await;
        let facts = whole.facts(file.map_err(input::failure)?);
        if condition.holds(&facts, self.executor.broker.now()) {
            let condition = condition.to_string();
            return Err(self.kept(KeptReason::Rule { condition }, &whole));
        }
        prepared.seen = Some(whole);
        Ok(prepared)
    }

    /// The limit of the output's size, if the rules set one.
    pub(super) fn limit(&self) -> Option<OutputLimit> {
        let asked = self.job.rules.min_saving?;
        Some(OutputLimit::new(asked, self.job.bytes()))
    }

    /// The end of an encode that was stopped, because its output would have been too large.
    pub(super) fn stopped_early(&self, probed: &Probed, would_be: u64) -> Unfinished {
        match self.limit() {
            Some(OutputLimit { asked, .. }) => {
                self.kept(KeptReason::Early { asked, would_be }, &probed.whole)
            }
            None => Failure::worker("the encode was stopped without a limit").into(),
        }
    }

    /// Ends the steps if the output is larger than the rules allow.
    pub(super) fn keep_if_larger(&self, verified: &Verified) -> Result<(), Unfinished> {
        let would_be = verified.checked.size;
        match self.limit() {
            Some(OutputLimit { asked, most }) if would_be > most => {
                let whole = &verified.encoded.probed.whole;
                Err(self.kept(KeptReason::Saving { asked, would_be }, whole))
            }
            _ => Ok(()),
        }
    }

    fn kept(&self, why: KeptReason, whole: &Media) -> Unfinished {
        Unfinished::Kept(Box::new(KeptReport {
            worker: self.executor.name.clone(),
            why,
            input_size: self.job.bytes(),
            input_media: Some(whole.info()),
            seconds: self.started.elapsed().as_secs_f64(),
            copy: None,
            sidecars: Vec::new(),
        }))
    }

    /// Does what the rules say about the original. Returns how the attempt ends.
    pub(super) async fn keep(&mut self, report: KeptReport) -> Unfinished {
        // Where the copy would be, the original is already.
        let source = &self.job.input.location;
        let is_there =
            self.job.replaces_in_place() || Original::copy_of(source, &self.job.output) == *source;
        let is_left = self.job.rules.original == Original::Leave || is_there;
        if is_left || report.copy.is_some() {
            return Unfinished::Kept(Box::new(report));
        }
        match self.copy_original(report).await {
            Ok(report) => Unfinished::Kept(Box::new(report)),
            Err(unfinished) => unfinished,
        }
    }

    /// Makes a copy of the original appear beside the place of the output.
    async fn copy_original(&mut self, report: KeptReport) -> Result<KeptReport, Unfinished> {
        self.report(Stage::Publishing, Some(0.0)).await;
        let input = self.job.input.clone();
        let to = Original::copy_of(&input.location, &self.job.output);
        let folder = self.executor.scratch.attempt(&self.job.id, self.number);
        let folder = folder
            .map_err(|error| Failure::worker(format!("no scratch folder can be made: {error}")))?;
        let stores = &self.executor.stores;
        let (copied, digest) = loop {
            let since = Instant::now();
            let copied = tokio::select! {
                copied = bring_whole(stores, &input, &folder) => copied,
                () = self.stop.cancelled() => {
                    return Err(Failure::passing("broken off while copying the original").into());
                }
            };
            match copied {
                Ok(copied) => break copied,
                // A short outage must not cost an encode.
                Err(failure) => {
                    self.is_unchanged(&input).await?;
                    self.outlast(Need::read(&input.location), since, failure)
                        .await?;
                }
            }
        };
        self.is_unchanged(&input).await?;
        if let Some(attributes) = Attributes::at(stores, &input.location).await {
            attributes.give(copied.file());
        }
        if self.number > 1 {
            staged_file::remove_leftovers(stores, &to, &self.job.id).await;
        }
        let staged = self.stage(&copied, &to).await?;
        let sidecars = self.sidecars(&to).await?.unwrap_or_else(|many| {
            tracing::warn!("{many}");
            Vec::new()
        });
        let report = KeptReport {
            sidecars,
            seconds: self.started.elapsed().as_secs_f64(),
            copy: Some(to),
            ..report
        };
        let fence = Fence {
            by: staged.publish_method(),
            size: copied.size(),
            digest,
            companions: Vec::new(),
            is_settled: false,
            report: None,
            kept: Some(Box::new(report.clone())),
        };
        self.commit(staged, Vec::new(), &fence).await?;
        let stores = &self.executor.stores;
        Ok(sidecars::carry_with_copy(stores, &self.job, report).await?)
    }
}

/// Copies the original into scratch, and reads it again to compare.
async fn bring_whole(
    stores: &Stores,
    input: &Input,
    folder: &AttemptFolder,
) -> Result<(ToolOutput, Digest), Failure> {
    let copied = bring(stores, input, folder).await?;
    let digest = copied.digest().await?;
    let read = stores.digest(&input.location).await;
    if read.map_err(input::failure)? != digest {
        return Err(Failure::worker(
            "the copy of the original is not the same as the original",
        ));
    }
    Ok((copied, digest))
}

/// Copies the original into scratch.
async fn bring(
    stores: &Stores,
    input: &Input,
    folder: &AttemptFolder,
) -> Result<ToolOutput, Failure> {
    let location = &input.location;
    let to = folder.work_path().join(COPY);
    if location.is_remote() {
        let copied = stores.download(location, &to, &|_| {}).await;
        copied.map_err(input::failure)?;
    } else {
        let copy = move |roots: &Roots, at: &Location| {
            let mut found = roots.file(at)?;
            let copied = std::fs::File::create(&to)
                .and_then(|mut file| io::copy(&mut found.file, &mut file));
            copied.map(drop).map_err(|source| StoreError::Local {
                what: format!("copying {at}"),
                source,
            })
        };
        stores
            .on_disk(location, copy)
            .await
            .map_err(input::failure)?;
    }
    let copied = ToolOutput::take(folder, COPY)?;
    match copied.size() == input.size {
        true => Ok(copied),
        false => Err(Failure::input(format!(
            "the input {location} has changed while it was copied: enqueue it again"
        ))),
    }
}
