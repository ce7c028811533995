//! The frame rate: which frames of a film become frames of the output, and when they are shown.

use common::recipe::{FrameRate, FramesPerSecond, VideoEncode};

use super::{Picture, Task};
use crate::ffmpeg::probe::media::{Ratio, Stream};

/// How the frames of a film become those of the output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pace {
    /// Each frame, at its own time.
    Keep,
    /// Each frame whose number is a multiple of this one, at its own time.
    Every(u32),
    /// A frame at each tick of this rate: frames are repeated or left out.
    Constant(FramesPerSecond),
    /// Frames that follow each other too fast move to the ticks of this rate, or are left out. All others keep their
    /// times.
    AtMost(FramesPerSecond),
}

/// The fraction by which two rates may differ and still count as the same: containers round times.
const SAME: f64 = 0.01;

/// The fraction of a tick by which a frame may move to it. At exactly one half, rounding would decide.
const NEAR: f64 = 0.49;

/// Seconds within which a frame is at a tick.
const ROUNDING: f64 = 0.0006;

/// Units per second in which times are nearly exact.
const FINE_UNITS: u32 = 90_000;

impl Pace {
    pub(crate) fn of(video: &VideoEncode, film: &Stream) -> Self {
        match video.frame_rate {
            FrameRate::Keep => Self::Keep,
            FrameRate::Half => Self::Every(2),
            FrameRate::Constant(rate) => Self::Constant(rate),
            FrameRate::Peak(peak) => match film.mean_rate.filter(|_| film.is_steady) {
                None => Self::AtMost(peak),
                Some(rate) => {
                    let times = rate.value() / peak.value();
                    let whole = times.round();
                    if times < 1.0 + SAME {
                        Self::Keep
                    } else if (times / whole - 1.0).abs() < SAME {
                        Self::Every(whole as u32)
                    } else {
                        Self::Constant(peak)
                    }
                }
            },
        }
    }

    /// Whether the output has frames of the film at their own times only.
    pub(crate) fn keeps_times(self) -> bool {
        matches!(self, Self::Keep | Self::Every(_))
    }

    /// How many frames of the film lie between two of the output.
    pub(crate) fn step(self) -> u32 {
        match self {
            Self::Every(step) => step,
            _ => 1,
        }
    }

    /// The unit of the output's timestamps, if it is not the film's own.
    pub(crate) fn time_base(self) -> Option<Ratio> {
        match self {
            Self::Constant(rate) => Some(Ratio {
                numerator: rate.denominator,
                denominator: rate.numerator,
            }),
            Self::AtMost(rate) => Some(fine_unit(rate)),
            Self::Keep | Self::Every(_) => None,
        }
    }

    /// The frame rate of the output, if it is another one than the film's and known.
    pub(crate) fn rate(self, film: &Stream) -> Option<Ratio> {
        match self {
            Self::Constant(rate) => Some(Ratio {
                numerator: rate.numerator,
                denominator: rate.denominator,
            }),
            Self::Every(step) => film.mean_rate.map(|rate| Ratio {
                denominator: rate.denominator.saturating_mul(step),
                ..rate
            }),
            Self::Keep | Self::AtMost(_) => None,
        }
    }

    /// The number of frames that become of frames at these times, of which the last one ends at `end`. It is exact if
    /// the times are kept.
    pub(crate) fn frames(self, times: &[f64], end: f64) -> u64 {
        let mut times = times.to_vec();
        times.sort_by(f64::total_cmp);
        let all = times.len() as u64;
        match self {
            Self::Keep => all,
            Self::Every(step) => all.div_ceil(u64::from(step)),
            Self::Constant(rate) => {
                let Some(first) = times.first() else { return 0 };
                let ticks = |time: f64| (time * rate.value()).round();
                (ticks(end) - ticks(*first)).max(1.0) as u64
            }
            Self::AtMost(rate) => at_most(&times, 1.0 / rate.value()),
        }
    }

    fn filter(self) -> Option<String> {
        match self {
            Self::Keep => None,
            Self::Every(step) => Some(format!("framestep=step={step}")),
            Self::Constant(rate) => Some(format!("fps=fps={rate}")),
            Self::AtMost(rate) => Some(moved(rate)),
        }
    }
}

/// A unit in which the ticks of a rate are whole numbers, and all other times nearly exact.
fn fine_unit(rate: FramesPerSecond) -> Ratio {
    Ratio {
        numerator: 1,
        denominator: rate.numerator * FINE_UNITS.div_ceil(rate.numerator),
    }
}

