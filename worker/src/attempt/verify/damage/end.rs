//! Whether an input reaches the end that its container states.

use common::job::failure::Failure;

use crate::attempt::verify::damage::{Inspected, damaged};
use crate::ffmpeg::probe::survey::Survey;

/// How many seconds, beyond one frame, a truncated file may end before its stated end, because containers round
/// times.
const ROUNDING: f64 = 0.1;

impl Inspected<'_> {
    /// Makes sure that a file that seems truncated reaches its stated end, as a whole and in each track.
    pub(super) fn ends_as_stated(self, survey: &Survey) -> Result<(), Failure> {
        if self.is_recording() {
            return Ok(());
        }
        let frame = self.media.films().find_map(|film| film.mean_rate);
        let frame = frame.map_or(0.04, |rate| 1.0 / rate.value());
        let whole = [(self.stated(), self.read(survey))];
        let tracks = self.kept().map(|stream| {
            let found = survey.streams.get(&stream.index);
            let read = found.map_or(0.0, |found| found.end - found.start);
            (stream.duration, Some(read))
        });
        let early = whole.into_iter().chain(tracks).find_map(|lengths| {
            let (stated, read) = (lengths.0?, lengths.1?);
            (stated - read > ROUNDING + frame).then_some((read, stated))
        });
        match early {
            Some((read, stated)) => Err(ends_early(read, stated)),
            None => Ok(()),
        }
    }

    /// The length that the container states, in seconds; `None` if it states none.
    pub(super) fn stated(self) -> Option<f64> {
        if self.is_recording() {
            return None;
        }
        // The length of a truncated AVI is estimated from its size, but its header still has the number of frames.
        let counted = self
            .media
            .films()
            .filter_map(|film| Some(film.frames? as f64 / film.mean_rate?.value()));
        self.media
            .duration
            .into_iter()
            .chain(counted)
            .reduce(f64::max)
    }
}

pub(super) fn ends_early(read: f64, stated: f64) -> Failure {
    damaged(format!("it ends at {read:.1} s of {stated:.1} s"))
}
