//! Reads a file with ffprobe from end to end, or at one place, and decodes every track of it. Notes what was read, what
//! was decoded, and the errors with their places.

use std::collections::BTreeMap;
use std::ffi::OsString;

use common::job::failure::Failure;

use crate::ffmpeg::Source;
use crate::ffmpeg::probe::packets::{field, index, interval, number, time};
use crate::ffmpeg::probe::survey::MOST_FRAMES;
use crate::ffmpeg::run::fault::{self, Origin};
use crate::ffmpeg::run::runner::{Printed, Runner};
use crate::ffmpeg::run::without_speaker;

/// The maximal number of errors that are kept.
const MOST_ERRORS: usize = 10_000;

/// What is read, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pass {
    /// The whole file, with all processors. Errors have no place.
    Alarm,
    /// The whole file, with one processor: only so does ffprobe tell the place of an error.
    Places,
    /// From this time on up to that one, by the file's own clock. Errors have a place.
    Stretch(Option<f64>, f64),
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    /// The streams that have packets, by index.
    pub(super) streams: BTreeMap<usize, Read>,
    /// The errors of decoders that belong to one packet.
    pub(super) placed: Vec<Placed>,
    /// The errors without a place, in ffmpeg's words.
    pub(super) errors: Vec<Spoken>,
    /// The failure of the network that the reading met, if the file is remote.
    pub(super) network: Option<Failure>,
    /// The packets whose place in the file is known, in the order of reading.
    pub(super) positions: Vec<Position>,
}

/// What was read of one stream. Times are the file's own, in seconds.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The times of the packets that are to be shown.
    pub(super) packets: Vec<f64>,
    /// The end of the last packet.
    pub(super) end: f64,
    /// The times of the frames that were decoded.
    pub(super) frames: Vec<f64>,
    /// The times of the packets that the demuxer calls corrupt.
    pub(super) corrupt: Vec<f64>,
    /// The time of the packet that was read last.
    pub(super) last: f64,
}

/// Where a packet lies in the file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Position {
    /// The offset in bytes.
    pub(super) at: u64,
    /// Bytes.
    pub(super) size: u64,
    /// When it is shown.
    pub(super) time: f64,
}

/// An error over one packet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) by: String,
    pub(super) stream: usize,
    pub(super) time: f64,
}

/// An error without a place.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Spoken {
    /// The component that reports the error, such as `h264` or `matroska,webm`; empty if unknown.
    pub(super) by: String,
    pub(super) words: String,
}

/// Reads a file. `on_time` is told the time of the packets.
///
/// # Errors
/// If ffprobe cannot read it to its end.
pub(super) async fn read(
    runner: &Runner,
    source: &Source,
    pass: Pass,
    mut on_time: impl FnMut(f64),
) -> Result<Reading, Failure> {
    let mut reading = Reading::default();
    let on_line = |printed: Printed<'_>| match printed {
        Printed::Answer(line) => {
            if let Some(time) = reading.take(line) {
                on_time(time);
            }
        }
        Printed::Log(line) => {
            if source.is_remote() && reading.network.is_none() {
                reading.network = fault::network(line);
            }
            if reading.errors.len() < MOST_ERRORS {
                reading.errors.push(Spoken::of(line));
            }
        }
    };
    let arguments = arguments(source, pass);
    runner
        .ffprobe_lines(&arguments, Origin::of(source), on_line)
        .await?;
    // What has a place was printed twice.
    for placed in &reading.placed {
        let same = |error: &Spoken| error.by == placed.by;
        if let Some(at) = reading.errors.iter().position(same) {
            reading.errors.remove(at);
        }
    }
    Ok(reading)
}

fn arguments(source: &Source, pass: Pass) -> Vec<OsString> {
    const ENTRIES: &str = "packet=stream_index,pts_time,dts_time,duration_time,size,pos,flags:\
                           frame=stream_index,best_effort_timestamp_time";
    let mut arguments = vec![
        "-v",
        "error",
        "-of",
        "compact",
        "-show_packets",
        "-show_frames",
    ];
    let with_log = format!("{ENTRIES}:log=message");
    match pass {
        Pass::Alarm => arguments.extend(["-threads", "0", "-show_entries", ENTRIES]),
        // Level 16 means errors.
        _ => arguments.extend(["-show_log", "16", "-show_entries", &with_log]),
    }
    let mut arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
    if let Pass::Stretch(from, to) = pass {
        arguments.extend(interval(from, Some(to)).into_iter().map(OsString::from));
    }
    // Tracks whose decoder checks sums only if it is told to.
    arguments.extend(["-err_detect", "crccheck"].map(OsString::from));
    arguments.extend(source.arguments());
    arguments
}

