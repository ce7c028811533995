//! The floor: samples of a finished output are compared with the same parts of its source.

use std::ffi::OsString;

use common::job::failure::Failure;
use common::job::run::quality::{OutputQuality, rounded};
use common::recipe::Score;

use crate::attempt::quality::encode::compare;
use crate::attempt::quality::samples::{Part, parts};
use crate::ffmpeg::Source;
use crate::ffmpeg::metric::{Comparison, Pairing};
use crate::ffmpeg::probe::media::{Media, Ratio, Stream};
use crate::ffmpeg::run::runner::Runner;

/// The part of a frame by which two frames at the same time may differ: containers round times.
const ERROR: f64 = 0.25;
/// The frame rate of a film that does not state it.
const USUAL_RATE: f64 = 25.0;

/// An output and its source.
pub(crate) struct Pair<'a> {
    /// Reads both.
    pub(crate) runner: &'a Runner,
    pub(crate) source: (&'a Source, &'a Media, &'a Stream),
    pub(crate) output: (&'a Source, &'a Media, &'a Stream),
    /// The recipe's filters.
    pub(crate) filters: &'a str,
    /// Seconds of the source before the output begins.
    pub(crate) skipped: f64,
}

impl Pair<'_> {
    /// Measures the output, and makes sure that it reaches the floor.
    ///
    /// # Errors
    /// The input's fault if it does not: the recipe does not suit it. The failure of ffmpeg.
    pub(crate) async fn reaches(self, floor: Score) -> Result<OutputQuality, Failure> {
        let (_, media, film) = self.output;
        let parts = parts(film.duration.or(media.duration));
        let mut sum = 0.0;
        for part in &parts {
            sum += self.score(*part, floor).await?;
        }
        let score = sum / parts.len() as f64;
        let metric = floor.metric;
        if score < floor.value {
            return Err(Failure::input(format!(
                "the output's {metric} is {}, below the floor of {}: give it a better quality, or lower the --floor",
                rounded(metric, score),
                floor.value
            )));
        }
        Ok(OutputQuality {
            metric,
            score: (score * 1e6).round() / 1e6,
        })
    }

    async fn score(&self, part: Part, floor: Score) -> Result<f64, Failure> {
        let (source, source_media, source_film) = self.source;
        let (output, output_media, output_film) = self.output;
        let rate = output_film.mean_rate.map(Ratio::value);
        let pairing = Pairing::Times {
            error: ERROR / rate.unwrap_or(USUAL_RATE),
        };
        let filters = self.filters.to_owned();
        let comparison = Comparison::of(output_film, floor.metric, filters, pairing);
        // Half a frame earlier, a rounded time does not leave out the first frame.
        let early = rate
            .filter(|_| part.start > 0.0)
            .map_or(0.0, |rate| 0.5 / rate);
        let start = part.start - early;
        let made = opened(output, start + delay(output_media, output_film), part);
        let read = start + self.skipped + delay(source_media, source_film);
        let reference = opened(source, read, part);
        compare(self.runner, &made, &reference, &comparison).await
    }
}

/// The options that open a part of an input.
fn opened(source: &Source, start: f64, part: Part) -> Vec<OsString> {
    let mut options: Vec<OsString> = Vec::new();
    if start > 0.0 {
        options.extend(["-ss".into(), format!("{start:.6}").into()]);
    }
    if let Some(length) = part.length {
        options.extend(["-t".into(), length.to_string().into()]);
    }
    options.extend(source.arguments());
    options
}

/// Seconds from the beginning of a file to its first picture.
fn delay(media: &Media, film: &Stream) -> f64 {
    let starts = media.streams.iter().filter_map(|stream| stream.start);
    let first = starts.fold(f64::INFINITY, f64::min);
    film.start.map_or(0.0, |start| (start - first).max(0.0))
}
