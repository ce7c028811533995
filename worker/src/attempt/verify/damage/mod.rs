//! Whether an input is damaged: which parts are missing or cannot be decoded, and whether enough is left for an
//! output.
//!
//! Three kinds of input are refused: a file that ends before its stated end, a file of which less than half can be
//! decoded, and a file whose end cannot be decoded. Other damage is listed as a change, unless the recipe is strict.
//! Recordings of broadcasts are exempt from the first rule: they state no length, and begin and end anywhere.

mod end;
mod judge;
mod places;

use common::job::changes::Change;
use common::job::failure::{Failure, Fault};

use crate::ffmpeg::Source;
use crate::ffmpeg::part::Part;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::probe::survey::{Depth, Survey, survey};
use crate::ffmpeg::probe::whole;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::run::runner::{Finished, Runner};
use crate::ffmpeg::tracks::Track;

/// An input, and the tracks that the output keeps.
#[derive(Clone, Copy)]
pub struct Inspected<'a> {
    /// Reads the input.
    pub runner: &'a Runner,
    pub source: &'a Source,
    /// Where the places and times of its packets are read: the source, or its outline.
    pub tables: &'a Source,
    /// The content as the headers state it.
    pub media: &'a Media,
    /// The tracks of the output.
    pub tracks: &'a [Track],
    /// The part of the input that becomes the output; `None` for all of it. `media` is that part.
    pub part: Option<&'a Part>,
}

fn damaged(what: impl std::fmt::Display) -> Failure {
    Failure::input(format!("source is damaged: {what}"))
}

impl Inspected<'_> {
    /// Surveys what becomes the output.
    ///
    /// # Errors
    /// If ffprobe cannot read the file to its end.
    pub async fn survey(self, depth: Depth) -> Result<Survey, Failure> {
        let stretch = self.part.map(|part| part.stretch(self.media));
        let source = match depth {
            Depth::Packets => self.tables,
            Depth::Frames => self.source,
        };
        survey(self.runner, source, depth, stretch).await
    }

    /// Makes sure that a local file is as long as its container states. Reads it only if its headers raise a doubt.
    ///
    /// # Errors
    /// The input's fault if it is truncated.
    pub async fn is_whole(self) -> Result<(), Failure> {
        let Source::File(path) = self.source else {
            return Ok(());
        };
        let path = path.clone();
        let breaks_off = tokio::task::spawn_blocking(move || whole::breaks_off(&path)).await;
        // If the file cannot be read, ffmpeg gives the error.
        if matches!(breaks_off, Ok(Ok(true))) {
            let survey = self.survey(Depth::Packets).await?;
            self.ends_as_stated(&survey)?;
        }
        Ok(())
    }

    /// Passes on the result of an encode, unless the input holds no frame. Then it depends on ffmpeg's version
    /// whether the encode succeeds, so the input is blamed here.
    ///
    /// # Errors
    /// The encode's failure. The input's fault if its video tracks hold no frame.
    pub async fn blame_empty_input(
        self,
        encoded: Result<Finished, Failure>,
    ) -> Result<Finished, Failure> {
        let is_doubtful = match &encoded {
            Ok(finished) => finished.progress.frame == 0,
            Err(failure) => failure.doubt.is_some() || failure.fault == Fault::Input,
        };
        if is_doubtful
            && let Err(failure) = self.holds_frames().await
            && failure.fault == Fault::Input
        {
            return Err(failure);
        }
        encoded
    }

    /// Makes sure that the video tracks hold at least one frame.
    ///
    /// # Errors
    /// The input's fault if they hold none.
    pub async fn holds_frames(self) -> Result<(), Failure> {
        if !self.kept().any(Stream::is_film) {
            return Ok(());
        }
        let survey = self.survey(Depth::Packets).await?;
        let mut films = self.kept().filter(|stream| stream.is_film()).peekable();
        let is_empty = |film: &Stream| !survey.streams.contains_key(&film.index);
        if films.peek().is_some() && films.all(is_empty) {
            return Err(Failure::input(
                "the input holds no frame: its headers announce a video track, and nothing of it follows",
            ));
        }
        Ok(())
    }

    /// Seconds from the first packet of the kept tracks to the end of the last one; `None` if there are no packets.
    ///
    /// # Errors
    /// If the input cannot be read to its end.
    pub async fn length(self) -> Result<Option<f64>, Failure> {
        let survey = self.survey(Depth::Packets).await?;
        Ok(self.read(&survey))
    }

    /// Finds out the cause of ffmpeg's complaints, and what the output lacks.
    ///
    /// # Errors
    /// The input's fault if too much is lost.
    pub async fn explain(self, complaints: &Complaints) -> Result<Vec<Change>, Failure> {
        let survey = self.survey(Depth::Frames).await?;
        self.judge(&survey, complaints.breaks_off())
            .map_err(|failure| failure.with_log(complaints.words().to_vec()))
    }

    /// The length of the kept tracks by their packets.
    fn read(self, survey: &Survey) -> Option<f64> {
        let kept = self
            .kept()
            .filter_map(|stream| survey.streams.get(&stream.index));
        let (start, end) = kept.fold((f64::INFINITY, f64::NEG_INFINITY), |(start, end), found| {
            (start.min(found.start), end.max(found.end))
        });
        (end > start).then_some(end - start)
    }

    fn is_recording(self) -> bool {
        is_recording(self.media)
    }

    /// The kept video and audio tracks.
    fn kept(&self) -> impl Iterator<Item = &Stream> {
        let is_timed = |stream: &&Stream| stream.is_film() || stream.kind == StreamKind::Audio;
        self.tracks
            .iter()
            .map(|track| &track.source)
            .filter(is_timed)
    }

    /// Whether a stream is kept and is no single picture.
    fn is_kept(&self, stream: &Stream) -> bool {
        let is_picture = stream.kind == StreamKind::Video && !stream.is_film();
        let mut tracks = self.tracks.iter();
        !is_picture && tracks.any(|track| track.source.index == stream.index)
    }
}

/// Whether a file has a format of broadcast recordings: its timestamps jump, and its length is only an estimate.
pub fn is_recording(media: &Media) -> bool {
    matches!(media.format.as_str(), "mpegts" | "mpeg")
}

/// The failure of a damaged input if the recipe is strict.
pub fn refusal(damage: &[Change]) -> Option<Failure> {
    let first = damage.first()?;
    let why = first.why.as_deref().unwrap_or_default();
    Some(damaged(format!(
        "{} ({why}); leave out --strict-input to have the rest encoded",
        first.from
    )))
}
