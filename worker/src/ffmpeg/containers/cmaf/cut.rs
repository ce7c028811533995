//! Where a track is cut into segments.

use std::io;

use common::recipe::Segment;

use crate::ffmpeg::containers::cmaf::broken;
use crate::ffmpeg::containers::cmaf::track::Track;

/// A part of a second by which a frame may be early, because timestamps are rounded: as in the expression by which
/// encoders are told where to set keyframes.
const ROUNDING: i64 = 1000;

/// A track, cut into segments, on the clock of its new file.
pub(super) struct Layout {
    pub(super) segments: Vec<Cut>,
    /// When the first sample is decoded.
    pub(super) base: i64,
    /// What an edit list leaves out at the beginning: the delay of reordered frames, or what an encoder of sound puts
    /// before it. Delays that are negative would need none, but ffmpeg moves the picture by them.
    pub(super) hidden: i64,
    /// When a player shows the first sample.
    pub(super) start: i64,
}

/// The samples of a segment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    pub(super) first: usize,
    pub(super) end: usize,
    pub(super) duration: i64,
}

/// Cuts a track: each segment begins with the first sample of its part of the clock.
///
/// # Errors
/// A segment of video would not begin with a keyframe, or its frames would need those of an earlier one.
pub(super) fn cut(track: &Track<'_>, segment: Segment) -> io::Result<Layout> {
    let (first, last) = match (track.samples.first(), track.samples.last()) {
        (Some(first), Some(last)) => (first, last),
        _ => return Err(broken("a track is empty")),
    };
    let start = first.shown() + track.shift;
    if track.is_video && start < 0 {
        return Err(broken("a part of the picture is hidden"));
    }
    let firsts = match track.is_video {
        true => keyframes(track, segment)?,
        false => packets(track, segment),
    };
    let end = match track.is_video {
        true => {
            let ends = track.samples.iter();
            let ends = ends.map(|sample| sample.shown() + i64::from(sample.duration));
            ends.max().unwrap_or_default()
        }
        false => last.shown() + i64::from(last.duration),
    };
    let ends = firsts.iter().skip(1).copied().chain([track.samples.len()]);
    let shown = |at: usize| track.samples.get(at).map_or(end, |sample| sample.shown());
    let segments = firsts.iter().zip(ends).map(|(&first, next)| Cut {
        first,
        end: next,
        duration: shown(next) - shown(first),
    });
    Ok(Layout {
        segments: segments.collect(),
        base: (start - i64::from(first.delay)).max(0),
        hidden: (i64::from(first.delay) - start).max(0),
        start: start.max(0),
    })
}

/// The first frame of each segment. Which frames these are depends on the frames' times alone, so that all renditions
/// of a source are cut alike.
fn keyframes(track: &Track<'_>, segment: Segment) -> io::Result<Vec<usize>> {
    let units = i64::from(track.timescale);
    let zero = track.samples.iter().map(|sample| sample.shown()).min();
    let zero = zero.unwrap_or_default();
    let length = i64::from(segment.seconds()) * units;
    let part = |at: usize| (track.samples[at].shown() - zero + units / ROUNDING) / length;
    let mut order: Vec<usize> = (0..track.samples.len()).collect();
    order.sort_by_key(|&at| track.samples[at].shown());
    let mut firsts = Vec::new();
    let mut now = None;
    for at in order {
        if now == Some(part(at)) {
            continue;
        }
        now = Some(part(at));
        if !track.samples[at].is_keyframe {
            let seconds = track.seconds(track.samples[at].shown() - zero);
            return Err(io::Error::other(format!(
                "the encoder set no keyframe at {seconds:.3} s, where a segment begins"
            )));
        }
        firsts.push(at);
    }
    // No frame may be decoded with a segment and shown before it.
    for (&first, next) in firsts
        .iter()
        .zip(firsts.iter().skip(1).copied().chain([track.samples.len()]))
    {
        let keyframe = track.samples[first].shown();
        let is_whole = first < next
            && track.samples[first..next]
                .iter()
                .all(|sample| sample.shown() >= keyframe);
        if !is_whole {
            let seconds = track.seconds(keyframe - zero);
            return Err(io::Error::other(format!(
                "the segment at {seconds:.3} s needs frames of the segment before it: the encoder made an open group of pictures"
            )));
        }
    }
    Ok(firsts)
}

/// The first packet of each segment of sound.
fn packets(track: &Track<'_>, segment: Segment) -> Vec<usize> {
    let length = i64::from(segment.seconds()) * i64::from(track.timescale);
    let part = |at: usize| (track.samples[at].shown() + track.shift).max(0) / length;
    (0..track.samples.len())
        .filter(|&at| at == 0 || part(at) != part(at - 1))
        .collect()
}
