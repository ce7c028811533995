//! The index of a film: when its frames are shown, and from which of them a decode can begin.
//!
//! It is read from the packets of the film, without decoding them, so it must be the index of the frames that a decode
//! gives: each packet one frame, but for the packets that an edit list hides. What is not so is an [`Obstacle`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use common::job::failure::Failure;

use crate::ffmpeg::Source;
use crate::ffmpeg::probe::media::{Ratio, Stream};
use crate::ffmpeg::probe::packets::field;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Printed, Runner};
use crate::ffmpeg::split::obstacle::Obstacle;

/// The number of packets that are decoded, to see whether each is one frame.
pub const DECODED: usize = 64;

/// The longest time between two frames in a format whose clock may jump, in seconds. ffmpeg takes a longer one for a jump
/// and closes the gap.
const JUMP: f64 = 10.0;

/// Seconds before a keyframe at which a search for it is aimed where nothing better is known.
const SEARCH_LEAD: f64 = 1.0;

/// The seconds by which ffmpeg moves a search to earlier in Matroska, if frames are decoded in another order than shown.
const EARLIER: f64 = 3.0 / 23.0;

/// Demuxers of formats whose clock never jumps.
const STEADY_FORMATS: &[&str] = &["matroska", "mov"];

/// The frames of a film. Times are in units of `time_base`, as the file has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// The unit of times, in seconds: numerator and denominator.
    pub time_base: (u32, u32),
    /// When each frame is shown, in order.
    pub times: Vec<i64>,
    /// When the frames from which a decode can begin would be shown, in order. An edit list may hide the first of them.
    pub keys: Vec<i64>,
    /// For each of these, where a search is aimed that finds it.
    pub reads: Vec<i64>,
    /// When the last frame ends.
    pub end: i64,
    /// The position and the length, in bytes, of what the file holds of a keyframe, by its time; empty if the file wraps
    /// it.
    pub bytes: BTreeMap<i64, (u64, u64)>,
}

impl Index {
    /// The length of the film in seconds.
    pub fn seconds(&self) -> f64 {
        let first = self.times.first().copied().unwrap_or(self.end);
        self.to_seconds(self.end - first)
    }

    /// The mean distance between keyframes, in seconds.
    pub fn key_interval(&self) -> f64 {
        self.seconds() / self.keys.len().max(1) as f64
    }

    /// A stretch of time in seconds.
    pub fn to_seconds(&self, units: i64) -> f64 {
        let (numerator, denominator) = self.time_base;
        units as f64 * f64::from(numerator) / f64::from(denominator)
    }

    /// A stretch of time in the index's units.
    pub fn to_units(&self, seconds: f64) -> i64 {
        let (numerator, denominator) = self.time_base;
        (seconds * f64::from(denominator) / f64::from(numerator)).round() as i64
    }

