//! The most bytes that an output may have, and whether a running encode will surely make more.
//!
//! What is written only grows, so an output that is over the limit stays over it. Before that, the rest of the film
//! would have to be smaller than its beginning was: an encode is stopped if the rest would have to take less than
//! half the bitrate of what is done. Scenes differ, so this is asked only after a tenth of the film, and not in its
//! first seconds.

use common::rules::MinSaving;

/// The least share of a film after which the size of the whole is estimated.
const LEAST_SHARE: f64 = 0.1;
/// The least time after which it is.
const LEAST_SECONDS: f64 = 10.0;
/// The share of a film after which an encode is finished in any case: it ends soon, and then its size is known.
const NEARLY: f64 = 0.95;
/// The seconds before the end of a film from which on it is, too.
const LAST_SECONDS: f64 = 1.0;
/// The share of the bitrate so far that the rest may take at most for an encode to be stopped.
const REST: f64 = 0.5;

/// The limit of an output's size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutputLimit {
    /// The saving that the rules ask for.
    pub asked: MinSaving,
    /// The most bytes.
    pub most: u64,
}

impl OutputLimit {
    /// The limit for the output of an input with so many bytes.
    pub fn new(asked: MinSaving, input: u64) -> Self {
        Self {
            asked,
            most: asked.most(input),
        }
    }

    /// The bytes that an output will have at least by an estimate, if they will be too many. `written` are its bytes
    /// so far, `time` is what is encoded of `duration`, in seconds.
    pub fn exceeded(&self, written: u64, time: f64, duration: Option<f64>) -> Option<u64> {
        let share = duration
            .filter(|duration| *duration > 0.0)
            .map(|duration| (time / duration).clamp(0.0, 1.0))
            .filter(|share| share.is_finite());
        let ends_soon = duration.is_some_and(|duration| duration - time < LAST_SECONDS);
        if ends_soon || share.is_some_and(|share| share > NEARLY) {
            return None;
        }
        let share = share.filter(|share| *share >= LEAST_SHARE && time >= LEAST_SECONDS);
        let estimate = share.map_or(written, |share| (written as f64 / share) as u64);
        if written > self.most {
            return Some(estimate.max(written));
        }
        let share = share?;
        // What the output has if the rest takes this share of the bitrate so far.
        let least = written as f64 * (1.0 + REST * (1.0 - share) / share);
        (least > self.most as f64).then_some(estimate)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(input: u64) -> OutputLimit {
        OutputLimit::new("0%".parse().expect("a saving"), input)
    }

    #[test]
    fn an_encode_is_stopped_as_the_table_says() {
        // Of 1,000,000 bytes, 1,005,000 are allowed.
        let limit = limit(1_000_000);
        for (written, time, duration, expected) in [
            // What is written is too much already, whenever that is.
            (1_005_001, 0.1, Some(100.0), Some(1_005_001)),
            (1_005_001, 50.0, None, Some(1_005_001)),
            (1_005_001, 50.0, Some(100.0), Some(2_010_002)),
            (1_005_000, 99.0, Some(100.0), None),
            // Too early for an estimate: less than a tenth, or less than ten seconds.
            (900_000, 9.0, Some(100.0), None),
            (900_000, 9.0, Some(20.0), None),
            (900_000, 50.0, None, None),
            // After a tenth, 1.8 times the limit.
            (180_000, 10.0, Some(100.0), None),
            (184_000, 10.0, Some(100.0), Some(1_840_000)),
            // After half, 1.33 times.
            (660_000, 50.0, Some(100.0), None),
            (671_000, 50.0, Some(100.0), Some(1_342_000)),
            // Near the end, hardly more than the limit.
            (960_000, 90.0, Some(100.0), Some(1_066_666)),
            (950_000, 90.0, Some(100.0), None),
            // It ends soon.
            (1_900_000, 96.0, Some(100.0), None),
            (1_900_000, 0.0, Some(0.8), None),
            // More than all of it.
            (1_000_000, 500.0, Some(100.0), None),
            (0, 50.0, Some(100.0), None),
            (900_000, 50.0, Some(0.0), None),
            (900_000, f64::NAN, Some(100.0), None),
        ] {
            let found = limit.exceeded(written, time, duration);
            assert_eq!(found, expected, "{written} after {time} of {duration:?}");
        }
    }

    proptest! {
        #[test]
        fn no_encode_is_stopped_whose_parts_take_at_least_half_of_the_bitrate_before(
            input in 1_000_u64..1_000_000_000,
            sizes in prop::collection::vec(1_000_u64..2_000, 100),
            scale in 1_u64..10_000,
        ) {
            // A film of 100 parts, 10 seconds each, none of which has less than half the bytes of another.
            let total: u64 = sizes.iter().map(|size| size * scale).sum();
            let limit = limit(input);
            let mut written = 0;
            for (nth, size) in sizes.iter().enumerate() {
                written += size * scale;
                let time = (nth + 1) as f64 * 10.0;
                if let Some(would_be) = limit.exceeded(written, time, Some(1_000.0)) {
                    prop_assert!(total > limit.most, "{total} fits into {}", limit.most);
                    prop_assert!(would_be > limit.most);
                    break;
                }
            }
        }
    }
}
