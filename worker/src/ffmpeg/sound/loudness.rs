//! Loudness normalisation by EBU R 128: what was measured of a track, and the filter that corrects it.
//!
//! The correction is one gain for the whole track wherever that is enough. If the true peak would then be above its
//! limit, or if the range of loudness is wider than asked for, ffmpeg's `loudnorm` changes the gain over time.

use common::job::changes::{Change, Kind};
use common::recipe::Loudness;

/// The most amplification, in dB. A track that needs more is nearly silent, and mostly noise would be heard.
const MOST_GAIN: f64 = 15.0;

/// A difference of loudness that is not worth a correction, in LU: a tenth is the precision of a measurement.
const NO_DIFFERENCE: f64 = 0.1;

/// The range of loudness that every version of `loudnorm` accepts. It only decides whether one gain is enough, which is
/// decided here.
const WIDEST_RANGE: f64 = 20.0;

/// The loudness of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Measured {
    /// Nothing is heard, or too little for a measurement.
    Silent,
    Heard(Levels),
}

/// The loudness of a track that is heard.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Levels {
    /// Integrated loudness in LUFS.
    pub integrated: f64,
    /// Loudness range in LU.
    pub range: f64,
    /// True peak in dBTP.
    pub peak: f64,
    /// The loudness below which parts do not count, in LUFS.
    pub threshold: f64,
}

/// How the loudness of a track is corrected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Correction {
    /// By one gain, in dB.
    Gain(f64),
    /// By a gain that changes over time.
    Dynamic { wanted: Loudness, levels: Levels },
}

impl Correction {
    /// ffmpeg's filter.
    pub(super) fn filter(&self) -> String {
        match self {
            Self::Gain(gain) => format!("volume={gain:.2}dB"),
            Self::Dynamic { wanted, levels } => format!(
                "loudnorm=I={}:LRA={}:TP={}:measured_I={}:measured_LRA={}:measured_TP={}:measured_thresh={}",
                wanted.integrated,
                wanted.range.min(WIDEST_RANGE),
                wanted.peak,
                levels.integrated,
                levels.range,
                levels.peak,
                levels.threshold
            ),
        }
    }
}

/// The correction of a track, and what becomes of its loudness.
pub(super) fn correct(
    wanted: &Loudness,
    measured: &Measured,
    index: usize,
) -> (Option<Correction>, Change) {
    let kept = |from: String, why: String| Change {
        why: Some(why),
        ..Change::kept(Kind::Loudness, index, from)
    };
    let levels = match measured {
        Measured::Silent => {
            let change = kept(
                "silence".to_owned(),
                "there is nothing to make louder".to_owned(),
            );
            return (None, change);
        }
        Measured::Heard(levels) => levels,
    };
    let gain = wanted.integrated - levels.integrated;
    let is_peak_fine = levels.peak + gain <= wanted.peak;
    if gain > MOST_GAIN {
        let why = format!(
            "it would need {gain:.1} dB more, and above {MOST_GAIN} dB noise would be heard"
        );
        return (None, kept(levels.to_string(), why));
    }
    if gain.abs() < NO_DIFFERENCE && is_peak_fine && levels.range <= wanted.range {
        let why = "it already is as loud as asked for".to_owned();
        return (None, kept(levels.to_string(), why));
    }
    let (correction, how) = if is_peak_fine && levels.range <= wanted.range {
        (Correction::Gain(gain), format!("by {gain:+.1} dB"))
    } else {
        let dynamic = Correction::Dynamic {
            wanted: *wanted,
            levels: *levels,
        };
        let why = if is_peak_fine {
            format!("its range is wider than {} LU", wanted.range)
        } else {
            format!("its peaks would be above {} dBTP", wanted.peak)
        };
        (
            dynamic,
            format!("by a gain that changes over time, because {why}"),
        )
    };
    let to = format!("{} LUFS", wanted.integrated);
    let change = Change::converted(Kind::Loudness, index, levels.to_string(), to, how).wanted();
    (Some(correction), change)
}

/// The change of a track that is measured only by its job.
pub(super) fn unmeasured(wanted: &Loudness, index: usize) -> Change {
    let to = format!("{} LUFS", wanted.integrated);
    let why = "it is measured before the encode";
    Change::converted(Kind::Loudness, index, "not measured yet", to, why).wanted()
}

/// `-27.3 LUFS, range 5.1 LU, peak -4.2 dBTP`.
impl std::fmt::Display for Levels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} LUFS, range {} LU, peak {} dBTP",
            self.integrated, self.range, self.peak
        )
    }
}
