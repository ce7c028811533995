//! Chunks of a clip, as ffprobe shows its film.

use std::path::Path;

use common::job::split::Chunk;

use crate::studio::Studio;

/// Where chunks begin.
#[derive(Clone, Copy, Debug)]
pub(super) enum At {
    /// At keyframes.
    Keys,
    /// Anywhere.
    Frames,
}

/// As many chunks of a clip, of nearly equal length, and the unit of their times.
pub(super) fn chunks(
    studio: &Studio,
    clip: &Path,
    count: usize,
    at: At,
) -> (Vec<Chunk>, (u32, u32)) {
    let ask = |what: &str| {
        let mut ffprobe = studio.ffprobe();
        ffprobe.args(["-select_streams", "V:0", "-show_entries", what]);
        let answer = ffprobe.arg(clip).output().expect("ffprobe runs");
        String::from_utf8(answer.stdout).expect("text")
    };
    let unit = ask("stream=time_base");
    let unit = unit.lines().next().expect("a unit").trim_end_matches(',');
    let (numerator, denominator) = unit.split_once('/').expect("a ratio");
    let time_base = (
        numerator.parse().expect("a number"),
        denominator.parse().expect("a number"),
    );
    let (mut times, mut keys, mut last) = (Vec::<i64>::new(), Vec::<i64>::new(), 1);
    for packet in ask("packet=pts,duration,flags").lines() {
        let mut fields = packet.split(',');
        let mut next = || fields.next().unwrap_or_default();
        let (time, duration, flags) = (next(), next(), next());
        let Ok(time) = time.parse::<i64>() else {
            continue;
        };
        last = duration.parse().unwrap_or(last);
        if flags.starts_with('K') {
            keys.push(time);
        }
        if !flags.contains('D') {
            times.push(time);
        }
    }
    times.sort_unstable();
    keys.sort_unstable();
    let end = times.last().expect("frames") + last;
    let mut starts: Vec<i64> = (0..count)
        .map(|number| {
            let wanted = times[times.len() * number / count];
            match at {
                At::Frames => wanted,
                At::Keys => {
                    let keys = keys.iter().copied().filter(|key| times.contains(key));
                    keys.min_by_key(|key| (key - wanted).abs())
                        .expect("a keyframe")
                }
            }
        })
        .collect();
    starts[0] = times[0];
    starts.dedup();
    let ends = starts.iter().copied().skip(1).chain([end]);
    let chunks = starts.iter().zip(ends).map(|(&start, end)| {
        let before = keys.iter().copied().filter(|key| *key <= start);
        let lies = |time: &&i64| (start..end).contains(*time);
        Chunk {
            start,
            end,
            frames: times.iter().filter(lies).count() as u64,
            decode_from: before.max().unwrap_or(start),
            read_from: None,
        }
    });
    (chunks.collect(), time_base)
}
