//! The qualities that a search tries with an encoder: a range on the encoder's own scale, and the step in it.

use common::recipe::QualityScale;
use common::recipe::encoder::{Codec, Encoder, EncoderKind};

/// A range of an encoder's scale, counted in steps from the best picture to the smallest file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    best: f64,
    worst: f64,
    step: f64,
}

impl Scale {
    /// The range of an encoder; `None` if it has no scale of constant quality.
    ///
    /// It leaves out what nobody looks for: qualities at which the file would be larger than most sources, and those
    /// at which little of the picture is left.
    pub(crate) fn of(encoder: &Encoder) -> Option<Self> {
        let whole = QualityScale::of(encoder)?;
        let (best, worst, step) = match (encoder.as_str(), encoder.kind(), encoder.codec()) {
            ("libx264" | "libx265", ..) => (10.0, 46.0, 0.1),
            ("libsvtav1", ..) => (5.0, 63.0, 1.0),
            ("librav1e", ..) | (_, EncoderKind::Vaapi, Some(Codec::Av1)) => (10.0, 255.0, 1.0),
            (_, EncoderKind::Apple, _) => (100.0, 10.0, 1.0),
            (_, _, Some(Codec::Mpeg2video | Codec::Mpeg4 | Codec::Mjpeg | Codec::Prores)) => {
                (2.0, 31.0, 1.0)
            }
            _ => (10.0, 55.0, 1.0),
        };
        let (least, most) = (whole.best.min(whole.worst), whole.best.max(whole.worst));
        Some(Self {
            best: f64::clamp(best, least, most),
            worst: f64::clamp(worst, least, most),
            step,
        })
    }

    /// The number of the last step; the first is 0.
    pub(crate) fn last(self) -> u32 {
        ((self.worst - self.best).abs() / self.step).round() as u32
    }

    /// The quality at a step, on the encoder's own scale.
    pub(crate) fn at(self, step: u32) -> f64 {
        let way = f64::from(step) * self.step * (self.worst - self.best).signum();
        // Tenths do not add up exactly.
        ((self.best + way) * 1000.0).round() / 1000.0
    }

    /// The length of a step.
    pub(crate) fn step(self) -> f64 {
        self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(encoder: &str) -> Scale {
        Scale::of(&encoder.parse().expect("a name")).expect("a scale")
    }

    #[test]
    fn steps_lead_from_the_best_picture_to_the_smallest_file() {
        let x264 = of("libx264");
        assert_eq!((x264.at(0), x264.at(143)), (10.0, 24.3));
        assert_eq!(x264.at(x264.last()), 46.0);
        let nvenc = of("hevc_nvenc");
        assert_eq!((nvenc.at(0), nvenc.at(nvenc.last())), (10.0, 51.0));
        let apple = of("hevc_videotoolbox");
        assert_eq!((apple.at(0), apple.at(apple.last())), (100.0, 10.0));
        assert_eq!(Scale::of(&"h264_v4l2m2m".parse().expect("a name")), None);
    }

    #[test]
    fn every_quality_is_one_that_a_recipe_may_ask_for() {
        for (encoder, _) in Encoder::catalogue() {
            let Some(scale) = Scale::of(&encoder) else {
                continue;
            };
            for step in 0..=scale.last() {
                let rate = common::recipe::Rate::Crf(scale.at(step));
                rate.check(&encoder).expect("on the encoder's scale");
            }
        }
    }
}
