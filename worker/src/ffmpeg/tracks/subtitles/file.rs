//! Subtitle files beside the input, as inputs of ffmpeg.

use std::ffi::OsString;

use crate::ffmpeg::file;
use crate::ffmpeg::findings::SubtitleFile;

/// The arguments that open a subtitle file: in its own format only, and with its times as they are. Otherwise, ffmpeg
/// would move the first subtitle of formats with a start, such as PGS, to the beginning of the film.
pub(crate) fn arguments(subtitles: &SubtitleFile) -> Vec<OsString> {
    let format = subtitles.format;
    let mut arguments: Vec<OsString> = [
        "-seek_timestamp",
        "1",
        "-f",
        format,
        "-format_whitelist",
        format,
        "-protocol_whitelist",
        "file",
        "-i",
    ]
    .map(OsString::from)
    .into();
    arguments.push(file(&subtitles.path));
    arguments
}
