//! From what was read of a file to its damaged places: pure.
//!
//! A packet without its frame was lost in decoding. An error with a place may have left its frame damaged. An error of
//! the demuxer names a position in the file, where data was skipped. Errors of decoders that lost nothing are no damage:
//! some decoders complain at the end of every healthy track.

use std::collections::BTreeMap;

use common::job::run::health::Damage;

use crate::attempt::check::reading::{Read, Reading, Spoken};
use crate::attempt::check::words::{is_harmless, position};
use crate::attempt::verify::damage::is_recording;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::run::complaints;

/// Damaged places this close to each other are one, in seconds.
const ONE_PLACE: f64 = 1.0;
/// Decoders may need this many seconds of a track until they give the first frame, or keep the last ones.
const SETTLING: f64 = 0.5;

/// Between two packets of a healthy file lie fewer bytes than this.
const LEAST_HOLE: u64 = 1024;

/// A stretch of time, in seconds of the file's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    from: f64,
    to: f64,
}

impl Span {
    fn at(time: f64) -> Self {
        Self {
            from: time,
            to: time,
        }
    }
}

/// Whether nothing in a reading asks for a closer look.
pub(super) fn is_clean(media: &Media, reading: &Reading) -> bool {
    reading.placed.is_empty()
        && reading.errors.iter().all(is_harmless)
        && tracks(media, reading).all(|(stream, read)| {
            read.corrupt.is_empty() && lost(media, reading, stream, read).is_empty()
        })
}

/// The tracks that are checked, as far as the file holds something of them.
fn tracks<'a>(
    media: &'a Media,
    reading: &'a Reading,
) -> impl Iterator<Item = (&'a Stream, &'a Read)> {
    let is_checked = |stream: &&Stream| {
        let is_known = !stream.codec.is_empty() && !stream.is_picture;
        is_known
            && matches!(
                stream.kind,
                StreamKind::Video | StreamKind::Audio | StreamKind::Subtitle
            )
    };
    let streams = media.streams.iter().filter(is_checked);
    streams.filter_map(|stream| Some((stream, reading.streams.get(&stream.index)?)))
}

/// Whether the headers announce a film or sound, and nothing of either follows.
pub(super) fn is_empty(media: &Media, reading: &Reading) -> bool {
    let is_timed = |stream: &&Stream| stream.is_film() || stream.kind == StreamKind::Audio;
    let mut timed = media.streams.iter().filter(is_timed).peekable();
    timed.peek().is_some() && timed.all(|stream| !reading.streams.contains_key(&stream.index))
}

/// Whether an error says that the file ends earlier than it should.
pub(super) fn breaks_off(reading: &Reading) -> bool {
    let mut errors = reading.errors.iter();
    errors.any(|error| complaints::breaks_off(&error.words))
}

/// The number of frames that were decoded of the first film; of the first sound if there is none.
pub(super) fn frames(media: &Media, reading: &Reading) -> u64 {
    let first = media.films().next();
    let first = first.or_else(|| {
        media
            .streams
            .iter()
            .find(|one| one.kind == StreamKind::Audio)
    });
    let read = first.and_then(|stream| reading.streams.get(&stream.index));
    read.map_or(0, |read| read.frames.len() as u64)
}

/// Where the file begins, by its own clock.
pub(super) fn beginning(media: &Media, reading: &Reading) -> f64 {
    let firsts = tracks(media, reading)
        .filter(|(stream, _)| stream.kind != StreamKind::Subtitle)
        .filter_map(|(_, read)| read.packets.iter().copied().reduce(f64::min));
    media
        .start
        .or_else(|| firsts.reduce(f64::min))
        .unwrap_or(0.0)
}

/// The end of what was read of the film and its sound, by the file's clock.
pub(super) fn end(media: &Media, reading: &Reading) -> f64 {
    let ends = tracks(media, reading)
        .filter(|(stream, _)| stream.kind != StreamKind::Subtitle)
        .map(|(_, read)| read.end);
    ends.reduce(f64::max).unwrap_or(0.0)
}

