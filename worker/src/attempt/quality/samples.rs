//! Which parts of a film are encoded to learn about the whole: 20 seconds of every 12 minutes, or all of a short film.

use common::farm::sample::Sample;
use common::recipe::Trim;

use crate::ffmpeg::probe::media::{Media, Ratio, Stream};

/// Seconds of film for each sample.
const EVERY: f64 = 720.0;
/// Length of a sample in seconds.
const LENGTH: f64 = 20.0;
/// If samples would cover this share of a film, all of it is one sample.
const MOST: f64 = 0.85;
/// The frame rate of a film that does not state it.
const USUAL_RATE: f64 = 25.0;

/// A part of a film, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) start: f64,
    /// `None` for the rest of the film.
    pub(crate) length: Option<f64>,
}

/// The samples of a film of this length in seconds.
pub(crate) fn parts(length: Option<f64>) -> Vec<Part> {
    let part = |start, length| Part { start, length };
    let Some(length) = length else {
        // Nobody knows where the film ends: its beginning must do.
        return vec![part(0.0, Some(LENGTH))];
    };
    let count = (length / EVERY).ceil().max(1.0);
    if count * LENGTH >= length * MOST {
        return vec![part(0.0, None)];
    }
    let gap = (length - count * LENGTH) / (count + 1.0);
    (0..count as u32)
        .map(|nth| gap + f64::from(nth) * (gap + LENGTH))
        .map(|start| part(start.floor(), Some(LENGTH)))
        .collect()
}

/// The length of the part of a film that the recipe keeps, in seconds.
pub(crate) fn kept_length(media: &Media, film: &Stream, trim: Option<Trim>) -> Option<f64> {
    let length = film.duration.or_else(|| media.likely_duration());
    match trim {
        None => length,
        Some(trim) => match (length, trim.to) {
            (None, None) => None,
            (None, Some(to)) => Some(to - trim.from),
            (Some(length), _) => Some(trim.length(length)),
        },
    }
}

/// How many times longer than its samples the kept part of a film is; `None` if its length is not known.
pub(crate) fn times(
    media: &Media,
    film: &Stream,
    trim: Option<Trim>,
    samples: &[Sample],
) -> Option<f64> {
    let frames: Option<u64> = samples.iter().map(|sample| sample.frames).sum();
    let Some(frames) = frames else {
        return Some(1.0);
    };
    let rate = film.mean_rate.map_or(USUAL_RATE, Ratio::value);
    Some(kept_length(media, film, trim)? * rate / frames as f64)
}

/// The samples of a film, of the part that the recipe keeps.
pub(crate) fn choose(media: &Media, film: &Stream, trim: Option<Trim>) -> Vec<Sample> {
    let rate = film.mean_rate.map_or(USUAL_RATE, Ratio::value);
    let kept = kept_length(media, film, trim);
    let frames = |length: f64| ((length * rate).round() as u64).max(1);
    parts(kept)
        .into_iter()
        .map(|part| Sample {
            stream: film.index,
            start: part.start + trim.map_or(0.0, |trim| trim.from),
            frames: match (part.length, trim.and_then(|trim| trim.to)) {
                (Some(length), _) => Some(frames(length)),
                (None, Some(_)) => kept.map(frames),
                (None, None) => None,
            },
            is_turned: film.rotation != 0 || film.is_mirrored,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(length: f64) -> (Media, Stream) {
        let film = Stream {
            index: 1,
            duration: Some(length),
            mean_rate: Ratio::parse("24000/1001"),
            ..Stream::default()
        };
        (Media::default(), film)
    }

    fn samples(length: f64, trim: Option<&str>) -> Vec<(f64, Option<u64>)> {
        let (media, film) = film(length);
        let trim = trim.map(|trim| trim.parse().expect("a part"));
        let samples = choose(&media, &film, trim);
        assert!(samples.iter().all(|sample| sample.stream == 1));
        samples
            .iter()
            .map(|sample| (sample.start, sample.frames))
            .collect()
    }

    #[test]
    fn each_twelve_minutes_give_twenty_seconds_at_equal_distances() {
        assert_eq!(samples(55.0, None), [(17.0, Some(480))]);
        let two = samples(1200.0, None);
        assert_eq!(two, [(386.0, Some(480)), (793.0, Some(480))]);
        assert_eq!(samples(7200.0, None).len(), 10);
    }

    #[test]
    fn a_short_film_is_one_sample() {
        assert_eq!(samples(23.0, None), [(0.0, None)]);
        assert_eq!(samples(23.6, None), [(1.0, Some(480))]);
    }

    #[test]
    fn samples_lie_in_the_part_that_is_kept() {
        assert_eq!(samples(600.0, Some("100-110")), [(100.0, Some(240))]);
        assert_eq!(samples(600.0, Some("590-")), [(590.0, None)]);
        assert_eq!(samples(600.0, Some("100-200")), [(140.0, Some(480))]);
    }

    #[test]
    fn the_beginning_stands_for_a_film_of_unknown_length() {
        let (media, film) = film(1.0);
        let film = Stream {
            duration: None,
            mean_rate: None,
            ..film
        };
        let samples = choose(&media, &film, None);
        assert_eq!(samples[0].frames, Some(500));
        assert_eq!(samples.len(), 1);
    }
}
