//! Cuts a film into chunks. They begin at keyframes of the source, so that little is decoded twice.

use std::collections::BTreeSet;

use common::job::split::Chunk;

use crate::ffmpeg::split::index::Index;
use crate::ffmpeg::split::lookback::Lead;

/// The chunks of a film, for wanted lengths in seconds. A chunk begins at the keyframe that is nearest to where it
/// should begin; chunks between the same two keyframes become one. The last one has all that is left.
pub fn cut(index: &Index, lengths: &[f64], lead: Lead) -> Vec<Chunk> {
    let Some(&first) = index.times.first() else {
        return Vec::new();
    };
    let is_frame = |key: &&i64| **key > first && index.times.binary_search(key).is_ok();
    let keys: Vec<i64> = index.keys.iter().filter(is_frame).copied().collect();
    let mut starts = vec![first];
    let mut wanted = 0.0;
    for length in lengths.iter().take(lengths.len().saturating_sub(1)) {
        wanted += length;
        let start = nearest(&keys, first + index.to_units(wanted));
        starts.extend(start.filter(|start| starts.last().is_some_and(|last| last < start)));
    }
    let ends = starts.iter().skip(1).copied().chain([index.end]);
    let chunk = |(&start, end): (&i64, i64)| {
        let before = |time| index.times.partition_point(|&other| other < time);
        let from = decode_from(index, start, lead);
        Chunk {
            start,
            end,
            frames: (before(end) - before(start)) as u64,
            decode_from: from.map_or(start, |from| index.keys[from]),
            read_from: from.and_then(|from| index.reads.get(from).copied()),
        }
    };
    starts.iter().zip(ends).map(chunk).collect()
}

/// Has the chunks that begin with one of these keyframes decoded from it: nothing from there on depends on what was before.
pub fn begin_at(chunks: &mut [Chunk], index: &Index, resets: &BTreeSet<i64>) {
    for chunk in chunks.iter_mut().filter(|one| resets.contains(&one.start)) {
        if let Ok(key) = index.keys.binary_search(&chunk.start) {
            chunk.decode_from = chunk.start;
            chunk.read_from = index.reads.get(key).copied();
        }
    }
}

/// The number that is nearest to the given one, of numbers in order.
fn nearest(sorted: &[i64], wanted: i64) -> Option<i64> {
    let after = sorted.partition_point(|&one| one < wanted);
    let around = [after.checked_sub(1), Some(after)];
    let around = around.into_iter().flatten().filter_map(|at| sorted.get(at));
    around.copied().min_by_key(|one| one.abs_diff(wanted))
}

/// The number of the keyframe from which a chunk is decoded that starts here.
fn decode_from(index: &Index, start: i64, lead: Lead) -> Option<usize> {
    let frames_before = |time| index.times.partition_point(|&other| other < time);
    let own = frames_before(start);
    let not_after = index.keys.partition_point(|&key| key <= start);
    let mut from = not_after.saturating_sub(1 + lead.keys);
    let is_enough = |from: usize| match index.keys.get(from) {
        Some(&key) => own - frames_before(key) >= lead.frames,
        None => true,
    };
    while from > 0 && !is_enough(from) {
        from -= 1;
    }
    (from < index.keys.len()).then_some(from)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// 25 frames a second from 100 on, a keyframe every second.
    fn index(seconds: i64) -> Index {
        Index {
            time_base: (1, 25),
            times: (100..100 + 25 * seconds).collect(),
            keys: (0..seconds).map(|second| 100 + 25 * second).collect(),
            reads: (0..seconds).map(|second| 98 + 25 * second).collect(),
            end: 100 + 25 * seconds,
            bytes: BTreeMap::new(),
        }
    }

    #[test]
    fn chunks_begin_at_the_nearest_keyframes_and_hold_each_frame_once() {
        let chunks = cut(&index(10), &[2.4, 2.3, 5.3], Lead::default());
        let ranges: Vec<(i64, i64)> = chunks
            .iter()
            .map(|chunk| (chunk.start, chunk.end))
            .collect();
        assert_eq!(ranges, [(100, 150), (150, 225), (225, 350)]);
        let frames: Vec<u64> = chunks.iter().map(|chunk| chunk.frames).collect();
        assert_eq!(frames, [50, 75, 125]);
        assert!(chunks.iter().all(|chunk| chunk.decode_from == chunk.start));
    }

    #[test]
    fn lengths_shorter_than_a_keyframe_interval_are_joined_and_the_last_chunk_has_the_rest() {
        let chunks = cut(&index(3), &[0.2; 15], Lead::default());
        let starts: Vec<i64> = chunks.iter().map(|chunk| chunk.start).collect();
        assert_eq!(starts, [100, 125, 150]);
        assert_eq!(chunks[2].end, 175);
        let short = cut(&index(10), &[1.0, 1.0], Lead::default());
        assert_eq!(short.len(), 2);
        assert_eq!((short[1].start, short[1].end), (125, 350));
        assert_eq!(cut(&index(10), &[], Lead::default())[0].frames, 250);
    }

    #[test]
    fn decoding_begins_as_much_earlier_as_is_asked() {
        let from = |lead| cut(&index(10), &[5.0, 5.0], lead)[1].decode_from;
        let lead = |keys, frames| Lead { keys, frames };
        assert_eq!(from(lead(0, 0)), 225);
        assert_eq!(from(lead(1, 0)), 200);
        let read = cut(&index(10), &[5.0, 5.0], lead(1, 0))[1].read_from;
        assert_eq!(read, Some(198));
        assert_eq!(from(lead(0, 2)), 200);
        assert_eq!(from(lead(1, 26)), 175);
        assert_eq!(from(lead(9, 0)), 100);
        assert_eq!(from(lead(0, 900)), 100);
    }

    #[test]
    fn a_chunk_is_decoded_from_its_own_keyframe_if_that_resets_the_decoder() {
        let lead = Lead { keys: 1, frames: 0 };
        let mut chunks = cut(&index(9), &[3.0, 3.0, 3.0], lead);
        begin_at(&mut chunks, &index(9), &BTreeSet::from([175, 176]));
        let from: Vec<_> = chunks
            .iter()
            .map(|chunk| (chunk.decode_from, chunk.read_from))
            .collect();
        assert_eq!(from, [(100, Some(98)), (175, Some(173)), (225, Some(223))]);
    }

    #[test]
    fn a_hidden_keyframe_is_decoded_from_and_no_chunk_begins_there() {
        // The edit list hides the first 10 frames, and the keyframe that they begin with.
        let mut index = index(10);
        index.times.drain(..10);
        let chunks = cut(&index, &[0.1, 0.7, 9.0], Lead::default());
        let starts: Vec<(i64, i64)> = chunks
            .iter()
            .map(|chunk| (chunk.start, chunk.decode_from))
            .collect();
        assert_eq!(starts, [(110, 100), (125, 125)]);
        assert_eq!(chunks.iter().map(|chunk| chunk.frames).sum::<u64>(), 240);
    }
}