    /// The index of a film with these packets, in the order of the file. `format` is ffmpeg's name of the demuxer.
    fn of(film: &Stream, format: &str, packets: &[Packet]) -> Result<Self, Obstacle> {
        let unit = film.time_base.ok_or(Obstacle::NoTimes)?;
        let mut frames = Vec::with_capacity(packets.len());
        let mut hidden = Vec::new();
        let mut keys = Vec::new();
        let mut bytes = BTreeMap::new();
        let is_bare = format.starts_with("mov");
        let mut before = i64::MIN;
        for packet in packets {
            let time = packet.time.ok_or(Obstacle::NoTimes)?;
            let decoded = packet.decoded.unwrap_or(before);
            if decoded < before {
                return Err(Obstacle::Jump);
            }
            before = decoded;
            if packet.is_key {
                keys.push((time, packet.decoded));
                bytes.extend(packet.bytes.filter(|_| is_bare).map(|bytes| (time, bytes)));
            }
            match packet.is_hidden {
                true => hidden.push(time),
                false => frames.push((time, packet.length)),
            }
        }
        frames.sort_unstable();
        keys.sort_unstable();
        let reads = reads(film, format, unit, &keys);
        let keys: Vec<i64> = keys.into_iter().map(|(time, _)| time).collect();
        let (Some(&(first, _)), Some(&(last, length))) = (frames.first(), frames.last()) else {
            return Err(Obstacle::NoTimes);
        };
        if hidden.iter().any(|time| (first..=last).contains(time)) {
            return Err(Obstacle::HiddenInside);
        }
        let begins = packets.first().is_some_and(|packet| packet.is_key);
        if !begins || keys.first().is_none_or(|&key| key > first) {
            return Err(Obstacle::NoKeyAtStart);
        }
        let times: Vec<i64> = frames.iter().map(|&(time, _)| time).collect();
        let gaps = || times.windows(2).map(|pair| pair[1] - pair[0]);
        if gaps().any(|gap| gap == 0) {
            return Err(Obstacle::SameTimes);
        }
        let length = match length {
            0 => gaps().next_back().unwrap_or(1),
            length => length,
        };
        let index = Self {
            time_base: (unit.numerator, unit.denominator),
            end: last + length,
            keys,
            reads,
            times: times.clone(),
            bytes,
        };
        let may_jump = !STEADY_FORMATS
            .iter()
            .any(|steady| format.starts_with(steady));
        if may_jump && gaps().any(|gap| index.to_seconds(gap) > JUMP) {
            return Err(Obstacle::Jump);
        }
        if packets.iter().any(|packet| packet.is_damaged) {
            return Err(Obstacle::Damaged);
        }
        Ok(index)
    }
}

/// For each keyframe, with its time and that of its decoding, where a search is aimed that finds it, or one before it.
fn reads(film: &Stream, format: &str, unit: Ratio, keys: &[(i64, Option<i64>)]) -> Vec<i64> {
    let units = |seconds: f64| (seconds / unit.value()).ceil() as i64;
    let next = keys.iter().skip(1).map(|(time, _)| *time);
    let next = next.chain([i64::MAX]);
    let aim = |(&(time, decoded), next): (&(i64, Option<i64>), i64)| {
        let safe = time - units(SEARCH_LEAD);
        if format.starts_with("mov") {
            // Its search is by the times of decoding.
            decoded.unwrap_or(safe)
        } else if !format.starts_with("matroska") {
            // Transport streams are searched without an index.
            safe
        } else if !film.is_reordered {
            time
        } else if next.saturating_sub(time) > units(2.0 * EARLIER) {
            time + units(EARLIER)
        } else {
            safe
        }
    };
    keys.iter().zip(next).map(aim).collect()
}

/// A packet of the film.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Packet {
    /// When it is shown.
    time: Option<i64>,
    /// When it is decoded.
    decoded: Option<i64>,
    /// For how long it is shown; 0 if the file does not say.
    length: i64,
    /// Whether decoding can begin with it.
    is_key: bool,
    /// Whether an edit list hides it: it is decoded, and not shown.
    is_hidden: bool,
    is_damaged: bool,
    /// Its position in the file, and its length.
    bytes: Option<(u64, u64)>,
}

impl Packet {
    /// Parses `pts=-8008|dts=-10010|duration=1001|size=4767|pos=48|flags=KD_`.
    fn parse(line: &str) -> Option<Self> {
        let flags = field(line, "flags")?;
        let number = |name| field(line, name)?.parse().ok();
        let length = |name| field(line, name)?.parse().ok();
        Some(Self {
            time: number("pts"),
            decoded: number("dts"),
            length: number("duration").unwrap_or(0),
            is_key: flags.contains('K'),
            is_hidden: flags.contains('D'),
            is_damaged: flags.contains('C'),
            bytes: length("pos").zip(length("size")),
        })
    }
}

