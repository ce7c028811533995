//! Whether enough of a damaged input is left for an output.

use common::job::changes::Change;
use common::job::failure::Failure;

use crate::attempt::verify::damage::end::ends_early;
use crate::attempt::verify::damage::{Inspected, damaged};
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::probe::survey::{Survey, Surveyed};
use crate::ffmpeg::tracks::TrackMethod;

/// The fraction of an input that must not be missing at its end.
const TOO_MUCH: f64 = 0.1;

/// The least number of seconds that counts as too much.
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
                self.check_decoded_part(stream, found)?;
            }
            changes.extend(self.damage_to(survey, stream, found));
        }
        Ok(changes)
    }

    /// Makes sure that most of a track can be decoded, up to its end.
    fn check_decoded_part(self, stream: &Stream, found: &Surveyed) -> Result<(), Failure> {
        // If each field is a packet of its own, a complete track has half as many frames as packets. So the limit is
        // 45 %.
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
