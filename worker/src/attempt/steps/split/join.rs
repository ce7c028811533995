//! Joining: the pieces become the output, without encoding anything again. The gate then compares the whole with the
//! source, as it does with every output.

use std::ffi::OsString;
use std::time::Duration;

use common::job::failure::{Doubt, Failure};
use common::job::part::Part;
use common::job::run::report::Report;
use common::job::run::{Run, Stage};
use common::job::split::{PartReport, Plan, SplitReport};
use common::names::location::Location;
use common::store::roots::Roots;

use crate::attempt::executor::Executor;
use crate::attempt::input::failure;
use crate::attempt::steps::split::worked::worked;
use crate::attempt::steps::verify::SAMPLE;
use crate::attempt::steps::{Attempt, Encoded, Prepared, Probed, Unfinished, Verified, traced};
use crate::attempt::tool_output::ToolOutput;
use crate::attempt::verify::gate::Depth;
use crate::cli::config::Verify;
use crate::ffmpeg::arguments::{Pieces, Whole, list_of_pieces, reading_of_pieces};
use crate::ffmpeg::build::Build;
use crate::ffmpeg::split::order::{difference, times};
use crate::ffmpeg::{Source, arguments};

/// How much of the beginning and of the end of a joined output is decoded, though each piece was decoded when it was made.
const AGAIN: Duration = Duration::from_secs(2);
/// The name of the list of chunks.
const LIST: &str = "chunks.ffconcat";

/// A piece as its run has published it.
pub(super) struct Piece<'a> {
    pub(super) location: Location,
    pub(super) size: u64,
    pub(super) run: &'a Run,
    pub(super) report: &'a Report,
}

/// The piece of a part, made by the part itself or by its twin.
pub(super) fn piece<'a>(plan: &Plan, part: Part, runs: &'a [Run]) -> Option<Piece<'a>> {
    let twin = part.chunk().map(Part::Twin);
    let completed = |part: Part| {
        let run = runs.iter().find(|run| run.job.id.part() == part)?;
        let report = run.report()?;
        Some(Piece {
            location: plan.piece(part),
            size: report.output_size,
            run,
            report,
        })
    };
    completed(part).or_else(|| completed(twin?))
}

