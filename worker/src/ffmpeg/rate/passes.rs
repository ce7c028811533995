//! Two passes: the encoder writes statistics in the first run of ffmpeg, and reads them in the second.
//!
//! The statistics lie in the folder where ffmpeg runs, under fixed names, so that no path needs to be escaped.

use common::recipe::VideoEncode;
use common::recipe::encoder::Encoder;

use crate::ffmpeg::build::Build;
use crate::ffmpeg::probe::media::{Ratio, Stream};

/// The beginning of the names of all files with statistics.
pub const STATISTICS: &str = "passes";

/// One of two passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ffmpeg) enum Pass {
    First,
    Second,
}

impl Pass {
    fn number(self) -> u8 {
        match self {
            Self::First => 1,
            Self::Second => 2,
        }
    }

    /// The options for the output's video stream of this number.
    pub(in crate::ffmpeg) fn options(self, encoder: &Encoder, stream: usize) -> Vec<String> {
        // x265 has parameters of its own for this.
        if encoder.as_str() == "libx265" {
            return Vec::new();
        }
        vec![
            format!("-pass:v:{stream}"),
            self.number().to_string(),
            format!("-passlogfile:v:{stream}"),
            STATISTICS.to_owned(),
        ]
    }

    /// The entries for the encoder's own parameter list.
    pub(in crate::ffmpeg) fn params(self, encoder: &Encoder, stream: usize) -> Vec<String> {
        if encoder.as_str() != "libx265" {
            return Vec::new();
        }
        vec![
            format!("pass={}", self.number()),
            format!("stats={STATISTICS}-{stream}.log"),
        ]
    }
}

/// Whether the encoder's second pass needs frames that last one unit of time each: an old ffmpeg hands no lengths of
/// frames on, and then these encoders take one unit for the length of each, and spread a fraction of the bits.
fn counts_units(encoder: &Encoder, build: &Build) -> bool {
    let asks = matches!(encoder.as_str(), "libvpx" | "libvpx-vp9" | "libaom-av1");
    asks && !build.hands_lengths_on()
}

/// The unit of time that the encoder needs in two passes; `None` if it may have any.
pub(in crate::ffmpeg) fn unit(encoder: &Encoder, build: &Build, film: &Stream) -> Option<Ratio> {
    let (rate, mean) = (film.base_rate?, film.mean_rate?);
    let is_constant = (mean.value() / rate.value() - 1.0).abs() < 0.001;
    (is_constant && counts_units(encoder, build)).then_some(Ratio {
        numerator: rate.denominator,
        denominator: rate.numerator,
    })
}

/// How often the encoder of this build sees the video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ffmpeg) enum Passes {
    One,
    Two,
    /// Two are asked for, and this build has one only.
    Missing,
}

impl Passes {
    pub(in crate::ffmpeg) fn of(
        video: &VideoEncode,
        encoder: &Encoder,
        build: &Build,
        films: &[Stream],
    ) -> Self {
        let has_units = |film| unit(encoder, build, film).is_some();
        let has_them = match encoder.as_str() {
            "libsvtav1" => build.passes_statistics_of_svtav1(),
            _ => !counts_units(encoder, build) || films.iter().all(has_units),
        };
        match (video.wants_two_passes(encoder), has_them) {
            (false, _) => Self::One,
            (true, true) => Self::Two,
            // A size is reached in one pass, too.
            (true, false) if !video.two_pass => Self::One,
            (true, false) => Self::Missing,
        }
    }
}
