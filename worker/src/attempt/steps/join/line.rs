//! The arguments of an ffmpeg run that joins parts, under construction.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use crate::ffmpeg::file;
use crate::ffmpeg::probe::media::Stream;

fn words(text: &str) -> impl Iterator<Item = OsString> + '_ {
    text.split(' ').map(OsString::from)
}

/// Arguments under construction.
pub(super) struct Line(pub(super) Vec<OsString>);

impl Line {
    /// A line that prints warnings.
    pub(super) fn new() -> Self {
        Self(words("-nostdin -hide_banner -v warning -y").collect())
    }

    /// Adds words that are separated by spaces.
    pub(super) fn push(&mut self, text: impl AsRef<str>) {
        self.0.extend(words(text.as_ref()));
    }

    /// Adds one argument as it is.
    pub(super) fn add(&mut self, argument: impl AsRef<OsStr>) {
        self.0.push(argument.as_ref().to_owned());
    }

    /// Opens a file of ours: a list or metadata, in this format.
    pub(super) fn open(&mut self, format: &str, path: &Path) {
        self.push(format!("-f {format} -i"));
        self.add(file(path));
    }

    /// A tag of a track.
    pub(super) fn tag(&mut self, number: usize, key: &str, value: &str) {
        self.push(format!("-metadata:s:{number}"));
        self.add(format!("{key}={value}"));
    }

    /// The dispositions of a track, which ffmpeg's concat demuxer and filters forget.
    pub(super) fn dispositions(&mut self, number: usize, stream: &Stream) {
        let names: Vec<&str> = stream.dispositions.iter().map(String::as_str).collect();
        let value = match names.is_empty() {
            true => "0".to_owned(),
            false => names.join("+"),
        };
        self.push(format!("-disposition:{number} {value}"));
    }

    /// The end of the line: what is written, and where.
    pub(super) fn finish(mut self, format: &str, to: &Path) -> Vec<OsString> {
        self.push("-max_muxing_queue_size 4096");
        if matches!(format, "mp4" | "mov") {
            self.push("-f_strict experimental");
        }
        self.push(format!("-f {format}"));
        self.add(file(to));
        self.0
    }
}
