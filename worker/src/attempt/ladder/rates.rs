//! Bits per second of a stream.

use crate::ffmpeg::containers::cmaf::Part;

/// Mean and peak of a stream's bits per second. The peak is that of any segments in a row that last between half and
/// one and a half of the longest one, as HLS defines it: a short segment at the end says nothing.
pub(super) fn rates(segments: &[Part]) -> (u64, u64) {
    let longest = segments.iter().map(|part| part.seconds);
    let longest = longest.fold(0.0, f64::max);
    let seconds: f64 = segments.iter().map(|part| part.seconds).sum();
    let bytes: u64 = segments.iter().map(|part| part.bytes.length).sum();
    let average = per_second(bytes, seconds);
    let mut peak = average;
    for first in 0..segments.len() {
        let (mut bytes, mut seconds) = (0, 0.0);
        for part in &segments[first..] {
            bytes += part.bytes.length;
            seconds += part.seconds;
            if seconds > 1.5 * longest {
                break;
            }
            if seconds >= 0.5 * longest {
                peak = peak.max(per_second(bytes, seconds));
            }
        }
    }
    (average, peak)
}

fn per_second(bytes: u64, seconds: f64) -> u64 {
    match seconds > 0.0 {
        true => (bytes as f64 * 8.0 / seconds).ceil() as u64,
        false => bytes * 8,
    }
}

#[cfg(test)]
mod tests {
    use common::job::ladder::ByteRange;

    use super::*;

    #[test]
    fn a_short_last_segment_makes_no_peak() {
        let part = |length, seconds| Part {
            bytes: ByteRange { offset: 0, length },
            seconds,
        };
        let segments = [part(6000, 6.0), part(12000, 6.0), part(1000, 0.1)];
        let (average, peak) = rates(&segments);
        assert_eq!(average, 12562);
        // The second one with the last.
        assert_eq!(peak, 17050);
        assert_eq!(rates(&[part(500, 0.5)]), (8000, 8000));
        assert_eq!(rates(&[]), (0, 0));
    }
}