/// The filters of [`Pace::AtMost`]. A frame that is left out gets the time of the frame before it, and goes.
///
/// The variables: 0 the next tick, 1 the time since the last frame, 2 the time of the last frame, 3 the new time, 4
/// the new time of the last frame that stays.
fn moved(rate: FramesPerSecond) -> String {
    let tick = 1.0 / rate.value();
    let (near, slow) = (NEAR * tick, (1.0 - 2.0 * SAME) * tick);
    format!(
        "settb={},\
         setpts='st(1,T-ld(2));st(2,T);\
         st(3,if(N,if(gte(T,ld(0)-{near:.9}),if(lt(ld(1),{slow:.9}),if(lte(abs(T-ld(0)),{ROUNDING}),T,\
         if(lte(T,ld(0)+{near:.9}),ld(0),T)),if(gte(T,ld(0)-{ROUNDING}),T,ld(0))),ld(4)),T));\
         if(N*eq(ld(3),ld(4)),0,st(0,ld(3)+{tick:.9}));st(4,ld(3));round(ld(3)/TB)',\
         select='isnan(prev_selected_pts)+gt(pts,prev_selected_pts)'",
        fine_unit(rate)
    )
}

/// The number of frames that [`moved`] leaves.
fn at_most(times: &[f64], tick: f64) -> u64 {
    let near = NEAR * tick;
    let (mut next, mut last, mut stayed) = (f64::NEG_INFINITY, f64::NEG_INFINITY, 0);
    for &time in times {
        let is_fast = time - last < (1.0 - 2.0 * SAME) * tick;
        last = time;
        if time < next - near {
            continue;
        }
        stayed += 1;
        let moves = is_fast && (time - next).abs() > ROUNDING && time <= next + near;
        let shown = match is_fast {
            true if moves => next,
            true => time,
            false if time >= next - ROUNDING => time,
            false => next,
        };
        next = shown + tick;
    }
    stayed
}

/// Adds the filters of the film's pace.
pub(super) fn keep(task: &Task<'_>, picture: &mut Picture) {
    picture
        .filters
        .extend(Pace::of(task.video, task.film).filter());
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::recipe::Choice;

    fn pace(rate: &str, film: (u32, u32)) -> Pace {
        let mut video = VideoEncode::new(Choice::Encoder("libx264".parse().expect("a name")));
        video.frame_rate = rate.parse().expect("a rate");
        let ratio = |numerator| {
            Some(Ratio {
                numerator,
                denominator: 1001,
            })
        };
        let film = Stream {
            base_rate: ratio(film.0),
            mean_rate: ratio(film.1),
            is_steady: film.0 == film.1,
            ..Stream::default()
        };
        Pace::of(&video, &film)
    }

    #[test]
    fn a_constant_rate_is_halved_where_that_is_enough() {
        let rate = |numerator, denominator| FramesPerSecond {
            numerator,
            denominator,
        };
        let constant = |frames| (frames, frames);
        assert_eq!(pace("keep", constant(24000)), Pace::Keep);
        assert_eq!(pace("half", constant(60000)), Pace::Every(2));
        assert_eq!(pace("25", constant(24000)), Pace::Constant(rate(25, 1)));
        assert_eq!(pace("peak:30", constant(24000)), Pace::Keep);
        assert_eq!(pace("peak:30", constant(30000)), Pace::Keep);
        assert_eq!(pace("peak:30", constant(60000)), Pace::Every(2));
        assert_eq!(pace("peak:30", constant(120_000)), Pace::Every(4));
        assert_eq!(
            pace("peak:25", constant(30000)),
            Pace::Constant(rate(25, 1))
        );
        assert_eq!(pace("peak:30", (60000, 41000)), Pace::AtMost(rate(30, 1)));
    }

    #[test]
    fn frames_are_counted_as_the_filters_make_them() {
        let at =
            |fps: f64, from: f64, frames: u32| (0..frames).map(move |n| from + f64::from(n) / fps);
        let sixty: Vec<f64> = at(60.0, 0.0, 60).collect();
        let frames = |text: &str, times: &[f64], end| pace(text, (60000, 41000)).frames(times, end);
        assert_eq!(frames("keep", &sixty, 1.0), 60);
        assert_eq!(frames("half", &sixty[..59], 1.0), 30);
        assert_eq!(frames("25", &sixty, 1.0), 25);
        assert_eq!(frames("peak:50", &sixty, 1.0), 50);
        // Fast, slow and fast again: what is slow enough stays as it is.
        let slow = at(20.0, 1.0, 20);
        let all: Vec<f64> = sixty
            .iter()
            .copied()
            .chain(slow)
            .chain(at(60.0, 2.0, 30))
            .collect();
        assert_eq!(frames("peak:50", &all, 2.5), 95);
        assert_eq!(frames("peak:30", &all, 2.5), 65);
        assert_eq!(frames("peak:30", &[], 0.0), 0);
    }
}
