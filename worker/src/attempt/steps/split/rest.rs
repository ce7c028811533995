//! The rest: all tracks but the film, encoded or copied once for the whole file, so that nothing of them has a seam.

use common::job::failure::Failure;
use common::job::run::Stage;
use common::job::run::report::Report;
use common::job::split::Plan;

use crate::attempt::steps::{Attempt, Encoded, Unfinished, Verified, traced};
use crate::attempt::verify::output::{blame_output, decode};
use crate::cli::config::Verify;
use crate::ffmpeg::build::Build;
use crate::ffmpeg::probe::media::{Stream, StreamKind};
use crate::ffmpeg::probe::probe;
use crate::ffmpeg::split::places;
use crate::ffmpeg::{Source, arguments};

impl Attempt<'_> {
    /// The steps of the rest.
    pub(super) async fn rest_job(&mut self, plan: &Plan) -> Result<Report, Unfinished> {
        let mut prepared = self.read_for(plan).await?;
        let whole = self.content(plan, &mut prepared).await?;
        self.excerpt(&mut prepared, &whole, async |runner, outline| {
            places::of_rest(runner, outline, &whole).await.map(Some)
        })
        .await?;
        prepared.seen = Some(whole);
        let mut probed = self.arrange_read(plan, prepared).await?;
        let build = Build::of(&self.executor.card.borrow());
        let whole = probed.whole_job(plan, &build);
        let rest = arguments::rest(&whole, &probed.prepared.output_path())?;
        let rest = rest.ok_or_else(|| Failure::input("the source has no track but the film"))?;
        probed.arguments = rest;
        probed.files.clear();
        probed.encoder = None;
        let encoded = traced("encode", self.encode(probed)).await?;
        self.report(Stage::Verifying, None).await;
        let is_full = self.executor.verify == Verify::Full;
        let checked = async { Ok(encoded.verify_rest(is_full).await?) };
        let verified = traced("check", checked).await?;
        traced("publish", self.publish(verified)).await
    }
}

impl Encoded {
    /// Takes the piece. All of it is decoded if `is_full`; its tracks are compared with the source's once it is joined.
    async fn verify_rest(self, is_full: bool) -> Result<Verified, Failure> {
        let output = self.probed.prepared.take_piece().await?;
        let runner = &self.probed.prepared.runner.reading(output.path());
        let piece = Source::File(output.path().to_owned());
        let media = probe(runner, &piece).await.map_err(blame_output)?;
        let is_sound = |stream: &Stream| stream.kind == StreamKind::Audio;
        // Attachments and covers have nothing to decode.
        if is_full && media.streams.iter().any(is_sound) {
            decode(runner, &piece, &["0:a".to_owned()], &[]).await?;
        }
        Ok(self.verified(output, 0))
    }
}
