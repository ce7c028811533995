//! Reads a file from end to end. Records the times of its packets, the frames that can be decoded, and the places of
//! errors.

use std::collections::BTreeMap;
use std::ffi::OsString;

use common::job::failure::Failure;

use crate::ffmpeg::Source;
use crate::ffmpeg::probe::packets;
use crate::ffmpeg::probe::packets::{interval, number};
use crate::ffmpeg::run::complaints;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Printed, Runner};

/// How thorough a survey is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Reads packets only, as fast as the file can be read.
    Packets,
    /// Also decodes the packets.
    Frames,
}

/// The stretch of a file that a survey looks at, in seconds of the file's own clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    pub from: f64,
    /// `None` at the end of the file.
    pub to: Option<f64>,
    /// Where reading begins, so that decoders are right from `from` on; `None` at the beginning of the file.
    pub read_from: Option<f64>,
}

impl Stretch {
    /// Whether something shown at this time is in it.
    pub fn holds(self, time: f64) -> bool {
        time >= self.from && self.to.is_none_or(|to| time < to)
    }
}

/// The result of a survey.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// The streams that have packets, by index.
    pub streams: BTreeMap<usize, Surveyed>,
    /// The errors, in the order in which they came.
    pub complaints: Vec<Complaint>,
    /// The stream and time of the last frame.
    last: Option<(usize, f64)>,
    /// The stretch that counts; `None` for the whole file.
    stretch: Option<Stretch>,
}

/// The packets and frames of one stream. Times are the file's own, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Surveyed {
    /// The number of packets.
    pub packets: u64,
    /// The start of the first packet.
    pub start: f64,
    /// The end of the last packet.
    pub end: f64,
    /// The time of each decoded frame. Subtitles have no frames.
    pub frames: Vec<f64>,
}

impl Default for Surveyed {
    fn default() -> Self {
        Self {
            packets: 0,
            start: f64::INFINITY,
            end: f64::NEG_INFINITY,
            frames: Vec::new(),
        }
    }
}

/// An error, and the frame before which it came.
#[derive(Clone, Debug, PartialEq)]
pub struct Complaint {
    /// The component that reported the error, such as `h264` or `matroska,webm`. Empty if the error only says that the
    /// file ends too early.
    pub by: String,
    /// The frame's stream and time. `None` after the last frame, and if a demuxer reported the error.
    pub before: Option<(usize, f64)>,
}

/// The maximal number of frames whose times are kept: about ten hours of film.
pub(crate) const MOST_FRAMES: usize = 1 << 21;
/// The maximal number of complaints that are kept.
const MOST_COMPLAINTS: usize = 10_000;

/// Surveys a file, or a stretch of it.
///
/// # Errors
/// If ffprobe cannot read the file to its end.
pub async fn survey(
    runner: &Runner,
    source: &Source,
    depth: Depth,
    stretch: Option<Stretch>,
) -> Result<Survey, Failure> {
    let mut survey = Survey {
        stretch,
        ..Survey::default()
    };
    let mut logged_by = Vec::new();
    runner
        .ffprobe_lines(
            &arguments(source, depth, stretch),
            Origin::of(source),
            |printed| match printed {
                Printed::Answer(line) => survey.take(line),
                Printed::Log(line) if logged_by.len() < MOST_COMPLAINTS => {
                    let by = if complaints::breaks_off(line) {
                        String::new()
                    } else {
                        speaker(line)
                    };
                    logged_by.push(by);
                }
                Printed::Log(_) => {}
            },
        )
        .await?;
    // Complaints that belong to no decoder are not attached to a frame.
    if depth == Depth::Frames {
        for complaint in &survey.complaints {
            if let Some(at) = logged_by.iter().position(|by| *by == complaint.by) {
                logged_by.remove(at);
            }
        }
        let rest = logged_by
            .into_iter()
            .map(|by| Complaint { by, before: None });
        survey.complaints.extend(rest);
    }
    Ok(survey)
}

