//! A chunk: encodes a range of the film's frames to a piece, and checks that the piece can be joined with the others.

use std::sync::Arc;

use common::farm::card::Capabilities;
use common::job::failure::{Doubt, Failure};
use common::job::part::Part;
use common::job::run::Stage;
use common::job::run::report::Report;
use common::job::split::{Chunk, Fits, PieceReport, Plan, SplitReport};
use common::recipe::encoder::{Encoder, EncoderKind};

use crate::attempt::recipe_files;
use crate::attempt::steps::read::OUTPUT;
use crate::attempt::steps::{Attempt, Encoded, Prepared, Probed, Unfinished, Verified, traced};
use crate::attempt::tool_output::ToolOutput;
use crate::attempt::verify::gate::Checked;
use crate::attempt::verify::output::{blame_output, decode, mismatch};
use crate::cli::config::Verify;
use crate::ffmpeg::arguments::Whole;
use crate::ffmpeg::build::Build;
use crate::ffmpeg::findings::Findings;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::split::header::header;
use crate::ffmpeg::split::places;
use crate::ffmpeg::{Source, arguments};

impl Attempt<'_> {
    /// The steps of a chunk.
    pub(super) async fn chunk_job(
        &mut self,
        plan: &Plan,
        part: Part,
        build: &str,
    ) -> Result<Report, Unfinished> {
        let chunk = plan.chunk(part).ok_or_else(|| {
            let chunks = plan.chunks.len();
            Failure::input(format!("there is no {part}: the plan has {chunks} chunks"))
        })?;
        let probed = self.arrange_chunk(plan, chunk).await?;
        let encoded = traced("encode", self.encode(probed)).await?;
        self.report(Stage::Verifying, None).await;
        let is_full = self.executor.verify == Verify::Full;
        let checked = async { Ok(encoded.verify_chunk(chunk, is_full).await?) };
        let (mut verified, header) = traced("check", checked).await?;
        let made = PieceReport {
            header,
            build: build.to_owned(),
        };
        // So that a piece is not published for nothing. What counts is compared when the chunk is marked as done.
        let broker = &self.executor.broker;
        match broker.compare_header(&self.job.id, &made).await? {
            Fits::Yes => {
                verified.encoded.probed.split = Some(SplitReport::Piece(made));
                traced("publish", self.publish(verified)).await
            }
            Fits::OtherHeader => Err(Unfinished::Unfit),
            Fits::OtherFilm => Err(other_film(&plan.encoder).into()),
        }
    }

    /// Makes the source readable, and the command line of the chunk.
    async fn arrange_chunk(&self, plan: &Plan, chunk: &Chunk) -> Result<Probed, Unfinished> {
        let mut prepared = self.read_for(plan).await?;
        let whole = self.content(plan, &mut prepared).await?;
        let (film, unit) = (plan.film.stream, plan.film.time_base);
        let from = arguments::search_at(&whole, chunk, unit);
        let stretch = (from, seconds(unit, chunk.end));
        self.excerpt(&mut prepared, &whole, async |runner, outline| {
            places::of_chunk(runner, outline, film, chunk, stretch).await
        })
        .await?;
        let card: Arc<Capabilities> = Arc::clone(&self.executor.card.borrow());
        let proof = card.proof(&plan.encoder).ok_or_else(|| {
            Failure::worker(format!("{} is not proved on this worker", plan.encoder))
        })?;
        let recipe = &prepared.recipe;
        let mut findings = Findings::default();
        findings.put_film(plan.film.stream, plan.film.findings);
        findings.watermark =
            recipe_files::place(recipe, &prepared.further, &prepared.folder).await?;
        let mut media = findings.applied_to(recipe, &whole);
        let whole_job = Whole {
            recipe,
            media: &media,
            findings: &findings,
            encoder: Some((&plan.encoder, proof)),
            build: &Build::of(&card),
            source: &prepared.source,
        };
        let arguments = arguments::chunk(&whole_job, chunk, unit, &prepared.output_path())?;
        prepared.folder.put_tables(&arguments.tables).await?;
        // The progress counts from the chunk's beginning to its end.
        media.duration = Some(seconds(unit, chunk.end - chunk.start));
        media.size = None;
        Ok(Probed {
            prepared,
            encoder: Some(plan.encoder.clone()),
            whole,
            media,
            findings,
            arguments,
            files: Vec::new(),
            found: None,
            split: None,
        })
    }
}

/// A time of the film in seconds.
fn seconds((numerator, denominator): (u32, u32), units: i64) -> f64 {
    units as f64 * f64::from(numerator) / f64::from(denominator)
}

impl Encoded {
    /// Takes the piece, and checks that it holds exactly the frames of the chunk, from a keyframe on. All of it is decoded
    /// if `is_full`: later only the ends of the joined output are. Returns also the digest of its header.
    ///
    /// # Errors
    /// A failure in doubt if the piece is another one.
    async fn verify_chunk(
        self,
        chunk: &Chunk,
        is_full: bool,
    ) -> Result<(Verified, String), Failure> {
        let output = self.probed.prepared.take_piece().await?;
        let runner = &self.probed.prepared.runner.reading(output.path());
        let piece = Source::File(output.path().to_owned());
        let decoded = async {
            match is_full {
                true => decode(runner, &piece, &["0:v:0".to_owned()], &[])
                    .await
                    .map(Some),
                false => Ok(None),
            }
        };
        let header = async { header(runner, &piece).await.map_err(blame_output) };
        let (header, decoded) = tokio::try_join!(header, decoded)?;
        for found in [Some(header.frames), decoded].into_iter().flatten() {
            if found != chunk.frames {
                return Err(mismatch(format!(
                    "the piece has {found} frames where the plan has {}",
                    chunk.frames
                )));
            }
        }
        if !header.begins_with_key {
            return Err(mismatch("the piece does not begin with a keyframe"));
        }
        let verified = self.verified(output, chunk.frames);
        Ok((verified, header.digest))
    }

    /// A piece that was checked. What it holds is told of the whole job only.
    pub(super) fn verified(self, output: ToolOutput, frames: u64) -> Verified {
        Verified {
            checked: Checked {
                frames,
                duration: self.probed.media.duration.unwrap_or_default(),
                size: output.size(),
                media: Media::default(),
                changes: Vec::new(),
            },
            encoded: self,
            output,
            measured: None,
            companions: Vec::new(),
            ladder: Vec::new(),
        }
    }
}

impl Prepared {
    /// Takes the piece out of the reach of tools.
    pub(super) async fn take_piece(&self) -> Result<ToolOutput, Failure> {
        let folder = Arc::clone(&self.folder);
        let taken = tokio::task::spawn_blocking(move || ToolOutput::take(&folder, OUTPUT)).await;
        taken
            .map_err(|error| Failure::worker(format!("the piece cannot be taken: {error}")))
            .flatten()
    }
}

/// The failure of a chunk whose header is another one than those that the same build of ffmpeg made of other chunks.
fn other_film(encoder: &Encoder) -> Failure {
    let what = "the piece has another header than those that this ffmpeg made of other chunks";
    match encoder.kind() {
        EncoderKind::Software => Failure::input(what),
        // What a device writes may depend on the device.
        _ => Failure::in_doubt(Doubt::SecondWorker, what),
    }
}
