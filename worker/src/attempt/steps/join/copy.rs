//! The command lines that join alike parts by copy, pure.

use std::ffi::OsString;
use std::path::Path;

use common::job::failure::Failure;

use crate::attempt::steps::join::line::Line;
use crate::attempt::steps::join::part::Part;
use crate::ffmpeg::probe::media::StreamKind;
use crate::ffmpeg::tracks::tags;
use crate::ffmpeg::{FORMATS, Source, file};

/// Drops packets of sound that begin before the end of the one before: the sound of a part begins a little before its
/// picture, where that of the part before has not ended.
const NO_OVERLAP: &str = "noise=drop='if(gt(n\\,0)*lt(pts\\,ld(0))\\,1\\,st(0\\,pts+d/2)*0)'";

/// The file format of the joined file: one that holds what the parts hold.
pub(super) fn format(first: &Part) -> &'static str {
    let brand = first
        .media
        .tags
        .iter()
        .find(|(key, _)| *key == "major_brand");
    match (first.media.format.starts_with("mov,mp4"), brand) {
        (true, Some((_, brand))) if brand.starts_with("qt") => "mov",
        (true, _) => "mp4",
        (false, _) => "matroska",
    }
}

/// Whether the parts are one stream of bytes that was cut: the timestamps of each go on where the part before ends.
pub(super) fn is_one_stream(parts: &[Part]) -> bool {
    let is_stream = |part: &Part| matches!(part.media.format.as_str(), "mpeg" | "mpegts");
    parts.iter().all(is_stream)
        && parts.windows(2).all(|pair| {
            let end = pair[0].start + pair[0].length;
            (pair[1].start - end).abs() < 0.5
        })
}

/// A list of parts for ffmpeg's concat demuxer. Each part is so long that the picture of the next one begins where its
/// own ends, even if sound begins before the picture.
///
/// # Errors
/// The input's fault if a path cannot be written into a list.
pub(super) fn list(parts: &[Part]) -> Result<Vec<u8>, Failure> {
    let mut list = b"ffconcat version 1.0\n".to_vec();
    for (number, part) in parts.iter().enumerate() {
        let path = file(path(part)?);
        let path = path.as_encoded_bytes();
        if path.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
            return Err(Failure::input(format!(
                "the name of {} holds a line break: rename it",
                part.title
            )));
        }
        list.extend(b"file '");
        for byte in path {
            match byte {
                b'\'' => list.extend(b"'\\''"),
                byte => list.push(*byte),
            }
        }
        let next = parts.get(number + 1).map_or(0.0, |next| next.lead);
        let length = part.lead + part.length - next;
        list.extend(format!("'\nduration {length:.6}\n").as_bytes());
    }
    Ok(list)
}

/// Copies one part with its tracks in order, and cuts its sound where its picture ends.
pub(super) fn tidy(part: &Part, format: &str, to: &Path) -> Vec<OsString> {
    let mut line = Line::new();
    line.0.extend(part.source.arguments());
    let end = part.lead + part.length;
    line.push(format!("-t {end:.6}"));
    line.0.extend(part.source.arguments());
    line.push(format!("-map 0:{} -c copy", part.film.index));
    for sound in part.sounds() {
        line.push(format!("-map 1:{}", sound.index));
    }
    line.push("-map_chapters -1");
    line.finish(format, to)
}

/// What a copy reads: a list of parts, or the parts as one stream of bytes.
pub(super) enum Parts<'a> {
    List(&'a Path),
    /// Their address.
    Stream(OsString),
}

/// Whether ffmpeg can be given the parts as one stream of bytes: they are files, and no name holds its separator.
pub(super) fn can_be_stream(parts: &[Part]) -> bool {
    parts.iter().all(|part| match &part.source {
        Source::File(path) => !path.as_os_str().as_encoded_bytes().contains(&b'|'),
        _ => false,
    })
}

/// The address of the parts as one stream of bytes, for ffmpeg's concat protocol.
///
/// # Errors
/// The worker's fault if a part is no file.
pub(super) fn stream(parts: &[Part]) -> Result<OsString, Failure> {
    let mut address = OsString::from("concat:");
    for (number, part) in parts.iter().enumerate() {
        if number > 0 {
            address.push("|");
        }
        address.push(file(path(part)?));
    }
    Ok(address)
}

fn path(part: &Part) -> Result<&Path, Failure> {
    match &part.source {
        Source::File(path) => Ok(path),
        _ => Err(Failure::worker(
            "a part of a joined film was not downloaded",
        )),
    }
}

/// Joins alike parts by copy. The first `subtitles` subtitle tracks are in all parts. With `in_order`, the tracks of
/// each part were put in order, without subtitles.
pub(super) fn line(
    first: &Part,
    parts: &Parts<'_>,
    (subtitles, in_order): (usize, bool),
    chapters: &Path,
    (format, to): (&str, &Path),
) -> Vec<OsString> {
    let mut line = Line::new();
    line.push("-fflags +genpts");
    match parts {
        Parts::List(list) => {
            // A list begins at 0, and sound that an encoder has put before that stays there.
            line.push("-copyts");
            line.push(format!(
                "-format_whitelist concat,{FORMATS} -protocol_whitelist file -auto_convert 0 -safe 0"
            ));
            line.open("concat", list);
        }
        Parts::Stream(address) => {
            line.push(format!(
                "-format_whitelist {FORMATS} -protocol_whitelist file,concat -i"
            ));
            line.add(address);
        }
    }
    line.open("ffmetadata", chapters);
    line.0.extend(first.source.arguments());
    let sounds = first.sounds();
    let texts = first.subtitles();
    let tracks = std::iter::once(&first.film)
        .chain(sounds.iter().copied())
        .chain(texts.into_iter().take(subtitles));
    for (number, track) in tracks.enumerate() {
        let index = if in_order { number } else { track.index };
        line.push(format!("-map 0:{index}"));
        // The tags and marks of the track are the first part's.
        line.push(format!("-map_metadata:s:{number} 2:s:{}", track.index));
        // They count the packets of the first part alone.
        for key in tags::statistics(track) {
            line.tag(number, key, "");
        }
        line.dispositions(number, track);
    }
    if format == "matroska" {
        line.push("-map 2:t?");
    }
    line.push("-c copy -map_metadata 2 -map_chapters 1");
    for number in 0..sounds.len() {
        line.push(format!("-bsf:a:{number}"));
        line.add(NO_OVERLAP);
    }
    line.finish(format, to)
}

/// Whether the tracks of all parts have the same numbers, as ffmpeg's concat demuxer takes for granted.
pub(super) fn are_in_order(parts: &[Part]) -> bool {
    let shape = |part: &Part| -> Vec<(usize, StreamKind)> {
        let streams = part.media.streams.iter();
        streams.map(|stream| (stream.index, stream.kind)).collect()
    };
    parts.windows(2).all(|pair| {
        let (one, other) = (shape(&pair[0]), shape(&pair[1]));
        one.iter().zip(&other).all(|(one, other)| one == other)
    })
}