/// The stretches of a track of which there are packets and no frames.
fn lost(media: &Media, reading: &Reading, stream: &Stream, read: &Read) -> Vec<Span> {
    // ffprobe counts no frames of subtitles.
    if stream.kind == StreamKind::Subtitle {
        return Vec::new();
    }
    let mut frames = read.frames.clone();
    frames.sort_by(f64::total_cmp);
    let mut packets = read.packets.clone();
    packets.sort_by(f64::total_cmp);
    let (Some(first), Some(last)) = (packets.first().copied(), packets.last().copied()) else {
        return Vec::new();
    };
    let (Some(begin), Some(end)) = (frames.first().copied(), frames.last().copied()) else {
        // Without a word, this ffmpeg has no decoder for it.
        let is_own = |by: &str| by.contains(&stream.codec);
        let is_told = reading.placed.iter().any(|error| is_own(&error.by))
            || reading.errors.iter().any(|error| is_own(&error.by));
        let all = Span {
            from: first,
            to: read.end,
        };
        return if is_told { vec![all] } else { Vec::new() };
    };
    let usual = usual(&frames);
    let is_packet_within = |from: f64, to: f64| {
        let next = packets.partition_point(|time| *time <= from + usual / 4.0);
        packets
            .get(next)
            .is_some_and(|time| *time < to - usual / 4.0)
    };
    let mut lost = Vec::new();
    // A recording begins and ends anywhere, also between two complete pictures.
    let is_recording = is_recording(media);
    if !is_recording && begin - first > SETTLING {
        lost.push(Span {
            from: first,
            to: begin,
        });
    }
    for pair in frames.windows(2) {
        let (from, to) = (pair[0], pair[1]);
        if to - from > 1.5 * usual && is_packet_within(from, to) {
            lost.push(Span {
                from: from + usual,
                to,
            });
        }
    }
    if !is_recording && last - end > SETTLING.max(2.0 * usual) {
        lost.push(Span {
            from: end + usual,
            to: read.end,
        });
    }
    lost
}

/// The usual time between two frames.
fn usual(sorted: &[f64]) -> f64 {
    let mut waits: Vec<f64> = sorted.windows(2).map(|pair| pair[1] - pair[0]).collect();
    waits.sort_by(f64::total_cmp);
    waits.get(waits.len() / 2).copied().unwrap_or(0.04)
}

/// The damaged places of a file that was read with [`Pass::Places`](super::reading::Pass::Places). Times count from
/// `beginning`.
pub(super) fn damage(media: &Media, reading: &Reading, beginning: f64) -> Vec<Damage> {
    let mut by_track: BTreeMap<usize, Vec<Span>> = BTreeMap::new();
    for (stream, read) in tracks(media, reading) {
        let spans = by_track.entry(stream.index).or_default();
        let first = read.frames.iter().copied().reduce(f64::min);
        // A recording may begin between two complete pictures, and end in one.
        let last = read.frames.iter().copied().reduce(f64::max);
        let is_cut = |time: f64| {
            is_recording(media)
                && (first.is_none_or(|first| time <= first)
                    || last.is_some_and(|last| time >= last - SETTLING))
        };
        let errors = reading
            .placed
            .iter()
            .filter(|error| about(media, &error.by, error.stream) == stream.index);
        spans.extend(
            errors
                .map(|error| error.time)
                .filter(|time| !is_cut(*time))
                .map(Span::at),
        );
        spans.extend(
            read.corrupt
                .iter()
                .copied()
                .filter(|time| !is_cut(*time))
                .map(Span::at),
        );
        match stream.kind {
            StreamKind::Subtitle => {
                let is_own = |error: &&Spoken| error.by == stream.codec;
                if reading.errors.iter().any(|error| is_own(&error)) {
                    spans.push(Span {
                        from: read.packets.first().copied().unwrap_or(beginning),
                        to: read.end,
                    });
                }
            }
            _ => spans.extend(lost(media, reading, stream, read)),
        }
    }
    let mut found = Vec::new();
    let relative = |time: f64| (time - beginning).max(0.0);
    for (index, spans) in by_track {
        let Some(stream) = media.streams.iter().find(|stream| stream.index == index) else {
            continue;
        };
        for span in merged(spans) {
            found.push(Damage {
                track: u32::try_from(index).ok(),
                from: relative(span.from),
                to: relative(span.to),
                what: format!("{} cannot be decoded", name(media, stream)),
            });
        }
    }
    for span in merged(skipped(media, reading)) {
        found.push(Damage {
            track: None,
            from: relative(span.from),
            to: relative(span.to),
            what: "the file cannot be read".to_owned(),
        });
    }
    found
}

