//! The packets of a stretch of a file, one by one.

use std::ffi::OsString;

use common::job::failure::Failure;

use crate::ffmpeg::Source;
use crate::ffmpeg::run::fault::Origin;
use crate::ffmpeg::run::runner::{Printed, Runner};

/// A packet. Times are the file's own, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Packet {
    /// The index of its stream.
    pub stream: usize,
    /// When it is shown.
    pub time: f64,
    /// For how long it is shown; 0 if the file does not say.
    pub length: f64,
    /// Bytes.
    pub size: u64,
    /// Whether decoding can begin with it.
    pub is_key: bool,
}

/// Seconds after the end of a stretch in which packets are read: packets are not in the order in which they are shown.
const DISORDER: f64 = 3.0;

/// A time after the end of any file, in seconds.
const NEVER: f64 = 1e8;

/// Passes on the packets that are shown from `from` on, or a little earlier, up to `to`, and some after that. `kind` is
/// ffprobe's letter for streams of one kind; `None` stands for all streams.
///
/// # Errors
/// If ffprobe cannot read the file.
pub async fn packets(
    runner: &Runner,
    source: &Source,
    kind: Option<&str>,
    (from, to): (Option<f64>, Option<f64>),
    mut on_packet: impl FnMut(Packet),
) -> Result<(), Failure> {
    let mut arguments: Vec<OsString> = [
        "-v",
        "error",
        "-of",
        "compact",
        "-show_entries",
        "packet=stream_index,pts_time,dts_time,duration_time,size,flags",
    ]
    .map(OsString::from)
    .into();
    if let Some(kind) = kind {
        arguments.extend(["-select_streams", kind].map(OsString::from));
    }
    arguments.extend(interval(from, to).into_iter().map(OsString::from));
    arguments.extend(source.arguments());
    runner
        .ffprobe_lines(&arguments, Origin::of(source), |printed| {
            if let Printed::Answer(line) = printed
                && let Some(packet) = parse(line)
            {
                on_packet(packet);
            }
        })
        .await
}

/// ffprobe's options for a stretch of a file. ffprobe 8 reads nothing, or not, where no end is given.
pub(crate) fn interval(from: Option<f64>, to: Option<f64>) -> Vec<String> {
    if from.is_none() && to.is_none() {
        return Vec::new();
    }
    let from = from.map_or(String::new(), |from| format!("{from:.6}"));
    let to = to.map_or(NEVER, |to| to + DISORDER);
    vec!["-read_intervals".to_owned(), format!("{from}%{to:.6}")]
}

/// Parses `packet|stream_index=0|pts_time=2.02|dts_time=N/A|duration_time=0.04|size=4767|flags=K_`.
fn parse(line: &str) -> Option<Packet> {
    Some(Packet {
        stream: index(line)?,
        time: time(line)?,
        length: number(line, "duration_time").unwrap_or(0.0),
        size: field(line, "size")
            .and_then(|size| size.parse().ok())
            .unwrap_or(0),
        is_key: field(line, "flags").is_some_and(|flags| flags.starts_with('K')),
    })
}

/// The index of the stream of a line.
pub(crate) fn index(line: &str) -> Option<usize> {
    field(line, "stream_index")?.parse().ok()
}

/// The time at which the packet of a line is shown.
pub(crate) fn time(line: &str) -> Option<f64> {
    number(line, "pts_time").or_else(|| number(line, "dts_time"))
}

/// A number of a line in ffprobe's compact form.
pub(crate) fn number(line: &str, key: &str) -> Option<f64> {
    let number = field(line, key)?.parse::<f64>().ok()?;
    number.is_finite().then_some(number)
}

pub(crate) fn field<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let mut fields = line.split('|').filter_map(|field| field.split_once('='));
    let (_, value) = fields.find(|(name, _)| *name == key)?;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_ffprobe_becomes_a_packet() {
        let line = "packet|stream_index=1|pts_time=2.5|dts_time=N/A|duration_time=N/A|size=47|flags=K__|side_data|";
        let packet = Packet {
            stream: 1,
            time: 2.5,
            length: 0.0,
            size: 47,
            is_key: true,
        };
        assert_eq!(parse(line), Some(packet));
        let decoded =
            "packet|stream_index=0|pts_time=N/A|dts_time=1|duration_time=0.04|size=9|flags=__";
        let packet = parse(decoded).expect("a packet");
        assert_eq!((packet.time, packet.is_key), (1.0, false));
        assert_eq!(
            parse("packet|stream_index=0|pts_time=N/A|dts_time=N/A"),
            None
        );
        assert_eq!(parse("side_data|"), None);
    }

    #[test]
    fn a_stretch_may_be_open_at_both_ends() {
        assert!(interval(None, None).is_empty());
        assert_eq!(interval(None, Some(1.0))[1], "%4.000000");
        assert_eq!(interval(Some(1.5), None)[1], "1.500000%100000000.000000");
        assert_eq!(interval(Some(0.0), Some(2.0))[1], "0.000000%5.000000");
    }
}
