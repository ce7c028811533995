//! The times at which frames are shown: a constant frame rate stays constant.
//!
//! Matroska counts in milliseconds, and a frame of 1001/24000 s does not last a whole number of them. Copied to mp4,
//! the rounded times would count as exact, and the rate would no longer be constant. Each time that is close to a
//! time of the constant rate is therefore set to that time.

use common::recipe::Container;

use crate::ffmpeg::probe::media::{Ratio, Stream};

/// A constant frame rate, and a time base that expresses it exactly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::ffmpeg) struct Clock {
    rate: Ratio,
    /// The accepted error of a time, as a fraction of a frame.
    off: f64,
    /// Units per second.
    units: u32,
}

/// A time base of at least this many units per second is written to mp4 unchanged.
const FINE_UNITS: u32 = 10_000;

impl Clock {
    /// The clock of a film with rounded times, for a container with exact ones. `None` if the film's times are
    /// already exact, or if its rate is not constant.
    pub(in crate::ffmpeg) fn of(film: &Stream, container: Container) -> Option<Self> {
        if !container.is_mp4() {
            return None;
        }
        let (rate, mean, unit) = (film.base_rate?, film.mean_rate?, film.time_base?);
        let frame = u64::from(unit.denominator) * u64::from(rate.denominator);
        let is_exact = frame.is_multiple_of(u64::from(unit.numerator) * u64::from(rate.numerator));
        let is_constant = (mean.value() / rate.value() - 1.0).abs() < 0.001;
        if is_exact || !is_constant {
            return None;
        }
        let off = 0.6 * unit.value() * rate.value();
        let mut units = rate.numerator;
        while units < FINE_UNITS {
            units = units.checked_mul(2)?;
        }
        (off < 0.2).then_some(Self { rate, off, units })
    }

    /// The time base: one unit, in seconds.
    pub(in crate::ffmpeg) fn unit(self) -> Ratio {
        Ratio {
            numerator: 1,
            denominator: self.units,
        }
    }

    /// The bitstream filter that corrects the times of packets. A packet lasts as long as `step` frames of the film.
    pub(in crate::ffmpeg) fn filter(self, step: u32) -> String {
        let Self { rate, off, .. } = self;
        let time = |name: &str| {
            let frames = format!("({name}-STARTPTS)*TB*{rate}");
            let exact = format!(
                "round({frames})*{}/{}/TB+STARTPTS",
                rate.denominator, rate.numerator
            );
            format!("'if(lt(abs({frames}-round({frames})),{off:.4}),{exact},{name})'")
        };
        format!(
            "setts=pts={}:dts={}:duration='{}/{}/TB'",
            time("PTS"),
            time("DTS"),
            rate.denominator * step,
            rate.numerator
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(rate: (u32, u32), mean: (u32, u32), unit: u32) -> Stream {
        let ratio = |(numerator, denominator)| {
            Some(Ratio {
                numerator,
                denominator,
            })
        };
        Stream {
            base_rate: ratio(rate),
            mean_rate: ratio(mean),
            time_base: ratio((1, unit)),
            ..Stream::default()
        }
    }

    #[test]
    fn only_a_constant_rate_that_was_rounded_needs_a_clock() {
        let ntsc = (24000, 1001);
        let clock = Clock::of(&film(ntsc, ntsc, 1000), Container::Mp4).expect("rounded");
        assert_eq!(clock.unit().denominator, 24000);
        assert_eq!(Clock::of(&film(ntsc, ntsc, 1000), Container::Mkv), None);
        assert_eq!(Clock::of(&film(ntsc, ntsc, 24000), Container::Mp4), None);
        assert_eq!(
            Clock::of(&film((25, 1), (25, 1), 1000), Container::Mp4),
            None
        );
        assert_eq!(Clock::of(&film(ntsc, (20, 1), 1000), Container::Mp4), None);
        let sixty = Clock::of(&film((60, 1), (60, 1), 1000), Container::Mp4).expect("rounded");
        assert_eq!(sixty.unit().denominator, 15360);
    }
}