/// The stretches that the demuxer has skipped: at the positions that it names, or else at the largest holes between
/// packets.
fn skipped(media: &Media, reading: &Reading) -> Vec<Span> {
    let mut packets = reading.positions.clone();
    packets.sort_by_key(|packet| packet.at);
    let between = |next: usize| {
        let before = next.checked_sub(1).and_then(|before| packets.get(before));
        let (before, after) = (
            before.map(|one| one.time),
            packets.get(next).map(|one| one.time),
        );
        let (from, to) = (before.or(after)?, after.or(before)?);
        Some(Span {
            from: from.min(to),
            to: from.max(to),
        })
    };
    let is_demuxers = |error: &&Spoken| error.by == media.format && !is_harmless(error);
    let errors = reading.errors.iter().filter(is_demuxers);
    let errors = errors.filter(|error| !complaints::breaks_off(&error.words));
    let mut spans = Vec::new();
    let mut unplaced = 0;
    for error in errors {
        // Some versions of ffmpeg count from the place where they began to read.
        let is_known = |at: &u64| packets.first().is_some_and(|first| *at >= first.at);
        match position(&error.words).filter(is_known) {
            Some(at) => spans.extend(between(packets.partition_point(|packet| packet.at <= at))),
            None if error.words.contains("EBML") || error.words.contains("lement") => unplaced += 1,
            None => {}
        }
    }
    let holes = packets.windows(2).enumerate().filter_map(|(number, pair)| {
        let hole = pair[1].at.saturating_sub(pair[0].at + pair[0].size);
        (hole >= LEAST_HOLE).then_some((hole, number + 1))
    });
    let mut holes: Vec<(u64, usize)> = holes.collect();
    holes.sort_unstable_by_key(|(hole, _)| std::cmp::Reverse(*hole));
    let largest = holes.into_iter().take(unplaced);
    spans.extend(largest.filter_map(|(_, next)| between(next)));
    spans
}

/// The index of the track that a decoder's error is about: the track whose frame came next, or the first one with this
/// codec.
fn about(media: &Media, by: &str, next: usize) -> usize {
    let is_of = |stream: &&Stream| !stream.codec.is_empty() && by.contains(&stream.codec);
    let streams = || media.streams.iter();
    let own = streams().find(|stream| stream.index == next).filter(is_of);
    let other = || streams().find(|stream| is_of(stream) && !stream.is_picture);
    own.or_else(other).map_or(next, |stream| stream.index)
}

/// `video`, or `audio (track 3)` where there are several.
fn name(media: &Media, stream: &Stream) -> String {
    let is_alike = |other: &&Stream| other.kind == stream.kind && !other.is_picture;
    match media.streams.iter().filter(is_alike).count() {
        0 | 1 => stream.kind.to_string(),
        _ => format!("{} (track {})", stream.kind, stream.index),
    }
}

