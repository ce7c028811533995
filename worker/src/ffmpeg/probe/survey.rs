//! Reads a file from end to end and notes where its packets lie, which of them
//! a decoder can make something of, and where it complains.

use std::collections::BTreeMap;
use std::ffi::OsString;

use common::job::failure::Failure;

use crate::ffmpeg::Source;
use crate::ffmpeg::run::complaints;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Printed, Runner};

/// How far a survey goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Packets are read: as fast as the file can be.
    Packets,
    /// They are decoded, too.
    Frames,
}

/// What a survey found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Survey {
    /// Streams that have a packet, by index.
    pub streams: BTreeMap<usize, Surveyed>,
    /// Complaints, in the order in which they came.
    pub complaints: Vec<Complaint>,
    /// The stream and time of the last frame.
    last: Option<(usize, f64)>,
}

/// What was found of one stream. Times are the file's own, in seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Surveyed {
    /// Packets.
    pub packets: u64,
    /// When the first one begins.
    pub start: f64,
    /// When the last one ends.
    pub end: f64,
    /// When each frame that was decoded is shown; subtitles have none.
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

/// A complaint, and the frame that came next.
#[derive(Clone, Debug, PartialEq)]
pub struct Complaint {
    /// Who complains, e.g. `h264`, `matroska,webm`; empty where all of it is that the file ends.
    pub by: String,
    /// The frame's stream and time; `None` after the last frame, and where a demuxer complains.
    pub before: Option<(usize, f64)>,
}

/// Frames whose times are kept: those of a film of some ten hours.
const MOST_FRAMES: usize = 1 << 21;
/// Complaints that are kept.
const MOST_COMPLAINTS: usize = 10_000;

/// Surveys a file.
///
/// # Errors
/// Where ffprobe cannot read it to its end.
pub async fn survey(runner: &Runner, source: &Source, depth: Depth) -> Result<Survey, Failure> {
    let mut survey = Survey::default();
    let mut said = Vec::new();
    runner
        .ffprobe_lines(
            &arguments(source, depth),
            Origin::of(source),
            |printed| match printed {
                Printed::Answer(line) => survey.take(line),
                Printed::Log(line) if said.len() < MOST_COMPLAINTS => {
                    let by = if complaints::breaks_off(line) {
                        String::new()
                    } else {
                        speaker(line)
                    };
                    said.push(by);
                }
                Printed::Log(_) => {}
            },
        )
        .await?;
    // What no decoder said is attached to no frame.
    if depth == Depth::Frames {
        for complaint in &survey.complaints {
            if let Some(at) = said.iter().position(|by| *by == complaint.by) {
                said.remove(at);
            }
        }
        let rest = said.into_iter().map(|by| Complaint { by, before: None });
        survey.complaints.extend(rest);
    }
    Ok(survey)
}

fn arguments(source: &Source, depth: Depth) -> Vec<OsString> {
    const PACKET: &str = "packet=stream_index,pts_time,dts_time,duration_time";
    const FRAME: &str = "frame=stream_index,best_effort_timestamp_time:log=message";
    let mut arguments = vec!["-v", "error", "-of", "compact", "-show_packets"];
    let entries = match depth {
        Depth::Packets => PACKET.to_owned(),
        Depth::Frames => {
            // Level 16: errors.
            arguments.extend(["-show_frames", "-show_log", "16"]);
            format!("{PACKET}:{FRAME}")
        }
    };
    arguments.extend(["-show_entries", &entries]);
    let mut arguments: Vec<OsString> = arguments.into_iter().map(OsString::from).collect();
    arguments.extend(source.arguments());
    arguments
}

impl Survey {
    /// Takes a line of ffprobe's: `packet|stream_index=0|pts_time=0.08|…`,
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
        let Some(index) = number(line, "stream_index").map(|index| index as usize) else {
            return;
        };
        let stream = self.streams.entry(index).or_default();
        stream.packets += 1;
        if let Some(time) = number(line, "pts_time").or(number(line, "dts_time")) {
            stream.start = stream.start.min(time);
            let length = number(line, "duration_time").unwrap_or(0.0);
            stream.end = stream.end.max(time + length);
        }
    }

    fn frame(&mut self, line: &str) {
        let Some(index) = number(line, "stream_index").map(|index| index as usize) else {
            return;
        };
        let stream = self.streams.entry(index).or_default();
        if stream.frames.len() < MOST_FRAMES {
            let last = stream.frames.last().copied();
            let time = number(line, "best_effort_timestamp_time").or(last);
            stream.frames.push(time.unwrap_or(0.0));
        }
        self.last = stream.frames.last().map(|time| (index, *time));
        self.complain(line);
    }

    /// Notes the complaints of a line: they came before the last frame that was told of.
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

fn number(line: &str, key: &str) -> Option<f64> {
    line.split('|')
        .filter_map(|field| field.split_once('='))
        .find(|(name, _)| *name == key)
        .and_then(|(_, value)| value.parse().ok())
        .filter(|number: &f64| number.is_finite())
}

/// Who says a line, e.g. `h264` of `[h264 @ 0x55…] …`.
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
    fn packets_frames_and_complaints_are_read_as_either_version_prints_them() {
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