impl Attempt<'_> {
    /// The steps of the join: all pieces are there.
    pub(super) async fn join_pieces(
        &mut self,
        plan: &Plan,
        runs: &[Run],
    ) -> Result<Report, Unfinished> {
        self.began(worked(plan, runs));
        let joined = traced("join", self.joined(plan, runs)).await;
        let verified = joined.map_err(Unfinished::of_split)?.measured().await?;
        self.keep_if_larger(&verified)?;
        let verified = self.add_companions(verified).await?;
        traced("publish", self.publish(verified)).await
    }

    /// Makes the output, and checks that it is whole.
    async fn joined(&mut self, plan: &Plan, runs: &[Run]) -> Result<Verified, Unfinished> {
        let (probed, pieces) = Box::pin(self.arrange_join(plan, runs)).await?;
        self.companions_have_room(probed.suffixes()).await?;
        let encoded = Box::pin(self.encode(probed)).await?;
        self.report(Stage::Verifying, None).await;
        let output = encoded.take().await?;
        let frames = encoded.keeps_order(&output, pieces).await?;
        let sample = match self.executor.verify {
            Verify::Full => AGAIN,
            Verify::Sample => SAMPLE,
        };
        let depth = Depth::Counted(sample, frames);
        Ok(Box::pin(encoded.check(output, depth)).await?)
    }

    /// Counts what was worked on the job before this attempt.
    fn began(&mut self, before: Duration) {
        if let Some(started) = self.started.checked_sub(before) {
            self.started = started;
        }
    }

    /// Makes the command line. Returns also the arguments that open the pieces of the film.
    async fn arrange_join(
        &self,
        plan: &Plan,
        runs: &[Run],
    ) -> Result<(Probed, Vec<OsString>), Unfinished> {
        let mut probed = self.arrange_whole(plan).await?;
        self.outlined(&mut probed.prepared).await?;
        let build = Build::of(&self.executor.card.borrow());
        let pieces: Option<Vec<(Part, Piece<'_>)>> = plan
            .parts()
            .map(|part| Some((part, piece(plan, part, runs)?)))
            .collect();
        let pieces =
            pieces.ok_or_else(|| Failure::passing("a piece is gone that was there before"))?;
        let mut chunks = Vec::new();
        let mut rest = None;
        for (part, piece) in &pieces {
            let source = open(self.executor, &piece.location).await?;
            probed.prepared.may_read(&source);
            match part {
                Part::Rest => rest = Some(source),
                _ => chunks.push(source),
            }
        }
        let unit = plan.film.time_base;
        let list = list_of_pieces(&chunks, &plan.chunks, unit)?;
        let joined = Pieces {
            chunks: &plan.chunks,
            time_base: unit,
            list: &probed.prepared.folder.work_path().join(LIST),
            is_remote: chunks.iter().any(Source::is_remote),
            rest: rest.as_ref(),
            stated: &plan.film.stated,
        };
        let reading = reading_of_pieces(&joined);
        let outline = probed.prepared.outline.as_ref();
        let whole = Whole {
            // Titles of chapters may lie where the outline has zeros.
            source: outline
                .filter(|_| probed.media.chapters.is_empty())
                .unwrap_or(&probed.prepared.source),
            ..probed.whole_job(plan, &build)
        };
        let arguments = arguments::join(&whole, &joined, &probed.prepared.output_path())?;
        // What the whole was arranged for is at hand: covers, and files beside the output.
        probed.arguments.list = arguments.list;
        probed.arguments.finish = arguments.finish;
        probed.prepared.folder.put(LIST, list).await?;
        probed.knows_frames(plan);
        let parts = pieces.iter().map(|(part, piece)| PartReport {
            part: *part,
            worker: piece.report.worker.clone(),
            attempt: piece.run.tries(),
            frames: piece.report.frames,
            encode_seconds: piece.report.encode_seconds,
            size: piece.size,
        });
        probed.split = Some(SplitReport::Parts(parts.collect()));
        Ok((probed, reading))
    }
}

impl Encoded {
    /// Makes sure that the joined film is that of its pieces. Returns the number of its frames: encoders write one packet
    /// for each.
    ///
    /// # Errors
    /// A failure in doubt if it is another one.
    async fn keeps_order(
        &self,
        output: &ToolOutput,
        pieces: Vec<OsString>,
    ) -> Result<u64, Failure> {
        let prepared = &self.probed.prepared;
        let list = prepared.folder.work_path().join(LIST);
        let runner = prepared.runner.reading(output.path()).reading(&list);
        let joined = Source::File(output.path().to_owned()).arguments();
        let (pieces, joined) = tokio::try_join!(times(&runner, pieces), times(&runner, joined))?;
        match difference(&pieces, &joined) {
            None => Ok(joined.len() as u64),
            Some(why) => Err(Failure::in_doubt(Doubt::Repetition, why)),
        }
    }
}

/// Makes a piece readable for ffmpeg.
async fn open(executor: &Executor, piece: &Location) -> Result<Source, Failure> {
    if piece.is_remote() {
        return Ok(Source::Url(executor.inputs.serve(piece)));
    }
    let path = |roots: &Roots, at: &Location| roots.file(at).map(|found| found.path);
    let path = executor.stores.on_disk(piece, path).await;
    path.map(Source::File).map_err(failure)
}

impl Prepared {
    /// Lets ffmpeg read a further source.
    fn may_read(&mut self, source: &Source) {
        match source {
            Source::File(path) | Source::Outline(path) => self.runner = self.runner.reading(path),
            Source::Url(address) => self.runner.sandbox.connects.push(address.clone()),
        }
    }
}

impl Probed {
    /// Notes the number of the film's frames: the plan has counted them, so nobody reads the source again for it.
    fn knows_frames(&mut self, plan: &Plan) {
        let frames = Some(plan.frames());
        let tracks = self
            .arguments
            .tracks
            .iter_mut()
            .map(|track| &mut track.source);
        let streams = self.media.streams.iter_mut().chain(tracks);
        for stream in streams.filter(|stream| stream.index == plan.film.stream && stream.is_film())
        {
            stream.frames = frames;
        }
    }
}
