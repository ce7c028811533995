//! Sample pictures of a film, spread over the part that the recipe takes.

use std::ffi::OsString;

use common::job::failure::{Failure, Fault};

use crate::attempt::survey::Asked;
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::run::fault::Origin;

/// The number of places where a film is looked at.
pub(super) const PLACES: usize = 10;

/// Seconds between two places, for a film that does not say how long it is.
const STEP: f64 = 10.0;

/// Seconds between two places from which on a picture may lie at the next keyframe: decoding up to the exact place
/// would take long, and keyframes are much closer to each other.
const FAR: f64 = 20.0;

/// The largest picture that is looked at, in pixels.
const LARGEST: usize = 1 << 27;

/// The brightness of a picture in limited range, row by row.
pub(super) struct Luma {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Bits per sample: 8 or 10.
    pub(super) depth: u8,
    pub(super) samples: Vec<u16>,
}

/// Places in a film, in seconds from the file's beginning.
pub(super) struct Places {
    pub(super) times: Vec<f64>,
    is_far: bool,
}

impl Asked<'_> {
    /// The places where a film is looked at.
    pub(super) fn places(&self, film: &Stream) -> Places {
        let trim = self.recipe.trim;
        let from = trim.map_or(0.0, |trim| trim.from);
        let length = film.duration.or(self.media.likely_duration());
        let length = length.map(|length| trim.map_or(length, |trim| trim.length(length)));
        let step = length.map_or(STEP, |length| length / (PLACES as f64 + 1.0));
        Places {
            times: (1..=PLACES)
                .map(|place| from + place as f64 * step)
                .collect(),
            is_far: step >= FAR,
        }
    }

    /// The options that open the input at a place, and choose the film.
    pub(super) fn at(&self, film: &Stream, places: &Places, time: f64) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = ["-nostdin", "-hide_banner"].map(OsString::from).into();
        if places.is_far {
            arguments.push("-noaccurate_seek".into());
        }
        arguments.extend(["-ss".into(), format!("{time:.3}").into()]);
        if let Some(reader) = film.reader {
            arguments.extend([format!("-c:{}", film.index).into(), OsString::from(reader)]);
        }
        arguments.extend(self.source.arguments());
        arguments.extend(["-map".into(), format!("0:{}", film.index).into()]);
        arguments
    }

    /// The brightness of the picture at a place. `None` if there is none, or if it cannot be decoded.
    pub(super) async fn luma(
        &self,
        film: &Stream,
        places: &Places,
        time: f64,
    ) -> Result<Option<Luma>, Failure> {
        let (width, height) = film.shown();
        let (width, height) = (width as usize, height as usize);
        let (depth, format) = match film.depth() {
            8 => (8, "yuv420p"),
            _ => (10, "yuv420p10le"),
        };
        let bytes = width * height * if depth > 8 { 2 } else { 1 };
        if bytes == 0 || width * height > LARGEST {
            return Ok(None);
        }
        let mut arguments = self.at(film, places, time);
        // All pictures get the same range, and the plane is taken out of a format whose layout is known.
        let filter = format!("scale=out_range=tv,format={format},extractplanes=y");
        arguments.extend(["-frames:v", "1", "-vf", &filter].map(OsString::from));
        arguments.extend(["-f", "rawvideo", "pipe:1"].map(OsString::from));
        let Some(answer) = self.answer(&arguments, bytes).await? else {
            return Ok(None);
        };
        let samples: Vec<u16> = if depth > 8 {
            answer
                .chunks_exact(2)
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect()
        } else {
            answer.iter().copied().map(u16::from).collect()
        };
        Ok((samples.len() == width * height).then_some(Luma {
            width,
            height,
            depth,
            samples,
        }))
    }

    /// What ffmpeg prints. `None` if it fails because of the input, or prints more than `most` bytes.
    pub(super) async fn answer(
        &self,
        arguments: &[OsString],
        most: usize,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let origin = Origin::of(self.source);
        match self.runner.ffmpeg_answer(arguments, origin, most).await {
            Ok(answer) => Ok(answer),
            Err(failure) if failure.fault == Fault::Input || failure.doubt.is_some() => {
                tracing::debug!(%failure, "no sample of the input");
                Ok(None)
            }
            Err(failure) => Err(failure),
        }
    }
}
