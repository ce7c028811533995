//! Whether all frames of a film last equally long. Matroska may state a constant rate for any film.

use std::collections::{BTreeMap, BTreeSet};

use common::job::failure::Failure;
use common::recipe::{FrameRate, Recipe};

use crate::attempt::survey::Asked;
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::probe::packets::packets;
use crate::ffmpeg::probe::survey::MOST_FRAMES;

/// Seconds by which a time may be rounded.
const ROUNDING: f64 = 0.0011;

/// Only a peak of the frame rate depends on it.
pub(super) fn is_asked(recipe: &Recipe) -> bool {
    recipe
        .video_encode()
        .is_some_and(|video| matches!(video.frame_rate, FrameRate::Peak(_)) && !video.detelecine)
}

impl Asked<'_> {
    /// The films whose frames last equally long.
    pub(super) async fn steady_films(&self) -> Result<BTreeSet<usize>, Failure> {
        let may_be: Vec<&Stream> = self.media.films().filter(|film| says_so(film)).collect();
        if may_be.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut times: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
        let of_films = Some("v");
        packets(self.runner, self.source, of_films, (None, None), |packet| {
            if !may_be.iter().any(|film| film.index == packet.stream) {
                return;
            }
            let times = times.entry(packet.stream).or_default();
            if times.len() < MOST_FRAMES {
                times.push(packet.time);
            }
        })
        .await?;
        let is_steady = |film: &&Stream| times.remove(&film.index).is_some_and(is_steady);
        Ok(may_be
            .into_iter()
            .filter(is_steady)
            .map(|film| film.index)
            .collect())
    }
}

/// Whether the headers state a constant rate. The base rate of interlaced video counts fields.
fn says_so(film: &Stream) -> bool {
    let rates = film.base_rate.zip(film.mean_rate);
    rates.is_some_and(|(base, mean)| {
        let times = base.value() / mean.value();
        (times - 1.0).abs() < 0.001 || (times - 2.0).abs() < 0.002
    })
}

fn is_steady(mut times: Vec<f64>) -> bool {
    times.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return false;
    };
    let step = (last - first) / (times.len() as f64 - 1.0).max(1.0);
    let mut pairs = times.windows(2);
    pairs.all(|pair| (pair[1] - pair[0] - step).abs() <= ROUNDING)
}

#[cfg(test)]
mod tests {
    use super::is_steady;

    #[test]
    fn rounded_times_are_steady_and_a_pause_is_not() {
        let rounded = |fps: f64| -> Vec<f64> {
            let times = (0..50).map(|n| (f64::from(n) / fps * 1000.0).round() / 1000.0);
            times.collect()
        };
        assert!(is_steady(rounded(60.0)));
        assert!(is_steady(rounded(24000.0 / 1001.0)));
        let mut paused = rounded(60.0);
        paused.iter_mut().skip(20).for_each(|time| *time += 0.1);
        assert!(!is_steady(paused));
        assert!(!is_steady(Vec::new()));
    }
}
