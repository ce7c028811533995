//! Facts that only the first packets of a file show: which declared streams are empty, and how much of a stream an
//! edit list hides.

use std::ffi::OsString;

use common::job::failure::{Failure, Fault};
use serde::Deserialize;

use crate::ffmpeg::Source;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::run::fault;
use crate::ffmpeg::run::runner::Runner;

/// The number of packets to read from the beginning, of all streams together.
const FIRST_PACKETS: &str = "%+#64";
/// The first packet of one stream, wherever it is.
const FIRST_PACKET: &str = "%+#1";
/// The maximal number of streams that are searched one by one. A hostile file may declare thousands.
const MOST_LOOKS: usize = 16;

/// The first packets of a file, as ffprobe prints them.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Packets {
    packets: Vec<Packet>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Packet {
    stream_index: usize,
    pts_time: Option<String>,
    flags: String,
}

/// Reads the first packets. `None` if the file cannot be read.
///
/// # Errors
/// If a passing fault, such as an outage, stopped ffprobe.
pub(crate) async fn read(
    runner: &Runner,
    source: &Source,
    stream: Option<usize>,
) -> Result<Option<Packets>, Failure> {
    let interval = stream.map_or(FIRST_PACKETS, |_| FIRST_PACKET);
    let entries = "packet=stream_index,pts_time,flags";
    let what = [
        "-v",
        "error",
        "-of",
        "json",
        "-read_intervals",
        interval,
        "-show_entries",
        entries,
    ];
    let mut arguments: Vec<OsString> = what.map(OsString::from).into();
    if let Some(index) = stream {
        arguments.extend(["-select_streams".into(), index.to_string().into()]);
    }
    arguments.extend(source.arguments());
    match runner.ffprobe(&arguments, fault::Origin::of(source)).await {
        Ok(json) => Ok(serde_json::from_slice(&json).ok()),
        Err(failure) if failure.fault == Fault::Passing => Err(failure),
        Err(failure) => {
            tracing::debug!(%failure, "no packet could be looked at");
            Ok(None)
        }
    }
}

/// Adds the facts of the first packets to their streams.
///
/// # Errors
/// As for [`read`].
pub(crate) async fn apply(
    runner: &Runner,
    source: &Source,
    media: &mut Media,
    first: &Packets,
) -> Result<(), Failure> {
    let format = media.format.clone();
    let mut looks = 0;
    for stream in &mut media.streams {
        let packet = first
            .packets
            .iter()
            .find(|packet| packet.stream_index == stream.index);
        if let Some(packet) = packet {
            stream.hidden = hidden(stream, packet);
        }
        if !is_doubtful(stream, &format) {
            continue;
        }
        let is_there = match packet {
            Some(_) => true,
            None if looks == MOST_LOOKS => true,
            None => {
                looks += 1;
                let found = read(runner, source, Some(stream.index)).await?;
                found.is_none_or(|found| !found.packets.is_empty())
            }
        };
        if !is_there {
            stream.absent = Some("declared, but empty".into());
        } else if has_no_form(stream) {
            stream.absent = Some("of no form that its beginning tells".into());
        }
    }
    Ok(())
}

/// Whether the stream may be empty, judged by its header.
fn is_doubtful(stream: &Stream, format: &str) -> bool {
    let is_timed = matches!(stream.kind, StreamKind::Video | StreamKind::Audio);
    let counted = stream.frames.is_some_and(|frames| frames > 0)
        || stream
            .tags
            .iter()
            .any(|(key, value)| key.starts_with("NUMBER_OF_FRAMES") && value != "0");
    let may_be_empty = format.contains("mp4") || format.starts_with("matroska");
    is_timed && !stream.is_picture && (has_no_form(stream) || (may_be_empty && !counted))
}

/// Whether ffmpeg knows the codec of a stream, but found no picture size, or no channels and sample rate.
fn has_no_form(stream: &Stream) -> bool {
    !stream.codec.is_empty()
        && match stream.kind {
            StreamKind::Video => stream.width == 0 || stream.height == 0,
            StreamKind::Audio => stream.channels == 0 || stream.sample_rate == 0,
            _ => false,
        }
}

/// Seconds that an edit list hides before the first visible frame.
fn hidden(stream: &Stream, first: &Packet) -> f64 {
    let time = first.pts_time.as_deref().map(str::parse::<f64>);
    match (stream.start, time.and_then(Result::ok)) {
        (Some(start), Some(time)) if first.flags.contains('D') => f64::max(start - time, 0.0),
        _ => 0.0,
    }
}
