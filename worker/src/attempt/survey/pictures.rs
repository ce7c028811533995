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
const LARGEST: usize = 1 << 26;

/// The columns in the middle of a picture in which movement is looked for.
const MIDDLE: usize = 960;

/// The brightness of a picture in limited range, row by row.
pub(super) struct Luma {
    pub(super) width: usize,
    pub(super) height: usize,
    /// Bits per sample: 8 or 10.
    pub(super) depth: u8,
    pub(super) samples: Vec<u16>,
}

/// The form in which pictures are asked for.
struct Shape {
    /// Bits per sample: 8 or 10.
    depth: u8,
    /// The most columns, from the middle.
    widest: Option<usize>,
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
        // ffmpeg takes the first picture that is not before a place, so the last picture of a short film needs this.
        let picture = film.mean_rate.map_or(0.04, |rate| 1.0 / rate.value());
        let time = |place| (place as f64 * step - picture).max(0.0);
        Places {
            times: (1..=PLACES).map(|place| from + time(place)).collect(),
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
        if let Some(reader) = film.reader.as_deref() {
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
        let shape = Shape {
            depth: if film.depth() > 8 { 10 } else { 8 },
            widest: None,
        };
        let pictures = self.run(film, places, time, shape, 1).await?;
        Ok(pictures.into_iter().next())
    }

    /// The brightness of up to `count` pictures from a place on, in 8 bits, and of their middle where they are wide.
    pub(super) async fn lumas(
        &self,
        film: &Stream,
        places: &Places,
        time: f64,
        count: usize,
    ) -> Result<Vec<Luma>, Failure> {
        let shape = Shape {
            depth: 8,
            widest: Some(MIDDLE),
        };
        self.run(film, places, time, shape, count).await
    }

    async fn run(
        &self,
        film: &Stream,
        places: &Places,
        time: f64,
        shape: Shape,
        count: usize,
    ) -> Result<Vec<Luma>, Failure> {
        let (width, height) = film.shown();
        let (width, height) = (width as usize, height as usize);
        let width = shape.widest.map_or(width, |widest| width.min(widest));
        let format = if shape.depth > 8 {
            "yuv420p10le"
        } else {
            "yuv420p"
        };
        let bytes = width * height * if shape.depth > 8 { 2 } else { 1 };
        if bytes == 0 || width * height > LARGEST {
            return Ok(Vec::new());
        }
        let mut arguments = self.at(film, places, time);
        // All pictures get the same range, and the plane is taken out of a format whose layout is known.
        let mut filter = format!("scale=out_range=tv,format={format},extractplanes=y");
        if shape.widest.is_some() {
            filter.push_str(&format!(",crop={width}:ih"));
        }
        let count_text = count.to_string();
        arguments.extend(["-frames:v", &count_text, "-vf", &filter].map(OsString::from));
        arguments
            .extend(["-fps_mode", "passthrough", "-f", "rawvideo", "pipe:1"].map(OsString::from));
        let Some(answer) = self.answer(&arguments, bytes * count).await? else {
            return Ok(Vec::new());
        };
        let picture = |bytes: &[u8]| Luma {
            width,
            height,
            depth: shape.depth,
            samples: if shape.depth > 8 {
                let pairs = bytes.chunks_exact(2);
                pairs
                    .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                    .collect()
            } else {
                bytes.iter().copied().map(u16::from).collect()
            },
        };
        // The rest of another size is no picture.
        if !answer.len().is_multiple_of(bytes) {
            return Ok(Vec::new());
        }
        Ok(answer.chunks_exact(bytes).map(picture).collect())
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
