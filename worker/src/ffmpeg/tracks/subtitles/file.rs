//! Subtitle files beside the input, as inputs of ffmpeg.

use std::ffi::OsString;

use crate::ffmpeg::file;
use crate::ffmpeg::findings::SubtitleFile;

/// The arguments that open a subtitle file: in its own format only, and with its times as they are, or `shift` seconds
/// later. Otherwise, ffmpeg would move the first subtitle of formats with a start, such as PGS, to the beginning of the
/// film.
pub(crate) fn arguments(subtitles: &SubtitleFile, shift: f64) -> Vec<OsString> {
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
    if shift != 0.0 {
        let offset = ["-itsoffset".into(), format!("{shift:.6}").into()];
        arguments.splice(0..0, offset);
    }
    arguments.push(file(&subtitles.path));
    arguments
}