/// Reads the index of a film of a source. `format` is ffmpeg's name of the demuxer, and `outline` the source's
/// [outline](crate::ffmpeg::containers::outline): without one, or if it does not tell enough, all packets are read. Its
/// beginning is in `begins`, too.
///
/// # Errors
/// If ffprobe cannot read the source. `Ok(Err(_))` tells why the film cannot be split.
pub async fn read(
    runner: &Runner,
    source: &Source,
    (outline, begins): (Option<&Path>, &Source),
    film: &Stream,
    format: &str,
) -> Result<Result<Index, Obstacle>, Failure> {
    let outlined = match outline {
        Some(outline) => outlined(runner, outline, film, format).await,
        None => None,
    };
    let (index, mut packets) = match outlined {
        Some(known) => known,
        None => {
            let packets = packets(runner, source, film).await?;
            match Index::of(film, format, &packets) {
                Ok(index) => (index, packets),
                Err(obstacle) => return Ok(Err(obstacle)),
            }
        }
    };
    packets.truncate(DECODED);
    let is_frames = beginning(runner, begins, film).await? == shown(&packets);
    Ok(is_frames.then_some(index).ok_or(Obstacle::NotFrames))
}

/// The index of a film by the outline of its file, and the packets that it comes from; `None` if that does not tell it.
pub async fn outlined(
    runner: &Runner,
    outline: &Path,
    film: &Stream,
    format: &str,
) -> Option<(Index, Vec<Packet>)> {
    let zeros = Source::Outline(outline.to_owned());
    match packets(&runner.reading(outline), &zeros, film).await {
        Ok(packets) => Some((Index::of(film, format, &packets).ok()?, packets)),
        Err(failure) => {
            tracing::debug!(%failure, "the outline of a film tells nothing");
            None
        }
    }
}

/// The packets of a film, in the order of the file.
async fn packets(runner: &Runner, source: &Source, film: &Stream) -> Result<Vec<Packet>, Failure> {
    let mut packets = Vec::new();
    let what = ["-show_entries", "packet=pts,dts,duration,size,pos,flags"];
    each_line(runner, source, film, &what, |line| {
        packets.extend(Packet::parse(line));
    })
    .await?;
    Ok(packets)
}

/// When packets are shown, in order.
fn shown(packets: &[Packet]) -> Vec<i64> {
    let shown = packets.iter().filter(|packet| !packet.is_hidden);
    let mut times: Vec<i64> = shown.filter_map(|packet| packet.time).collect();
    times.sort_unstable();
    times
}

/// When the frames of the first packets are shown, as decoded.
async fn beginning(runner: &Runner, source: &Source, film: &Stream) -> Result<Vec<i64>, Failure> {
    let mut times = Vec::new();
    let interval = format!("%+#{DECODED}");
    let entries = "frame=best_effort_timestamp";
    let what = ["-read_intervals", &interval, "-show_entries", entries];
    each_line(runner, source, film, &what, |line| {
        let time = field(line, "best_effort_timestamp");
        times.extend(time.and_then(|time| time.parse::<i64>().ok()));
    })
    .await?;
    Ok(times)
}

