//! Whether what is left of a damaged input is worth an output.

use common::job::changes::Change;
use common::job::failure::Failure;

use crate::attempt::verify::damage::end::ends_early;
use crate::attempt::verify::damage::{Inspected, damaged};
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::probe::survey::{Survey, Surveyed};
use crate::ffmpeg::tracks::TrackMethod;

/// The part of an input whose loss at its end is too much.
const TOO_MUCH: f64 = 0.1;

/// No less than this is too much, in seconds.
const LITTLE: f64 = 0.5;

impl Inspected<'_> {
    pub(super) fn judge(self, survey: &Survey, breaks_off: bool) -> Result<Vec<Change>, Failure> {
        if breaks_off {
            self.ends_as_stated(survey)?;
        }
        if survey.complaints.is_empty() {
            return Ok(Vec::new());
        }
        if let (Some(stated), Some(read)) = (self.stated(), self.read(survey))
            && stated - read > LITTLE.max(TOO_MUCH * stated)
        {
            return Err(ends_early(read, stated));
        }
        let mut changes = Vec::new();
        for track in self.tracks {
            let stream = &track.source;
            let Some(found) = survey.streams.get(&stream.index) else {
                continue;
            };
            if matches!(track.by, TrackMethod::Video | TrackMethod::Audio(_)) {
                self.is_worth_it(stream, found)?;
            }
            changes.extend(self.told(survey, stream, found));
        }
        Ok(changes)
    }

    /// Makes sure that what can be decoded of a track is most of it, and reaches its end.
    fn is_worth_it(self, stream: &Stream, found: &Surveyed) -> Result<(), Failure> {
        // Where each field is a packet of its own, half as many frames as packets are all of them.
        let frames = found.frames.len() as u64;
        let expected = match stream.frames {
            Some(stated) => stated.min(found.packets),
            None => found.packets,
        };
        if frames * 20 < expected * 9 {
            let kind = stream.kind;
            return Err(damaged(format!(
                "of {expected} frames of its {kind} only {frames} can be decoded"
            )));
        }
        let last = found.frames.iter().copied().fold(found.start, f64::max);
        let length = found.end - found.start;
        if found.end - last > LITTLE.max(TOO_MUCH * length) {
            return Err(damaged(format!(
                "nothing of its {} can be decoded after {:.1} s of {length:.1} s",
                stream.kind,
                last - found.start,
            )));
        }
        Ok(())
    }
}
