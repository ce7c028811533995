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
    /// Something is heard; with a trial of the correction if that changes the gain over time.
    Heard(Levels, Option<Trial>),
}

/// What a trial of a gain that changes over time has shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Trial {
    /// What `loudnorm` has to add to meet the wanted loudness, in dB.
    pub offset: f64,
    /// The integrated loudness that it then reaches, in LUFS. Peaks may not allow all that is wanted.
    pub reached: f64,
}

impl Measured {
    /// The correction that must be tried, because it changes the gain over time. `None` if one gain, or none, is right.
    pub fn to_be_tried(&self, wanted: &Loudness) -> Option<Correction> {
        let Self::Heard(levels, _) = self else {
            return None;
        };
        let gain = wanted.integrated - levels.integrated;
        let is_fine = levels.peak + gain <= wanted.peak && levels.range <= wanted.range;
        (gain <= MOST_GAIN && !is_fine).then_some(Correction::Dynamic {
            wanted: *wanted,
            levels: *levels,
            offset: 0.0,
        })
    }
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
    Dynamic {
        wanted: Loudness,
        levels: Levels,
        /// What is added, in dB.
        offset: f64,
    },
}

impl Correction {
    /// The same correction with this much added, in dB.
    pub fn adding(self, added: f64) -> Self {
        match self {
            Self::Gain(gain) => Self::Gain(gain + added),
            Self::Dynamic {
                wanted,
                levels,
                offset,
            } => Self::Dynamic {
                wanted,
                levels,
                offset: offset + added,
            },
        }
    }

