//! Subtitle files beside the input, as inputs of ffmpeg.

use std::ffi::OsString;

use crate::ffmpeg::file;
use crate::ffmpeg::findings::SubtitleFile;

/// The arguments that open a subtitle file: in its own format only.
pub(crate) fn arguments(subtitles: &SubtitleFile) -> Vec<OsString> {
    let format = subtitles.format;
    let mut arguments: Vec<OsString> = [
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
