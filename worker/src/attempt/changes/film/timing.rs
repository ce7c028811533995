//! Compares the frame rate.

use common::job::changes::{Change, Kind};

use crate::attempt::changes::Pair;
use crate::ffmpeg::probe::media::Stream;

/// The fraction by which a frame rate may differ, because containers round times.
const RATE: f64 = 0.01;

/// Whether frames still come at a constant rate, and at the same rate.
pub(super) fn timing(pair: &Pair<'_>) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let mean = |film: &Stream| film.mean_rate.map(|rate| rate.value());
    let (before, after) = (mean(source)?, mean(made)?);
    let text = |film: &Stream, mean: f64| {
        let rate = format!("{}", (mean * 1000.0).round() / 1000.0);
        if is_constant(film) {
            format!("{rate} fps")
        } else {
            format!("variable rate of {rate} fps")
        }
    };
    let (index, from, to) = (source.index, text(source, before), text(made, after));
    let is_even = !is_constant(source) || is_constant(made);
    let keeps_frames = pair
        .recipe
        .video_encode()
        .is_none_or(|video| video.keeps_frames());
    Some(if !is_even {
        let why = "the output's frames come at uneven times";
        Change::converted(Kind::Timing, index, from, to, why)
    } else if !keeps_frames && (before - after).abs() > RATE * before {
        Change::converted(Kind::Timing, index, from, to, "the recipe changes frames")
    } else {
        Change::kept(Kind::Timing, index, from)
    })
}

/// Whether all frames are shown for the same time, as far as the container states it. The base rate of interlaced
/// video counts fields, of which a frame has two.
fn is_constant(film: &Stream) -> bool {
    let rates = film.base_rate.zip(film.mean_rate);
    rates.is_none_or(|(base, mean)| {
        let times = base.value() / mean.value();
        (times - 1.0).abs() < RATE || (times - 2.0).abs() < 2.0 * RATE
    })
}
