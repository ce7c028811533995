//! Whether the output is as long as the kept part of the input.

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::Filters;

use crate::attempt::verify::damage::is_recording;
use crate::attempt::verify::gate::Gate;
use crate::attempt::verify::output::mismatch;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::TrackMethod;

impl Gate<'_> {
    /// The number of frames proves that video is complete; the length proves it for audio. If the length that the
    /// container states does not fit, the input's packets decide.
    pub(super) async fn compare_lengths(&self, made: &Media) -> Result<Option<Change>, Failure> {
        let has_sound = self
            .input
            .tracks
            .iter()
            .any(|track| track.source.kind == StreamKind::Audio);
        let same_length = self
            .recipe
            .video_encode()
            .and_then(|video| video.filters.as_ref())
            .is_none_or(Filters::keep_frames);
        let guessed = is_recording(self.input.media);
        // The number of packets of a truncated file proves nothing, but a number in its header does.
        let stated = self.films().all(|(_, film)| film.source.frames.is_some());
        let proved_by_frames = self.films().next().is_some()
            && self.keeps_frames()
            && (guessed || (stated && !has_sound));
        let expected = match self.expected_length() {
            // No frames are counted, so only the length can prove that the sound is complete.
            None if self.films().next().is_none() => self.input.length().await?,
            expected => expected,
        };
        let (Some(expected), Some(length)) = (expected, made.duration) else {
            return Ok(None);
        };
        // Half a second for padding by audio encoders and rounding by containers, one frame for the length of the
        // last frame, and a thousandth for clock drift. A missing part that a person would notice is longer.
        let frame = self
            .input
            .media
            .films()
            .find_map(|film| film.mean_rate)
            .map_or(0.04, |rate| 1.0 / rate.value());
        let fits = |expected: f64| {
            let tolerance = 0.5 + frame + expected * 0.001;
            (length - expected).abs() <= tolerance
        };
        if !same_length || proved_by_frames || fits(expected) {
            return Ok(None);
        }
        let found = self.input.length().await?;
        if found.is_some_and(fits) {
            return Ok(Some(Change::converted(
                Kind::Timing,
                None,
                format!("a stated length of {expected:.1} s"),
                format!("{length:.1} s"),
                "the input's packets end there, whatever its container states",
            )));
        }
        Err(mismatch(format!(
            "output is {length:.2} s long where the input is {:.2} s",
            found.unwrap_or(expected)
        )))
    }

    /// The length of the kept part of the input, in seconds; `None` if not all tracks are kept and some kept track
    /// states no length.
    fn expected_length(&self) -> Option<f64> {
        let timed = |stream: &&Stream| stream.kind != StreamKind::Attachment && !stream.is_picture;
        let mut kept: Vec<&Stream> = self
            .input
            .tracks
            .iter()
            .filter(|track| !matches!(track.by, TrackMethod::Captions(_)))
            .filter(|track| track.source.external.is_none())
            .map(|track| &track.source)
            .filter(timed)
            .collect();
        // Several tracks may be made of one.
        kept.sort_by_key(|stream| stream.index);
        kept.dedup_by_key(|stream| stream.index);
        if kept.len() == self.input.media.streams.iter().filter(timed).count() {
            return self.input.media.duration;
        }
        let lengths: Option<Vec<f64>> = kept.iter().map(|stream| stream.duration).collect();
        lengths?.into_iter().reduce(f64::max)
    }
}
