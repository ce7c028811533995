//! Whether each audio track of the output is heard when its picture is seen, as in the input.

use std::collections::BTreeMap;

use common::job::failure::Failure;

use crate::attempt::verify::damage::is_recording;
use crate::attempt::verify::gate::Gate;
use crate::attempt::verify::output::{blame_output, mismatch};
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::probe::survey::{Depth, Surveyed, survey};
use crate::ffmpeg::tracks::{Track, TrackMethod};

/// How much earlier or later sound may begin beside the picture, in seconds: encoders add up to a tenth of a second
/// before the start.
const START: f64 = 0.2;

/// How much earlier sound may end beside the picture, in seconds: some containers do not say how long the last packet
/// is. For the same reason, sound that seems to end later is no fault.
const END: f64 = 0.5;

impl Gate<'_> {
    /// The audio tracks as asked for, each with its counterpart in the output.
    fn sounds<'a>(&'a self, made: &'a Media) -> impl Iterator<Item = (&'a Track, &'a Stream)> {
        self.pairs(StreamKind::Audio, made)
    }

    /// Makes sure that each audio track begins and ends beside the picture as in the input. The streams' own statements
    /// decide; if these differ, the packets of both files do.
    pub(super) async fn compare_sync(&self, made: &Media) -> Result<(), Failure> {
        let film = self.films().next().map(|(_, film)| film);
        let made_film = made.films().next();
        let (Some(film), Some(made_film)) = (film, made_film) else {
            return Ok(());
        };
        // Broadcasts begin and end anywhere, and their clocks jump. A trim has times of its own.
        if self.recipe.trim.is_some() || is_recording(self.input.media) || !self.keeps_frames() {
            return Ok(());
        }
        let stated = |stream: &Stream| Some((stream.start?, stream.stated_end()?));
        let in_sync = |before: Option<Lag>, after: Option<Lag>| {
            before
                .zip(after)
                .map(|(before, after)| before.differs(&after).is_none())
        };
        let mut doubtful = Vec::new();
        for (track, made) in self.sounds(made) {
            let before = Lag::of(stated(&film.source), stated(&track.source));
            let after = Lag::of(stated(made_film), stated(made));
            if in_sync(before, after) != Some(true) {
                doubtful.push((track, made));
            }
        }
        if doubtful.is_empty() {
            return Ok(());
        }
        let runner = self.input.runner;
        let before = survey(runner, self.input.tables, Depth::Packets, None)
            .await?
            .streams;
        let after = survey(runner, &self.output, Depth::Packets, None)
            .await
            .map_err(blame_output)?
            .streams;
        let found = |streams: &BTreeMap<usize, Surveyed>, index| {
            streams.get(&index).map(|found| (found.start, found.end))
        };
        for (track, made) in doubtful {
            let (index, made_index) = (track.source.index, made.index);
            let lags = Lag::of(found(&before, film.source.index), found(&before, index)).zip(
                Lag::of(found(&after, made_film.index), found(&after, made_index)),
            );
            // What an edit list hides is in the packets of the input, and not in those of an encode.
            let is_hidden = track.by != TrackMethod::Copy && track.source.hidden > START;
            let Some((before, after)) = lags.filter(|_| !is_hidden) else {
                continue;
            };
            if let Some(what) = before.differs(&after) {
                return Err(mismatch(format!(
                    "audio track {made_index} of the output {what} than in the input"
                )));
            }
        }
        Ok(())
    }
}

/// How much later than the picture a track begins and ends, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Lag {
    start: f64,
    end: f64,
}

impl Lag {
    /// The lag of a track behind a film, by the start and the end of both.
    fn of(film: Option<(f64, f64)>, track: Option<(f64, f64)>) -> Option<Self> {
        let ((film_start, film_end), (start, end)) = film.zip(track)?;
        Some(Self {
            start: start - film_start,
            end: end - film_end,
        })
    }

    /// The difference from another lag, in words; `None` if both are in sync.
    fn differs(&self, other: &Self) -> Option<String> {
        let words = |what: &str, moved: f64| {
            let direction = if moved > 0.0 { "later" } else { "earlier" };
            format!("{what} {:.2} s {direction}", moved.abs())
        };
        let (start, end) = (other.start - self.start, other.end - self.end);
        if start.abs() > START {
            Some(words("begins", start))
        } else if end < -END {
            Some(words("ends", end))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sound_may_move_with_its_picture_but_not_beside_it() {
        let lag = |film, track| Lag::of(Some(film), Some(track)).expect("times");
        let before = lag((0.0, 10.0), (0.5, 10.1));
        for (after, words) in [
            (lag((5.0, 15.0), (5.5, 15.1)), None),
            (lag((0.0, 10.0), (0.45, 10.25)), None),
            (lag((0.0, 10.0), (1.5, 11.1)), Some("begins 1.00 s later")),
            (lag((1.0, 11.0), (0.5, 11.1)), Some("begins 1.00 s earlier")),
            (lag((0.0, 10.0), (0.5, 9.0)), Some("ends 1.10 s earlier")),
            (lag((0.0, 10.0), (0.5, 10.7)), None),
        ] {
            assert_eq!(before.differs(&after).as_deref(), words);
        }
    }
}