/// The spans in the order of time, with those that are close to each other as one.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by(|one, other| one.from.total_cmp(&other.from));
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from - last.to <= ONE_PLACE => last.to = last.to.max(span.to),
            _ => merged.push(span),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attempt::check::reading::{Placed, Position};

    /// A film of 10 s and its sound, read without those frames and packets.
    fn case(format: &str, without: fn(f64) -> bool) -> (Media, Reading) {
        let stream = |index, kind, codec: &str| Stream {
            index,
            kind,
            codec: codec.to_owned(),
            ..Stream::default()
        };
        let media = Media {
            format: format.to_owned(),
            start: Some(100.0),
            streams: vec![
                stream(0, StreamKind::Video, "h264"),
                stream(1, StreamKind::Audio, "aac"),
            ],
            ..Media::default()
        };
        let packets: Vec<f64> = (0..250).map(|at| 100.0 + f64::from(at) * 0.04).collect();
        let frames = packets
            .iter()
            .copied()
            .filter(|time| !without(*time - 100.0));
        let read = |frames: Vec<f64>| Read {
            end: 110.0,
            packets: packets.clone(),
            frames,
            ..Read::default()
        };
        let positions = packets.iter().zip(0..).map(|(time, number)| Position {
            at: number * 1000,
            size: 990,
            time: *time,
        });
        let mut reading = Reading {
            positions: positions.collect(),
            ..Reading::default()
        };
        reading.streams.insert(0, read(frames.collect()));
        reading.streams.insert(1, read(packets.clone()));
        (media, reading)
    }

    fn told(media: &Media, reading: &Reading) -> Vec<String> {
        let damage = damage(media, reading, beginning(media, reading));
        damage.iter().map(ToString::to_string).collect()
    }

    fn spoken(by: &str, words: &str) -> Spoken {
        Spoken {
            by: by.to_owned(),
            words: words.to_owned(),
        }
    }

    #[test]
    fn a_whole_film_has_no_damage_whatever_its_decoders_say_at_the_end() {
        let (media, mut reading) = case("matroska,webm", |_| false);
        assert!(is_clean(&media, &reading));
        reading
            .errors
            .push(spoken("aac", "aac: Error parsing a header"));
        assert!(!is_clean(&media, &reading));
        assert_eq!(told(&media, &reading), [""; 0]);
    }

    #[test]
    fn packets_without_frames_are_damage_and_longer_waits_are_not() {
        let (media, reading) = case("matroska,webm", |time| (3.0..5.0).contains(&time));
        assert!(!is_clean(&media, &reading));
        assert_eq!(
            told(&media, &reading),
            ["0:00:03–0:00:05 video cannot be decoded"]
        );
        let (media, mut slow) = case("matroska,webm", |time| (3.0..5.0).contains(&time));
        let film = slow.streams.get_mut(&0).expect("a film");
        film.packets.retain(|time| !(103.0..105.0).contains(time));
        assert!(is_clean(&media, &slow));
    }

    #[test]
    fn the_ends_of_recordings_may_be_cut() {
        let cut = |time: f64| !(0.8..9.0).contains(&time);
        let (media, reading) = case("mpegts", cut);
        assert!(is_clean(&media, &reading));
        let (media, reading) = case("mov,mp4", cut);
        assert_eq!(told(&media, &reading).len(), 2);
    }

    #[test]
    fn errors_are_told_at_their_packets_and_positions() {
        let (media, mut reading) = case("matroska,webm", |_| false);
        for time in [102.0, 102.9, 107.0] {
            reading.placed.push(Placed {
                by: "aac".to_owned(),
                stream: 0,
                time,
            });
        }
        let words =
            "matroska,webm: 0x00 at pos 200100 (0x30dd4) invalid as first byte of an EBML number";
        reading.errors.push(spoken("matroska,webm", words));
        let expected = [
            "0:00:02 audio cannot be decoded",
            "0:00:07 audio cannot be decoded",
            "0:00:08 the file cannot be read",
        ];
        assert_eq!(told(&media, &reading), expected);
    }

    #[test]
    fn a_demuxer_that_names_no_position_has_skipped_the_largest_hole() {
        let (media, mut reading) = case("matroska,webm", |_| false);
        reading.positions.drain(100..150);
        let words = "matroska,webm: 0x00 at pos 0 (0x0) invalid as first byte of an EBML number";
        reading.positions.iter_mut().for_each(|one| one.at += 500);
        reading.errors.push(spoken("matroska,webm", words));
        assert_eq!(
            told(&media, &reading),
            ["0:00:03–0:00:06 the file cannot be read"]
        );
    }
}