impl Reading {
    /// Takes a line. Returns the time of a packet.
    fn take(&mut self, line: &str) -> Option<f64> {
        match line.split('|').next() {
            Some("packet") => self.packet(line),
            Some("frame") => {
                self.frame(line);
                None
            }
            _ => None,
        }
    }

    fn packet(&mut self, line: &str) -> Option<f64> {
        let (index, time) = (index(line)?, time(line)?);
        let bytes = |key| field(line, key).and_then(|bytes| bytes.parse().ok());
        if let Some(at) = bytes("pos")
            && self.positions.len() < MOST_FRAMES
        {
            let size = bytes("size").unwrap_or(0);
            self.positions.push(Position { at, size, time });
        }
        let flags = field(line, "flags").unwrap_or_default();
        let read = self.streams.entry(index).or_default();
        read.last = time;
        // A packet that an edit list hides is not shown.
        if !flags.contains('D') && read.packets.len() < MOST_FRAMES {
            read.packets.push(time);
            let length = number(line, "duration_time").unwrap_or(0.0);
            read.end = match read.packets.len() {
                1 => time + length,
                _ => read.end.max(time + length),
            };
        }
        if flags.contains('C') && read.corrupt.len() < MOST_ERRORS {
            read.corrupt.push(time);
        }
        Some(time)
    }

    fn frame(&mut self, line: &str) {
        let Some(index) = index(line) else {
            return;
        };
        let read = self.streams.entry(index).or_default();
        let time = number(line, "best_effort_timestamp_time");
        if read.frames.len() < MOST_FRAMES {
            read.frames.push(time.unwrap_or(read.last));
        }
        // The packet was read just before. The frame itself may be an earlier one: decoders hold frames back.
        let last = read.last;
        for (at, key) in line.match_indices("|message=") {
            if self.placed.len() < MOST_ERRORS {
                let error = Spoken::of(&line[at + key.len()..]);
                self.placed.push(Placed {
                    by: error.by,
                    stream: index,
                    time: last,
                });
            }
        }
    }
}

impl Spoken {
    /// Parses `[h264 @ 0x55…] error while decoding MB 4 8`.
    fn of(line: &str) -> Self {
        let line = line.trim();
        let name = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(" @ "));
        Self {
            by: name.map_or(String::new(), |(name, _)| name.to_owned()),
            words: without_speaker(line),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_belongs_to_the_packet_that_was_read_before_it() {
        let mut reading = Reading::default();
        for line in [
            "packet|stream_index=0|pts_time=0.000000|dts_time=N/A|duration_time=0.040000|size=7|pos=48|flags=K__",
            "packet|stream_index=0|pts_time=0.080000|dts_time=0.040|duration_time=0.040|pos=900|flags=__C",
            "packet|stream_index=1|pts_time=0.070000|dts_time=0.070|duration_time=0.021|pos=N/A|flags=KD_",
            "frame|stream_index=0|best_effort_timestamp_time=0.000000|log|message=[h264 @ 0x55] damaged|log|message=[h264 @ 0x55] again",
            "frame|stream_index=1|best_effort_timestamp_time=N/A|",
            "",
        ] {
            reading.take(line);
        }
        let film = &reading.streams[&0];
        assert_eq!(film.packets, [0.0, 0.08]);
        assert_eq!((film.end, film.corrupt.as_slice()), (0.12, &[0.08][..]));
        assert_eq!(film.frames, [0.0]);
        let sound = &reading.streams[&1];
        assert_eq!(
            (sound.packets.len(), sound.frames.as_slice()),
            (0, &[0.07][..])
        );
        let positions = reading.positions.iter();
        let positions: Vec<_> = positions.map(|one| (one.at, one.size, one.time)).collect();
        assert_eq!(positions, [(48, 7, 0.0), (900, 0, 0.08)]);
        let places: Vec<_> = reading
            .placed
            .iter()
            .map(|one| (one.stream, one.time))
            .collect();
        assert_eq!(places, [(0, 0.08), (0, 0.08)]);
        assert_eq!(reading.placed[0].by, "h264");
    }
}