    /// ffmpeg's filter.
    pub fn filter(&self) -> String {
        match self {
            Self::Gain(gain) => format!("volume={gain:.2}dB"),
            Self::Dynamic {
                wanted,
                levels,
                offset,
            } => format!(
                "loudnorm=I={}:LRA={}:TP={}:measured_I={}:measured_LRA={}:measured_TP={}:measured_thresh={}:\
                 offset={offset:.2}",
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
    let (levels, trial) = match measured {
        Measured::Silent => {
            let why = "there is nothing to make louder";
            return (None, kept("silence".to_owned(), why.to_owned()));
        }
        Measured::Heard(levels, trial) => (levels, trial.unwrap_or_default()),
    };
    let gain = wanted.integrated - levels.integrated;
    if gain > MOST_GAIN {
        let why = format!(
            "it would need {gain:.1} dB more, and above {MOST_GAIN} dB noise would be heard"
        );
        return (None, kept(levels.to_string(), why));
    }
    let (correction, reached, how) = match measured.to_be_tried(wanted) {
        None if gain.abs() < NO_DIFFERENCE => {
            let why = "it already is as loud as asked for";
            return (None, kept(levels.to_string(), why.to_owned()));
        }
        None => {
            let how = format!("by {gain:+.1} dB");
            (Correction::Gain(gain), wanted.integrated, how)
        }
        Some(dynamic) => {
            let why = if levels.peak + gain > wanted.peak {
                format!("peaks would be above {} dBTP", wanted.peak)
            } else {
                format!("its range is wider than {} LU", wanted.range)
            };
            let how = format!("by a gain that changes over time, because {why}");
            (dynamic.adding(trial.offset), trial.reached, how)
        }
    };
    let change = Change::converted(
        Kind::Loudness,
        index,
        levels.to_string(),
        format!("{reached:.1} LUFS"),
        how,
    );
    (Some(correction), change.wanted())
}

/// The change of a track that is measured only by its job.
pub(super) fn unmeasured(wanted: &Loudness, index: usize) -> Change {
    let to = format!("{:.1} LUFS", wanted.integrated);
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

/// Reads what the filter `ebur128` reports of several tracks. Each of them has a name.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meter {
    /// The numbers of the tracks, and what was read of each.
    read: Vec<(usize, Levels)>,
    /// Whether the lines are about the loudness range, and not about the integrated loudness.
    is_range: bool,
}

impl Meter {
    /// The filter that measures a track.
    pub fn filter(number: usize) -> String {
        format!("ebur128@meter{number}=peak=true:framelog=verbose")
    }

    /// Takes a line of ffmpeg's log.
    pub fn line(&mut self, line: &str) {
        if let Some((_, rest)) = line.split_once("ebur128@meter") {
            let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
            if let Ok(number) = digits.parse() {
                self.read.push((number, Levels::default()));
            }
            return;
        }
        let (Some((_, levels)), Some((name, value))) = (self.read.last_mut(), line.split_once(':'))
        else {
            return;
        };
        let value = value.split_whitespace().next().map(str::parse);
        match (name.trim(), value) {
            ("Integrated loudness", _) => self.is_range = false,
            ("Loudness range", _) => self.is_range = true,
            ("I", Some(Ok(value))) => levels.integrated = value,
            ("Threshold", Some(Ok(value))) if !self.is_range => levels.threshold = value,
            ("LRA", Some(Ok(value))) => levels.range = value,
            ("Peak", Some(Ok(value))) => levels.peak = value,
            _ => {}
        }
    }

    /// The loudness of a track.
    pub fn of(&self, number: usize) -> Measured {
        let mut read = self.read.iter().rev();
        let found = read.find(|(of, _)| *of == number).map(|(_, levels)| levels);
        // The filter reports -70 LUFS for silence.
        let is_heard = |levels: &&Levels| {
            levels.integrated.is_finite() && levels.integrated > -70.0 && levels.peak.is_finite()
        };
        match found.filter(is_heard) {
            Some(levels) => Measured::Heard(*levels, None),
            None => Measured::Silent,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Loudness {
        Loudness::default()
    }

    fn heard(integrated: f64, range: f64, peak: f64) -> Measured {
        let levels = Levels {
            integrated,
            range,
            peak,
            threshold: integrated - 10.0,
        };
        let trial = Trial {
            offset: -0.5,
            reached: -23.1,
        };
        Measured::Heard(levels, Some(trial))
    }

    #[test]
    fn one_gain_is_used_wherever_peaks_and_range_allow_it() {
        for (measured, filter, words) in [
            (
                heard(-30.0, 5.0, -12.0),
                "volume=7.00dB",
                "to -23.0 LUFS: by +7.0 dB",
            ),
            (heard(-20.0, 7.0, 1.0), "volume=-3.00dB", "by -3.0 dB"),
            (heard(-38.0, 5.0, -20.0), "volume=15.00dB", "by +15.0 dB"),
            (
                heard(-38.1, 5.0, -20.0),
                "",
                "above 15 dB noise would be heard",
            ),
            (heard(-23.05, 5.0, -9.0), "", "already"),
            (
                heard(-30.0, 5.0, -8.0),
                "loudnorm=",
                "peaks would be above -2 dBTP",
            ),
            (
                heard(-30.0, 9.0, -12.0),
                "loudnorm=",
                "to -23.1 LUFS: by a gain",
            ),
            (Measured::Silent, "", "silence"),
        ] {
            let (correction, change) = correct(&wanted(), &measured, 1);
            let made = correction
                .map(|correction| correction.filter())
                .unwrap_or_default();
            assert!(
                made.starts_with(filter) && made.is_empty() == filter.is_empty(),
                "{made}"
            );
            let change = change.to_string();
            assert!(change.contains(words), "{change}");
            assert_eq!(
                made.contains("offset=-0.50"),
                made.starts_with("loudnorm"),
                "{made}"
            );
        }
    }

    #[test]
    fn reports_of_several_tracks_are_told_apart() {
        let mut meter = Meter::default();
        for line in [
            "[ebur128@meter1 @ 0x7fb6b8001c40] Summary:",
            "  Integrated loudness:",
            "    I:         -21.6 LUFS",
            "    Threshold: -31.6 LUFS",
            "  Loudness range:",
            "    LRA:         1.2 LU",
            "    Threshold: -41.6 LUFS",
            "    LRA low:   -21.6 LUFS",
            "  True peak:",
            "    Peak:      -14.7 dBFS",
            "[ebur128@meter0 @ 0x7fb6b4002300] Summary:",
            "    I:         -70.0 LUFS",
            "    Peak:       -inf dBFS",
        ] {
            meter.line(line);
        }
        let levels = Levels {
            integrated: -21.6,
            range: 1.2,
            peak: -14.7,
            threshold: -31.6,
        };
        assert_eq!(meter.of(1), Measured::Heard(levels, None));
        assert_eq!(meter.of(0), Measured::Silent);
        assert_eq!(meter.of(2), Measured::Silent);
    }
}
