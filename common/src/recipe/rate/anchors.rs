//! Where one quality lies on the scale of each encoder, as measured.
//!
//! `tests/quality anchors` prints the numbers: three short clips are encoded over the whole scale of each encoder, and
//! compared with their sources by VMAF. An encoder's value at a quality is the one that looks as libx264 does there.
//! Two builds were measured, with the same values within a step or two; these are their means.

use crate::recipe::encoder::{Codec, Encoder, EncoderKind};
use crate::recipe::rate::scale::QualityScale;

/// An encoder's values at the qualities 0, 10, 20, … 100. A scale that ends early stays at its end.
type Anchors = [f64; 11];

fn measured(encoder: &str) -> Option<&'static Anchors> {
    Some(match encoder {
        // The reference.
        "libx264" => &[
            51.0, 45.9, 40.8, 35.7, 30.6, 25.5, 20.4, 15.3, 10.2, 5.1, 0.0,
        ],
        "libx265" => &[
            51.0, 47.3, 41.9, 36.9, 31.7, 26.0, 20.4, 15.3, 10.1, 4.9, 0.0,
        ],
        "libsvtav1" => &[
            63.0, 63.0, 63.0, 62.4, 57.2, 44.8, 31.1, 17.6, 8.4, 2.6, 0.0,
        ],
        "libaom-av1" => &[
            63.0, 63.0, 63.0, 60.1, 53.8, 41.6, 28.7, 15.7, 8.4, 3.1, 0.0,
        ],
        "librav1e" => &[
            255.0, 243.5, 207.0, 174.3, 140.5, 100.5, 58.3, 34.4, 15.7, 8.0, 0.0,
        ],
        "libvpx-vp9" => &[
            63.0, 63.0, 63.0, 56.5, 46.5, 36.8, 26.7, 17.6, 8.9, 3.5, 0.0,
        ],
        "libvpx" => &[
            63.0, 63.0, 63.0, 63.0, 63.0, 45.8, 28.1, 12.8, 5.1, 4.0, 0.0,
        ],
        "libvvenc" => &[
            63.0, 55.3, 48.5, 42.3, 36.4, 29.9, 24.8, 20.5, 15.6, 10.4, 0.0,
        ],
        "mpeg2video" => &[31.0, 31.0, 31.0, 23.9, 12.3, 6.8, 4.1, 2.6, 1.0, 1.0, 1.0],
        "mpeg4" => &[31.0, 31.0, 31.0, 18.7, 9.8, 5.2, 3.1, 1.0, 1.0, 1.0, 1.0],
        // Its quantizer is a whole number, and 1 takes twice the bits of 2.
        "libxvid" => &[31.0, 31.0, 31.0, 19.1, 10.4, 5.5, 3.5, 2.0, 2.0, 2.0, 1.0],
        "mjpeg" => &[31.0, 31.0, 31.0, 31.0, 19.2, 9.8, 4.9, 2.6, 1.0, 1.0, 1.0],
        "prores_ks" => &[31.0, 31.0, 31.0, 31.0, 31.0, 30.5, 16.1, 9.1, 4.4, 1.9, 1.0],
        _ => return None,
    })
}

/// The quality at which HandBrake's presets use libx264's 22: its presets for 1080p say what looks alike elsewhere.
const HANDBRAKE: f64 = 57.0;

/// The value at that quality, by HandBrake's presets. They are not measured here.
fn by_handbrake(encoder: &Encoder) -> Option<f64> {
    match (encoder.kind(), encoder.codec()?) {
        (EncoderKind::Nvidia, Codec::Hevc) => Some(27.0),
        (EncoderKind::Intel | EncoderKind::Amd | EncoderKind::Vaapi, Codec::Hevc) => Some(25.0),
        (EncoderKind::Intel, Codec::Av1) => Some(24.0),
        (EncoderKind::Amd | EncoderKind::Vaapi, Codec::Av1) => Some(120.0),
        (EncoderKind::Apple, Codec::Hevc) => Some(60.0),
        _ => None,
    }
}

/// The value of a quality, 0 to 100, on the encoder's own scale.
pub(super) fn value(quality: f64, encoder: &Encoder, scale: QualityScale) -> f64 {
    let between = |from: (f64, f64), to: (f64, f64)| {
        let share = (quality - from.0) / (to.0 - from.0);
        // A rounded sum may miss the end of the scale.
        if share >= 1.0 {
            to.1
        } else {
            from.1 + (to.1 - from.1) * share
        }
    };
    if let Some(anchors) = measured(encoder.as_str()) {
        let step = ((quality / 10.0) as usize).min(anchors.len() - 2);
        let point = |step: usize| (10.0 * step as f64, anchors[step]);
        return between(point(step), point(step + 1));
    }
    let (worst, best) = ((0.0, scale.worst), (100.0, scale.best));
    match by_handbrake(encoder) {
        Some(value) if quality < HANDBRAKE => between(worst, (HANDBRAKE, value)),
        Some(value) => between((HANDBRAKE, value), best),
        None => between(worst, best),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_quality_is_never_a_worse_value_and_never_off_the_scale() {
        for (encoder, _) in Encoder::catalogue() {
            let Some(scale) = QualityScale::of(&encoder) else {
                continue;
            };
            let towards_best = (scale.best - scale.worst).signum();
            let values: Vec<f64> = (0..=100)
                .map(|quality| value(f64::from(quality), &encoder, scale))
                .collect();
            assert!(
                values.iter().all(|value| scale.contains(*value)),
                "{encoder}: {values:?}"
            );
            let is_monotone = values
                .windows(2)
                .all(|pair| (pair[1] - pair[0]) * towards_best >= 0.0);
            assert!(is_monotone, "{encoder}: {values:?}");
            let last = values.last().copied();
            assert_eq!(last, Some(scale.best), "{encoder}");
        }
    }
}