fn arguments(source: &Source, depth: Depth, stretch: Option<Stretch>) -> Vec<OsString> {
    const PACKET: &str = "packet=stream_index,pts_time,dts_time,duration_time";
    const FRAME: &str = "frame=stream_index,best_effort_timestamp_time:log=message";
    let mut arguments = vec!["-v", "error", "-of", "compact", "-show_packets"];
    let entries = match depth {
        Depth::Packets => PACKET.to_owned(),
        Depth::Frames => {
            // Level 16 means errors.
            arguments.extend(["-show_frames", "-show_log", "16"]);
            format!("{PACKET}:{FRAME}")
        }
    };
    arguments.extend(["-show_entries", &entries]);
    let mut arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
    if let Some(stretch) = stretch {
        let interval = interval(stretch.read_from, stretch.to);
        arguments.extend(interval.into_iter().map(OsString::from));
    }
    arguments.extend(source.arguments());
    arguments
}

impl Survey {
    /// Whether something at this time is in the stretch that counts.
    fn counts(&self, time: f64) -> bool {
        self.stretch.is_none_or(|stretch| stretch.holds(time))
    }

    /// Takes a line of ffprobe's output: `packet|stream_index=0|pts_time=0.08|…`,
    /// `frame|stream_index=0|best_effort_timestamp_time=0.52|log|message=…`, `log|message=…`.
    fn take(&mut self, line: &str) {
        match line.split('|').next() {
            Some("packet") => self.packet(line),
            Some("frame") => self.frame(line),
            Some("log") => self.complain(line),
            _ => {}
        }
    }

    fn packet(&mut self, line: &str) {
        let Some(index) = packets::index(line) else {
            return;
        };
        let time = packets::time(line);
        if !time.is_none_or(|time| self.counts(time)) {
            return;
        }
        let stream = self.streams.entry(index).or_default();
        stream.packets += 1;
        if let Some(time) = time {
            stream.start = stream.start.min(time);
            let length = number(line, "duration_time").unwrap_or(0.0);
            stream.end = stream.end.max(time + length);
        }
    }

    fn frame(&mut self, line: &str) {
        let Some(index) = packets::index(line) else {
            return;
        };
        let time = number(line, "best_effort_timestamp_time");
        // Decoders may complain until they have what they need.
        if !time.is_none_or(|time| self.counts(time)) {
            return;
        }
        let stream = self.streams.entry(index).or_default();
        if stream.frames.len() < MOST_FRAMES {
            let last = stream.frames.last().copied();
            stream.frames.push(time.or(last).unwrap_or(0.0));
        }
        self.last = stream.frames.last().map(|time| (index, *time));
        self.complain(line);
    }

    /// Records the complaints of a line. They belong to the last frame that was printed.
    fn complain(&mut self, line: &str) {
        for (_, message) in line
            .match_indices("|message=")
            .map(|(at, key)| (at, &line[at + key.len()..]))
        {
            if self.complaints.len() < MOST_COMPLAINTS {
                self.complaints.push(Complaint {
                    by: speaker(message),
                    before: self.last,
                });
            }
        }
    }
}

/// The component that wrote a log line, such as `h264` in `[h264 @ 0x55…] …`.
fn speaker(line: &str) -> String {
    let name = line.trim_start_matches('[').split(" @ ").next();
    name.filter(|name| line.len() > name.len())
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_frames_and_complaints_of_old_and_new_versions_are_parsed() {
        let mut survey = Survey::default();
        for line in [
            "packet|stream_index=0|pts_time=0.480000|dts_time=N/A|duration_time=0.040000",
            "packet|stream_index=0|pts_time=N/A|dts_time=0.520000|duration_time=N/A",
            "frame|stream_index=0|best_effort_timestamp_time=0.480000|",
            "",
            "frame|stream_index=0|best_effort_timestamp_time=0.520000|log|message=[mpeg4 @ 0x55] damaged at 18 6",
            "log|message=[mpeg4 @ 0x55] Error at MB: 144",
            "",
            "frame|stream_index=1|best_effort_timestamp_time=0.5|log|message=[aac @ 0x5] a|log|message=[aac @ 0x5] b",
        ] {
            survey.take(line);
        }
        let film = &survey.streams[&0];
        assert_eq!((film.packets, film.start, film.end), (2, 0.48, 0.52));
        assert_eq!(film.frames, [0.48, 0.52]);
        let complaints: Vec<_> = survey
            .complaints
            .iter()
            .map(|complaint| (complaint.by.as_str(), complaint.before))
            .collect();
        let (video, sound) = (Some((0, 0.52)), Some((1, 0.5)));
        assert_eq!(
            complaints,
            [
                ("mpeg4", video),
                ("mpeg4", video),
                ("aac", sound),
                ("aac", sound)
            ]
        );
    }
}
