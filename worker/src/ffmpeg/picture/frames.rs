//! The frames of a chunk, which are taken by their times in the source.

use super::{Picture, Task};
use crate::ffmpeg::probe::media::Ratio;

/// A range of the frames of a film.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ffmpeg) struct Frames {
    /// The time of the first frame, in units of `time_base`.
    pub(in crate::ffmpeg) start: i64,
    /// The time of the first frame after them.
    pub(in crate::ffmpeg) end: i64,
    /// The unit of times, in seconds.
    pub(in crate::ffmpeg) time_base: Ratio,
}

/// Takes the frames, and sets the time of the first one to 0.
pub(super) fn take(task: &Task<'_>, picture: &mut Picture) {
    let Some(frames) = task.frames else { return };
    let Frames {
        start,
        end,
        time_base,
    } = frames;
    // Some filters before count in another unit.
    picture.filters.push(format!(
        "settb={time_base},trim=start_pts={start}:end_pts={end},setpts=PTS-{}",
        match start < 0 {
            true => format!("({start})"),
            false => start.to_string(),
        }
    ));
    // Its header would name the threads of the machine, and those of all chunks must be alike.
    if task.encoder.as_str() == "libx265" {
        picture.params.push("info=0".to_owned());
    }
}
