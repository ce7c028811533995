//! Where the packets of a file lie, by its [outline](crate::ffmpeg::containers::outline): so a part of a split job needs to
//! read only its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::ops::Range;
use std::path::Path;

use common::job::failure::Failure;
use common::job::split::Chunk;

use crate::ffmpeg::Source;
use crate::ffmpeg::probe::media::Media;
use crate::ffmpeg::probe::packets::{field, index, interval};
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Printed, Runner};

/// Bytes between two stretches that are read with them rather than left out. A request costs about as much.
const GAP: u64 = 4 << 10;

/// The most packets that are listed to find them.
const LISTED: usize = 1000;

/// The packets behind a chunk that are read, because ffmpeg reads ahead: at most so many, and one for so many of its
/// frames. ffmpeg gets zeros instead of those behind them, and drops what it makes of those.
const MOST_AHEAD: u64 = 64;
const LEAST_AHEAD: u64 = 8;
const FRAMES_FOR_ONE_AHEAD: u64 = 32;

/// Codecs whose packets are not stored as ffmpeg gives them.
const REWRITTEN: [&str; 2] = ["eia_608", "dvvideo"];

/// A packet and its place.
struct Place {
    stream: usize,
    is_picture: bool,
    bytes: Range<u64>,
    /// When it is shown, in units of its stream.
    time: Option<i64>,
}

impl Place {
    /// Parses `codec_type=video|stream_index=0|pts=100|size=47|pos=4711|`.
    fn parse(line: &str) -> Option<Self> {
        let number = |name| field(line, name)?.parse::<u64>().ok();
        let start = number("pos")?;
        Some(Self {
            stream: index(line)?,
            is_picture: field(line, "codec_type") == Some("video"),
            bytes: start..start.checked_add(number("size")?)?,
            time: field(line, "pts").and_then(|time| time.parse().ok()),
        })
    }
}

/// Whether the outline of a file tells where its packets lie.
pub fn are_known(media: &Media) -> bool {
    let is_rewritten = |codec: &str| REWRITTEN.contains(&codec);
    let mut streams = media.streams.iter();
    media.format.starts_with("mov,") && !streams.any(|stream| is_rewritten(&stream.codec))
}

/// Which first packets of a file are wanted.
#[derive(Clone, Copy, Debug)]
pub enum First {
    /// Those that ffmpeg reads whenever it opens the file, to see how its tracks are decoded.
    Opened,
    /// Those before which so many pictures of a film lie, and these.
    Pictures(usize),
}

impl First {
    /// The most pictures, and the most bytes of all packets.
    fn limits(self) -> (usize, u64) {
        match self {
            // Less than `-probesize` is read, and the packet in which that ends.
            Self::Opened => (32, 5_000_000),
            Self::Pictures(pictures) => (pictures, 32 << 20),
        }
    }
}

/// The first packets of a file.
pub struct Opening {
    pub stretches: Vec<Range<u64>>,
    /// The streams of which a packet is there.
    pub streams: BTreeSet<usize>,
}

/// Where the first packets lie. `None` if they are too many.
///
/// # Errors
/// If ffprobe cannot read the outline.
pub async fn of_opening(
    runner: &Runner,
    outline: &Path,
    first: First,
) -> Result<Option<Opening>, Failure> {
    let mut places = Vec::new();
    let listed = format!("%+#{LISTED}");
    let what = ["-read_intervals", &listed];
    each(runner, outline, &what, |place| places.push(place)).await?;
    Ok(opening(places, first))
}

/// The opening, by the first packets: [`LISTED`], or all.
fn opening(places: Vec<Place>, first: First) -> Option<Opening> {
    let (pictures, bytes) = first.limits();
    let mut is_enough = places.len() < LISTED;
    let (mut seen, mut read) = (BTreeMap::new(), 0);
    let mut opening = Opening {
        stretches: Vec::new(),
        streams: BTreeSet::new(),
    };
    for place in places {
        let of_stream: &mut usize = seen.entry(place.stream).or_default();
        *of_stream += 1;
        if place.is_picture && *of_stream > pictures {
            is_enough = true;
            break;
        }
        if read >= bytes {
            is_enough = matches!(first, First::Opened);
            break;
        }
        read += place.bytes.end - place.bytes.start;
        opening.streams.insert(place.stream);
        opening.stretches.push(place.bytes);
    }
    opening.stretches = joined(opening.stretches);
    is_enough.then_some(opening)
}

/// The stretches with all packets of all tracks but the films.
///
/// # Errors
/// If ffprobe cannot read the outline.
pub async fn of_rest(
    runner: &Runner,
    outline: &Path,
    media: &Media,
) -> Result<Vec<Range<u64>>, Failure> {
    let films: BTreeSet<usize> = media.films().map(|film| film.index).collect();
    let mut stretches = Vec::new();
    each(runner, outline, &[], |place| {
        if !films.contains(&place.stream) {
            stretches.push(place.bytes);
        }
    })
    .await?;
    Ok(joined(stretches))
}

/// The stretches with the packets of a chunk of the film, if a search in the file is aimed at `from`, in seconds; `None`
/// begins at its beginning. `end` is the end of the chunk in seconds. The result is `None` if they are not all found.
///
/// # Errors
/// If ffprobe cannot read the outline.
pub async fn of_chunk(
    runner: &Runner,
    outline: &Path,
    film: usize,
    chunk: &Chunk,
    (from, end): (Option<f64>, f64),
) -> Result<Option<Vec<Range<u64>>>, Failure> {
    let film = film.to_string();
    let stretch = interval(from, Some(end));
    let mut what = vec!["-select_streams", &film];
    what.extend(stretch.iter().map(String::as_str));
    let mut places = Vec::new();
    each(runner, outline, &what, |place| places.push(place)).await?;
    Ok(needed(&places, chunk))
}

