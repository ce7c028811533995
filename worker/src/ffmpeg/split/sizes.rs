//! How long the chunks of a film should be.
//!
//! Long chunks cost little, and short ones let all workers end at the same time. So the first chunks are long, and each
//! further one is a share of what is left (guided self-scheduling).

/// The least length of a chunk, in seconds: each one costs a start of ffmpeg, and its rate control begins anew.
const LEAST: f64 = 10.0;

/// The least length of a chunk, in keyframe intervals of the source.
const LEAST_INTERVALS: f64 = 2.0;

/// The most chunks of a film: each one is a job, and all are stored in one batch.
pub const MOST_CHUNKS: usize = 2000;

/// A chunk has at most this share of what its encoder would do until the end: so no chunk that is begun late ends last.
const SHARE: f64 = 0.35;

/// How slow an encoder is taken for, compared with the mean. A slower one is given up on: another one repeats its
/// chunk.
const SLOWEST: f64 = 0.25;

/// The least length of a chunk, for a film with a keyframe every `interval` seconds.
pub fn least(interval: f64) -> f64 {
    LEAST.max(LEAST_INTERVALS * interval)
}

/// Lengths in seconds for a film of `total` seconds, of which as many encodes run at once as there are `speeds`, in any
/// one unit. No chunk is much shorter than `least` seconds.
pub fn guided(total: f64, speeds: &[f64], least: f64) -> Vec<f64> {
    let sum: f64 = speeds.iter().sum();
    let mean = sum / speeds.len().max(1) as f64;
    let slowest = speeds.iter().copied().fold(mean, f64::min);
    let share = match sum > 0.0 {
        true => SHARE * slowest.max(SLOWEST * mean) / sum,
        false => 1.0,
    };
    let least = least.max(2.0 * total / MOST_CHUNKS as f64);
    let mut lengths = Vec::new();
    let mut left = total;
    while left > 0.0 {
        let length = (left * share).max(least);
        // What would be left after it is too short for a chunk of its own.
        let length = if left < 1.5 * length { left } else { length };
        let length = if left < 2.0 * length && length < left {
            left / 2.0
        } else {
            length
        };
        lengths.push(length);
        left -= length;
    }
    lengths
}

/// Lengths of `each` seconds. They are longer if there would be too many of them.
pub fn equal(total: f64, each: f64) -> Vec<f64> {
    let each = each.max(total / MOST_CHUNKS as f64);
    let chunks = (total / each).round().max(1.0);
    vec![total / chunks; chunks as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILM: f64 = 7200.0;
    /// Seconds that a chunk costs beside its frames.
    const OVERHEAD: f64 = 0.05;

    /// Seconds until the last chunk ends, if each encoder takes the next chunk once it is free. Speeds are in seconds
    /// of film a second.
    fn makespan(lengths: &[f64], speeds: &[f64]) -> f64 {
        let mut free = vec![0.0; speeds.len()];
        for length in lengths {
            let next = (0..free.len()).min_by(|&a, &b| f64::total_cmp(&free[a], &free[b]));
            let next = next.expect("an encoder");
            free[next] += length / speeds[next] + OVERHEAD;
        }
        free.into_iter().fold(0.0, f64::max)
    }

    /// How much of the workers' time is spent on frames, for a film with a keyframe every `interval` seconds.
    fn efficiency(speeds: &[f64], interval: f64) -> f64 {
        let lengths = guided(FILM, speeds, least(interval));
        let total: f64 = lengths.iter().sum();
        assert!((total - FILM).abs() < 1e-6, "{total}");
        assert!(lengths.iter().all(|&length| length > 7.4), "{lengths:?}");
        let ideal = FILM / speeds.iter().sum::<f64>();
        ideal / makespan(&lengths, speeds)
    }

    #[test]
    fn workers_of_one_speed_are_busy_to_the_end() {
        for speed in [0.25, 1.0, 4.0] {
            for (workers, wanted) in [(2, 0.95), (8, 0.95), (32, 0.95), (64, 0.85)] {
                for interval in [0.7, 2.0, 5.0] {
                    let reached = efficiency(&vec![speed; workers], interval);
                    let what = format!("{workers} at {speed}, {interval} s: {reached}");
                    assert!(reached >= wanted, "{what}");
                }
            }
        }
    }

    #[test]
    fn workers_of_different_speeds_are_busy_to_the_end() {
        for times in [1, 2, 4, 8] {
            let slow_first = [1.0, 2.0, 4.0].repeat(times);
            let mut fast_first: Vec<f64> = slow_first.clone();
            fast_first.sort_by(|a, b| b.total_cmp(a));
            for speeds in [slow_first, fast_first] {
                let reached = efficiency(&speeds, 2.0);
                assert!(reached >= 0.9, "{}: {reached}", speeds.len());
            }
        }
    }

    #[test]
    fn chunks_are_bounded_in_number_and_length() {
        assert!(guided(1e6, &[1.0; 500], 10.0).len() <= MOST_CHUNKS);
        assert!(equal(1e6, 1.0).len() <= MOST_CHUNKS);
        assert_eq!(guided(12.0, &[1.0; 8], 10.0), [12.0]);
        assert_eq!(guided(18.0, &[1.0; 8], 10.0), [9.0, 9.0]);
        assert!(guided(0.0, &[1.0], 10.0).is_empty());
        assert_eq!(guided(100.0, &[], 10.0), [100.0]);
        assert_eq!(equal(100.0, 30.0), [100.0 / 3.0; 3]);
        assert_eq!(equal(1.0, 30.0), [1.0]);
        assert!((least(30.0) - 60.0).abs() < 1e-9);
    }
}
