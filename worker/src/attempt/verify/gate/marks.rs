//! Whether each track of sound or subtitles is the one that was asked for, by its language and its marks.

use common::job::failure::Failure;

use crate::attempt::verify::gate::Gate;
use crate::attempt::verify::output::mismatch;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::{Track, dispositions, language};

/// The marks by which players choose a track of sound.
const OF_SOUND: &[&str] = &["default", "comment"];
/// The same for subtitles.
const OF_SUBTITLES: &[&str] = &["default", "forced", "hearing_impaired"];

impl Gate<'_> {
    /// Compares the languages and marks of sound and subtitles.
    pub(super) fn compare_marks(&self, made: &Media) -> Result<(), Failure> {
        for kind in [StreamKind::Audio, StreamKind::Subtitle] {
            for (track, made) in self.pairs(kind, made) {
                let wrong = self.wrong_language(track, made);
                let wrong = wrong.or_else(|| self.wrong_mark(track, made));
                if let Some((what, is, wanted)) = wrong {
                    return Err(mismatch(format!(
                        "{what} of the output's {kind} track {} is {is} where {wanted} was asked for",
                        made.index
                    )));
                }
            }
        }
        Ok(())
    }

    /// The tracks of a kind as asked for, each with its counterpart in the output.
    pub(super) fn pairs<'a>(
        &'a self,
        kind: StreamKind,
        made: &'a Media,
    ) -> impl Iterator<Item = (&'a Track, &'a Stream)> {
        let tracks = self.input.tracks.iter();
        let tracks = tracks.filter(move |track| track.source.kind == kind);
        let made = made.streams.iter();
        tracks.zip(made.filter(move |stream| stream.kind == kind))
    }

    /// The language in the output, and the one that was asked for.
    fn wrong_language(
        &self,
        track: &Track,
        made: &Stream,
    ) -> Option<(&'static str, String, String)> {
        let container = self.recipe.container;
        // Containers leave out what is no code of ISO 639, and regions.
        let wanted = language::tag(&track.source).filter(|wanted| language::is_code(wanted))?;
        if !container.is_matroska() && !container.is_mp4() {
            return None;
        }
        let is = language::tag(made);
        let is_right = is.is_some_and(|is| language::matches(primary(wanted), primary(is)));
        let is = is.unwrap_or("none").to_owned();
        (!is_right).then(|| ("language", is, wanted.to_owned()))
    }

    /// The mark in the output, and the one that was asked for.
    fn wrong_mark(&self, track: &Track, made: &Stream) -> Option<(&'static str, String, String)> {
        let kind = track.source.kind;
        let is_sound = kind == StreamKind::Audio;
        // Without a choice of tracks, mp4 and mov may make the first track of sound default.
        let is_exact = !is_sound || self.recipe.audio_tracks.has_choice();
        for mark in if is_sound { OF_SOUND } else { OF_SUBTITLES } {
            let is_wanted = track.dispositions.contains(*mark);
            let is = made.dispositions.contains(*mark);
            let is_held = dispositions::holds(self.recipe.container, kind, mark);
            if is_held && is != is_wanted && (is_exact || is_wanted) {
                let word = |is: bool| {
                    if is {
                        (*mark).to_owned()
                    } else {
                        format!("not {mark}")
                    }
                };
                return Some(("mark", word(is), word(is_wanted)));
            }
        }
        None
    }
}

/// The language of a tag, without script and region.
fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}
