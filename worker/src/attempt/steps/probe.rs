//! Probing: finds out what the input holds, looks at it as far as the recipe asks, and makes the command line for the output.

use std::sync::Arc;
use std::time::Duration;

use common::farm::card::Proof;
use common::job::companion::Suffix;
use common::job::failure::Failure;
use common::job::further::FurtherRole;
use common::job::run::quality::FoundQuality;
use common::job::split::SplitReport;
use common::recipe::encoder::Encoder;

use crate::attempt::changes;
use crate::attempt::companions::{Made, extract};
use crate::attempt::executor::choose;
use crate::attempt::recipe_files;
use crate::attempt::steps::{Attempt, Prepared, Unfinished};
use crate::attempt::survey::survey;
use crate::attempt::verify::damage::Inspected;
use crate::ffmpeg::arguments::Arguments;
use crate::ffmpeg::build::Build;
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::tracks::extras;
use crate::ffmpeg::tracks::subtitles::burn_in;
use crate::ffmpeg::{arguments, probe};

/// How long a run over a film may take, and how long besides for each of its seconds: ten times longer than the slowest
/// encoders need.
const LONGEST: (Duration, f64) = (Duration::from_secs(3600), 1000.0);

/// How long a run may take over a film of this many seconds.
fn longest(seconds: f64) -> Option<Duration> {
    let of_film = Duration::try_from_secs_f64(seconds * LONGEST.1).ok()?;
    LONGEST.0.checked_add(of_film)
}

/// An input whose content is known, with the command line for its output.
pub struct Probed {
    pub prepared: Prepared,
    /// The encoder for the video; `None` if the video is copied.
    pub encoder: Option<Encoder>,
    /// What the whole input holds.
    pub whole: Media,
    /// What the part of the input holds that becomes the output.
    pub media: Media,
    pub findings: Findings,
    pub arguments: Arguments,
    /// The subtitle files to publish beside the output.
    pub files: Vec<Made>,
    /// The result of the search for a target.
    pub found: Option<FoundQuality>,
    /// Whether the output is made in parts, and if not, why.
    pub split: Option<SplitReport>,
}

impl Prepared {
    /// Probes and surveys the input, and makes the command line. `with` is the encoder for the video and its proof.
    ///
    /// # Errors
    /// The input's fault if it is no media, if the recipe cannot work on it, if it ends before the end that it
    /// states, or if the output would lose what the recipe forbids to lose.
    pub async fn probe(
        mut self,
        with: Option<(&Encoder, &Proof)>,
        build: &Build,
    ) -> Result<Probed, Failure> {
        let seen = self.look().await?;
        let probed = self.arrange(seen, with, build).await?;
        let inspected = Inspected {
            media: &probed.whole,
            part: None,
            ..probed.inspected()
        };
        inspected.is_whole().await?;
        Ok(probed)
    }

    /// Probes and surveys the input.
    ///
    /// # Errors
    /// The input's fault if it is no media.
    pub(super) async fn look(&mut self) -> Result<(Media, Findings), Failure> {
        let whole = self.content().await?;
        let findings = survey(&self.recipe, &whole, &self.runner, &self.source, None).await?;
        Ok((whole, findings))
    }

    /// Probes the input, unless that was done before.
    ///
    /// # Errors
    /// The input's fault if it is no media.
    pub(super) async fn content(&mut self) -> Result<Media, Failure> {
        let media = match self.seen.take() {
            Some(seen) => seen,
            None => probe::probe(&self.runner, &self.source).await?,
        };
        if let Some(longest) = media.duration.and_then(longest) {
            let limit = &mut self.runner.limits.longest;
            *limit = Some(limit.unwrap_or(longest).min(longest));
        }
        Ok(media)
    }

    /// Makes the command line, and brings the files that it needs.
    ///
    /// # Errors
    /// The input's fault if the recipe cannot work on it, or if the output would lose what the recipe forbids to lose.
    pub(super) async fn arrange(
        mut self,
        (whole, mut findings): (Media, Findings),
        with: Option<(&Encoder, &Proof)>,
        build: &Build,
    ) -> Result<Probed, Failure> {
        let is_read = |role: &FurtherRole| !matches!(role, FurtherRole::Continuation(_));
        if let Some((role, _)) = self.further.iter().find(|(role, _)| !is_read(role)) {
            return Err(Failure::worker(format!(
                "this worker cannot read a further input as {role:?}"
            )));
        }
        let watermark = recipe_files::place(&self.recipe, &self.further, &self.folder).await?;
        findings.watermark = watermark;
        findings.external = self.subtitle_files(&whole).await?;
        let (source, output) = (&self.source, self.output_path());
        let mut media = findings.applied_to(&self.recipe, &whole);
        let arguments = loop {
            let recipe = &self.recipe;
            let mut arguments =
                arguments::encode(recipe, &media, &findings, with, build, source, &output)?;
            arguments.changes.extend(self.lost.iter().cloned());
            let missing = match &arguments.before {
                Some(before) => {
                    extras::bring(&self.writing(), source, before, &arguments.tracks).await?
                }
                None => Vec::new(),
            };
            if missing.is_empty() {
                break arguments;
            }
            media.leave_out(&missing, "ffmpeg cannot read the picture");
        };
        changes::refuse(&self.recipe, &arguments.changes, "it would lose")?;
        self.folder.put_tables(&arguments.tables).await?;
        if let Some(extraction) = &arguments.burn_in {
            let folder = self.folder.work();
            burn_in::bring(&self.writing(), source, folder, extraction).await?;
        }
        let files = match &arguments.files {
            Some(files) => extract(&self.writing(), source, &self.folder, files).await?,
            None => Vec::new(),
        };
        Ok(Probed {
            prepared: self,
            encoder: with.map(|(encoder, _)| encoder.clone()),
            whole,
            media,
            findings,
            arguments,
            files,
            found: None,
            split: None,
        })
    }
}

impl Probed {
    /// The ends of the names of the subtitle files.
    pub(super) fn suffixes(&self) -> Vec<Suffix> {
        let files = self.files.iter();
        files.map(|made| made.suffix.clone()).collect()
    }

    /// The input, and the tracks that the output keeps.
    pub(super) fn inspected(&self) -> Inspected<'_> {
        Inspected {
            runner: &self.prepared.runner,
            source: &self.prepared.source,
            tables: self
                .prepared
                .outline
                .as_ref()
                .unwrap_or(&self.prepared.source),
            media: &self.media,
            tracks: &self.arguments.tracks,
            part: self.findings.part.as_ref(),
        }
    }
}

impl Attempt<'_> {
    pub(super) async fn probe(&self, prepared: Prepared) -> Result<Probed, Unfinished> {
        let card = Arc::clone(&self.executor.card.borrow());
        let with = choose(&card, &prepared.recipe, &self.claim.lane().queue)?;
        Ok(prepared.probe(with, &Build::of(&card)).await?)
    }
}
