//! Whether an input is damaged: what of it is missing or cannot be decoded, and
//! whether what is left is worth an output.
//!
//! A file that breaks off before the end that its container states is refused,
//! and so is one of which less than half can be decoded, or whose end cannot.
//! Damage anywhere else is told, unless the recipe is strict. Recordings of
//! broadcasts state no length: they are cut anywhere, and begin anywhere.

mod end;
mod judge;
mod places;

use common::job::changes::Change;
use common::job::failure::{Failure, Fault};

use crate::ffmpeg::Source;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::probe::survey::{Depth, Survey, survey};
use crate::ffmpeg::probe::whole;
use crate::ffmpeg::run::complaints::Complaints;
use crate::ffmpeg::run::runner::{Finished, Runner};
use crate::ffmpeg::tracks::Track;

/// An input, and what of it is wanted.
#[derive(Clone, Copy)]
pub struct Inspected<'a> {
    /// What reads it.
    pub runner: &'a Runner,
    /// Where it is.
    pub source: &'a Source,
    /// What it says it holds.
    pub media: &'a Media,
    /// The tracks of the output.
    pub tracks: &'a [Track],
}

/// A damaged input's fault.
fn damaged(what: impl std::fmt::Display) -> Failure {
    Failure::input(format!("source is damaged: {what}"))
}

impl Inspected<'_> {
    /// Makes sure that a file on this machine holds what its container says, where a look at its
    /// headers raises a doubt.
    ///
    /// # Errors
    /// The input's fault where it breaks off.
    pub async fn is_whole(self) -> Result<(), Failure> {
        let Source::File(path) = self.source else {
            return Ok(());
        };
        let path = path.clone();
        let breaks_off = tokio::task::spawn_blocking(move || whole::breaks_off(&path)).await;
        // What cannot be read is ffmpeg's to complain of.
        if matches!(breaks_off, Ok(Ok(true))) {
            let survey = survey(self.runner, self.source, Depth::Packets).await?;
            self.ends_as_stated(&survey)?;
        }
        Ok(())
    }

    /// Passes on how an encode went, unless the input holds no frame: ffmpeg ends well or badly then,
    /// by its version.
    ///
    /// # Errors
    /// As the encode's; the input's fault where the films hold no frame.
    pub async fn came_to_something(
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

    /// Makes sure that there is a frame to be had.
    ///
    /// # Errors
    /// The input's fault where the films hold none.
    pub async fn holds_frames(self) -> Result<(), Failure> {
        let survey = survey(self.runner, self.source, Depth::Packets).await?;
        let mut films = self.kept().filter(|stream| stream.is_film()).peekable();
        let is_empty = |film: &Stream| !survey.streams.contains_key(&film.index);
        if films.peek().is_some() && films.all(is_empty) {
            return Err(Failure::input(
                "the input holds no frame: its headers announce a video track, and nothing of it follows",
            ));
        }
        Ok(())
    }

    /// Seconds from the first packet of what is kept to the end of the last one; `None` where there
    /// are none.
    ///
    /// # Errors
    /// Where the input cannot be read to its end.
    pub async fn length(self) -> Result<Option<f64>, Failure> {
        let survey = survey(self.runner, self.source, Depth::Packets).await?;
        Ok(self.read(&survey))
    }

    /// Finds out what ffmpeg complained of, and what that means for the output.
    ///
    /// # Errors
    /// The input's fault where too much of it is lost.
    pub async fn explain(self, complaints: &Complaints) -> Result<Vec<Change>, Failure> {
        let survey = survey(self.runner, self.source, Depth::Frames).await?;
        self.judge(&survey, complaints.breaks_off())
            .map_err(|failure| failure.with_log(complaints.words().to_vec()))
    }

    /// The length of what is kept, as its packets say it.
    fn read(self, survey: &Survey) -> Option<f64> {
        let kept = self
            .kept()
            .filter_map(|stream| survey.streams.get(&stream.index));
        let (start, end) = kept.fold((f64::INFINITY, f64::NEG_INFINITY), |(start, end), found| {
            (start.min(found.start), end.max(found.end))
        });
        (end > start).then_some(end - start)
    }

    /// Whether it is of a kind that is cut out of a broadcast, and states no length.
    fn is_recording(self) -> bool {
        is_recording(self.media)
    }

    /// What is kept of its films and sound.
    fn kept(&self) -> impl Iterator<Item = &Stream> {
        let is_timed = |stream: &&Stream| stream.is_film() || stream.kind == StreamKind::Audio;
        self.tracks
            .iter()
            .map(|track| &track.source)
            .filter(is_timed)
    }

    /// Whether a stream is one of these, or a subtitle track that is kept.
    fn is_kept(&self, stream: &Stream) -> bool {
        let is_picture = stream.kind == StreamKind::Video && !stream.is_film();
        let mut tracks = self.tracks.iter();
        !is_picture && tracks.any(|track| track.source.index == stream.index)
    }
}

/// Whether a file is of a kind that is cut out of a broadcast: its clocks jump, and what is known of
/// its length is a guess.
pub fn is_recording(media: &Media) -> bool {
    matches!(media.format.as_str(), "mpegts" | "mpeg")
}

/// The input's fault where a recipe takes no damaged input.
pub fn refusal(damage: &[Change]) -> Option<Failure> {
    let first = damage.first()?;
    let why = first.why.as_deref().unwrap_or_default();
    Some(damaged(format!(
        "{} ({why}); leave out --strict-input to have the rest encoded",
        first.from
    )))
}