/// The stretches of a chunk, of packets in the order of the file.
fn needed(places: &[Place], chunk: &Chunk) -> Option<Vec<Range<u64>>> {
    let times = || places.iter().filter_map(|place| place.time);
    let own = times().filter(|time| (chunk.start..chunk.end).contains(time));
    if own.count() as u64 != chunk.frames || !times().any(|time| time == chunk.decode_from) {
        return None;
    }
    let is_before_end = |place: &Place| place.time.is_some_and(|time| time < chunk.end);
    let last = places.iter().rposition(is_before_end)?;
    let ahead = (chunk.frames / FRAMES_FOR_ONE_AHEAD).clamp(LEAST_AHEAD, MOST_AHEAD);
    let read = places.iter().take(last + 1 + ahead as usize);
    Some(joined(read.map(|place| place.bytes.clone()).collect()))
}

/// Stretches in the order of the file, with what lies between two that are close.
fn joined(mut stretches: Vec<Range<u64>>) -> Vec<Range<u64>> {
    stretches.sort_unstable_by_key(|stretch| stretch.start);
    let mut joined: Vec<Range<u64>> = Vec::new();
    for stretch in stretches {
        match joined.last_mut() {
            Some(last) if stretch.start <= last.end.saturating_add(GAP) => {
                last.end = last.end.max(stretch.end);
            }
            _ => joined.push(stretch),
        }
    }
    joined
}

/// Passes on the places of packets. `what` are options of ffprobe.
async fn each(
    runner: &Runner,
    outline: &Path,
    what: &[&str],
    mut on_place: impl FnMut(Place),
) -> Result<(), Failure> {
    let how = "-v error -of compact=p=0 -show_entries packet=codec_type,stream_index,pts,size,pos";
    let source = Source::Outline(outline.to_owned());
    let mut arguments: Vec<OsString> = how.split(' ').map(OsString::from).collect();
    arguments.extend(what.iter().map(OsString::from));
    arguments.extend(source.arguments());
    runner
        .reading(outline)
        .ffprobe_lines(&arguments, Origin::Local, |printed| {
            if let Printed::Answer(line) = printed
                && let Some(place) = Place::parse(line)
            {
                on_place(place);
            }
        })
        .await
}

#[cfg(test)]
// One stretch is meant, and not all that it holds.
#[allow(clippy::single_range_in_vec_init)]
mod tests {
    use super::*;

    /// Packets of 10,000 bytes behind each other, shown at these times.
    fn places(times: impl IntoIterator<Item = i64>) -> Vec<Place> {
        let place = |(number, time): (u64, i64)| {
            let start = 10_000 * number;
            let line =
                format!("codec_type=video|stream_index=0|pts={time}|size=10000|pos={start}|");
            Place::parse(&line).expect("a place")
        };
        (0..).zip(times).map(place).collect()
    }

    #[test]
    fn close_stretches_are_one() {
        let found = joined(vec![
            50..60,
            0..10,
            GAP + 60..GAP + 70,
            5..8,
            3 * GAP..4 * GAP,
        ]);
        assert_eq!(found, [0..GAP + 70, 3 * GAP..4 * GAP]);
    }

    #[test]
    fn a_chunk_needs_its_packets_and_some_behind_them() {
        let chunk = Chunk {
            start: 104,
            end: 110,
            frames: 6,
            decode_from: 100,
            read_from: None,
        };
        let of = |times: &[i64]| needed(&places(times.iter().copied()), &chunk);
        let mut times: Vec<i64> = (100..200).collect();
        let ahead = 10_000 * (10 + LEAST_AHEAD);
        assert_eq!(of(&times), Some(vec![0..ahead]));
        // A frame that is shown before the end lies behind the keyframe at the end.
        times.swap(9, 10);
        assert_eq!(of(&times), Some(vec![0..ahead + 10_000]));
        assert_eq!(of(&times[..12]), Some(vec![0..120_000]));
        assert_eq!(of(&times[1..]), None, "its keyframe is missing");
        assert_eq!(of(&times[..9]), None, "a frame is missing");
    }

    #[test]
    fn an_opening_ends_before_the_first_picture_that_is_too_many() {
        let of = |count, first| opening(places(0..count), first);
        let found = of(70, First::Pictures(64)).expect("an opening");
        assert_eq!(found.stretches, [0..640_000]);
        assert_eq!(found.streams, BTreeSet::from([0]));
        let all = of(7, First::Opened).expect("an opening");
        assert_eq!(all.stretches, [0..70_000]);
        let many = LISTED as i64;
        assert!(of(many, First::Pictures(LISTED)).is_none());
    }

    #[test]
    fn ffmpeg_opens_a_file_of_large_pictures_by_the_first_of_them() {
        let large = || {
            let place = |number: u64| Place {
                stream: 0,
                is_picture: true,
                bytes: number << 20..(number + 1) << 20,
                time: None,
            };
            (0..100).map(place).collect()
        };
        let found = opening(large(), First::Opened).expect("an opening");
        assert_eq!(found.stretches, [0..5 << 20]);
        assert!(opening(large(), First::Pictures(64)).is_none());
    }

    #[test]
    fn packets_without_a_place_are_none() {
        assert!(Place::parse("stream_index=0|pts=1|size=4|pos=N/A").is_none());
        let place = Place::parse("stream_index=3|pts=N/A|size=4|pos=9").expect("a place");
        assert_eq!((place.stream, place.bytes, place.time), (3, 9..13, None));
    }
}
