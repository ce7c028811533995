//! Parses the output of `ffmpeg -progress`.

use common::job::progress::EncodeProgress;

/// Parses `key=value` lines. Each block of them ends with `progress=…`.
#[derive(Default)]
pub struct ProgressReader {
    block: EncodeProgress,
}

impl ProgressReader {
    /// Takes a line. Returns the figures if the line completes a block.
    ///
    /// A value such as `N/A` leaves the last known figure. Unknown keys are ignored.
    pub fn line(&mut self, line: &str) -> Option<EncodeProgress> {
        let (key, value) = line.split_once('=')?;
        let value = value.trim();
        let block = &mut self.block;
        match key.trim() {
            "frame" => set(&mut block.frame, value),
            "fps" => set_finite(&mut block.fps, value),
            "speed" => set_finite(&mut block.speed, value.trim_end_matches('x')),
            "bitrate" => {
                if let Some(kilobits) = number(value.trim_end_matches("kbits/s")) {
                    block.bitrate = kilobits * 1000.0;
                }
            }
            "total_size" => set(&mut block.size, value),
            "out_time_us" => {
                // The time is negative before the first frame of a stream that starts early.
                if let Ok(microseconds) = value.parse::<i64>() {
                    block.time = microseconds.max(0) as f64 / 1e6;
                }
            }
            "progress" => return Some(corrected(*block)),
            _ => {}
        }
        None
    }
}

/// Seconds of wall time before which the speed means nothing: the frame queues fill faster than the encoder works.
const EARLY: f64 = 0.5;

/// Corrects the figures of the first second. ffmpeg prints 0 frames per second until one second is over, but prints a
/// speed from the start.
fn corrected(mut block: EncodeProgress) -> EncodeProgress {
    if block.fps <= 0.0 {
        let seconds = block.time / f64::from(block.speed);
        if seconds.is_finite() && seconds >= EARLY {
            block.fps = (block.frame as f64 / seconds) as f32;
        } else {
            block.speed = 0.0;
        }
    }
    block
}

fn set(target: &mut u64, value: &str) {
    if let Ok(value) = value.parse() {
        *target = value;
    }
}

fn set_finite(target: &mut f32, value: &str) {
    if let Some(value) = number(value) {
        *target = value;
    }
}

fn number(text: &str) -> Option<f32> {
    let number: f32 = text.trim().parse().ok()?;
    number.is_finite().then_some(number)
}

/// Whether an encode made progress between two reports.
pub(crate) fn advanced(before: &EncodeProgress, after: &EncodeProgress) -> bool {
    after.frame > before.frame || after.time > before.time || after.size > before.size
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<EncodeProgress> {
        let mut reader = ProgressReader::default();
        text.lines().filter_map(|line| reader.line(line)).collect()
    }

    #[test]
    fn frames_per_second_of_the_first_second_are_computed() {
        let early =
            read("frame=138\nfps=0.00\nout_time_us=5520000\nspeed=1.77x\nprogress=continue\n");
        assert!((early[0].fps - 44.25).abs() < 0.01, "{early:?}");
        let at_once =
            read("frame=9\nfps=0.00\nout_time_us=360000\nspeed=35.9x\nprogress=continue\n");
        assert_eq!((at_once[0].fps, at_once[0].speed), (0.0, 0.0));
        let nothing = read("frame=0\nfps=0.00\nout_time_us=N/A\nspeed=N/A\nprogress=continue\n");
        assert_eq!(nothing[0].fps, 0.0);
    }

    #[test]
    fn a_block_becomes_numbers() {
        let blocks = read(
            "frame=120\nfps=59.94\nstream_0_0_q=28.0\nbitrate=1021.5kbits/s\ntotal_size=524288\n\
             out_time_us=4004000\nout_time=00:00:04.004000\ndup_frames=0\nspeed=   2x\nprogress=continue\n",
        );
        assert_eq!(
            blocks,
            [EncodeProgress {
                frame: 120,
                fps: 59.94,
                speed: 2.0,
                bitrate: 1_021_500.0,
                size: 524_288,
                time: 4.004,
            }]
        );
    }

    #[test]
    fn unknown_values_and_garbage_change_nothing() {
        let blocks = read(
            "frame=1\nbitrate=N/A\ntotal_size=N/A\nout_time_us=-9223372036854775808\nspeed=inf\n\
             fps=nan\n\u{fffd}\u{0}\n===\nframe=x\nprogress=end\n",
        );
        let known = EncodeProgress {
            frame: 1,
            ..EncodeProgress::default()
        };
        assert_eq!(blocks, [known]);
    }
}