/// Runs ffprobe for one stream, and passes on the lines of its answer.
async fn each_line(
    runner: &Runner,
    source: &Source,
    film: &Stream,
    what: &[&str],
    mut on_line: impl FnMut(&str),
) -> Result<(), Failure> {
    let mut arguments: Vec<OsString> = ["-v", "error", "-of", "compact=p=0", "-select_streams"]
        .map(OsString::from)
        .into();
    arguments.push(film.index.to_string().into());
    arguments.extend(what.iter().map(OsString::from));
    if let Some(reader) = film.reader.as_deref() {
        arguments.extend(["-c:v", reader].map(OsString::from));
    }
    arguments.extend(source.arguments());
    runner
        .ffprobe_lines(&arguments, Origin::of(source), |printed| {
            if let Printed::Answer(line) = printed {
                on_line(line);
            }
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: Ratio = Ratio {
        numerator: 1,
        denominator: 25,
    };

    /// Packets of an open GOP in the order of the file; the second keyframe follows frames that depend on it.
    fn packets() -> Vec<Packet> {
        [(0, "K"), (2, "_"), (1, "_"), (5, "K"), (3, "_"), (4, "_")]
            .iter()
            .enumerate()
            .map(|(place, (time, flag))| {
                let line = format!(
                    "pts={time}|dts={place}|duration=1|size=9|pos=100{place}|flags={flag}__|"
                );
                Packet::parse(&line).expect("a packet")
            })
            .collect()
    }

    fn film(is_reordered: bool) -> Stream {
        Stream {
            time_base: Some(UNIT),
            is_reordered,
            ..Stream::default()
        }
    }

    #[test]
    fn a_search_finds_its_keyframe_or_an_earlier_one() {
        let keys = [(0, Some(-2)), (25, Some(23)), (30, None), (80, Some(78))];
        let of = |is_reordered, format| reads(&film(is_reordered), format, UNIT, &keys);
        assert_eq!(of(true, "mov,mp4"), [-2, 23, 5, 78]);
        assert_eq!(of(true, "mpegts"), [-25, 0, 5, 55]);
        assert_eq!(of(false, "matroska,webm"), [0, 25, 30, 80]);
        assert_eq!(of(true, "matroska,webm"), [4, 0, 34, 84]);
    }

    fn of(format: &str, change: impl FnOnce(&mut Vec<Packet>)) -> Result<Index, Obstacle> {
        let mut packets = packets();
        change(&mut packets);
        Index::of(&film(false), format, &packets)
    }

    #[test]
    fn frames_are_in_the_order_in_which_they_are_shown() {
        let index = of("mov,mp4", |_| {}).expect("an index");
        assert_eq!(index.times, [0, 1, 2, 3, 4, 5]);
        assert_eq!(index.keys, [0, 5]);
        assert_eq!((index.end, index.time_base), (6, (1, 25)));
        assert_eq!(
            index.bytes,
            BTreeMap::from([(0, (1000, 9)), (5, (1003, 9))])
        );
        let wrapped = of("matroska,webm", |_| {}).expect("an index");
        assert!(wrapped.bytes.is_empty());
        let unsaid = of("mov,mp4", |packets| packets[3].length = 0);
        assert_eq!(unsaid.expect("an index").end, 6);
    }

    #[test]
    fn hidden_packets_are_no_frames() {
        let at_start = of("mov,mp4", |packets| {
            packets[0].is_hidden = true;
            packets[2].is_hidden = true;
        });
        let index = at_start.expect("an index");
        assert_eq!((index.times.len(), index.keys.len()), (4, 2));
        let inside = of("mov,mp4", |packets| packets[1].is_hidden = true);
        assert_eq!(inside, Err(Obstacle::HiddenInside));
        let all = of("mov,mp4", |packets| {
            packets
                .iter_mut()
                .for_each(|packet| packet.is_hidden = true);
        });
        assert_eq!(all, Err(Obstacle::NoTimes));
    }

    #[test]
    fn times_that_do_not_tell_frames_apart_are_refused() {
        let without = of("avi", |packets| packets[4].time = None);
        assert_eq!(without, Err(Obstacle::NoTimes));
        let same = of("mov,mp4", |packets| packets[4].time = Some(2));
        assert_eq!(same, Err(Obstacle::SameTimes));
        let back = of("mpegts", |packets| packets[4].decoded = Some(-9));
        assert_eq!(back, Err(Obstacle::Jump));
        let ahead = |packets: &mut Vec<Packet>| packets[3].time = Some(600);
        assert_eq!(of("mpegts", ahead), Err(Obstacle::Jump));
        of("mov,mp4", ahead).expect("a long frame is no jump");
    }

    #[test]
    fn a_film_that_begins_in_the_middle_of_a_group_is_refused() {
        let late = of("mpegts", |packets| drop(packets.drain(..1)));
        assert_eq!(late, Err(Obstacle::NoKeyAtStart));
        let leading = of("matroska,webm", |packets| drop(packets.drain(..3)));
        assert_eq!(leading, Err(Obstacle::NoKeyAtStart));
        let damaged = of("mpegts", |packets| packets[2].is_damaged = true);
        assert_eq!(damaged, Err(Obstacle::Damaged));
    }
}
