//! Closed captions inside the video, read out of it as a track of text.
//!
//! ffmpeg's filter `movie` gives them beside the pictures that they lie in, so the film is read a second time.

use std::ffi::OsString;

use common::recipe::{Captions, Container, Recipe};

use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::{Source, file};

/// The stream of captions, as `-map` knows it.
pub(crate) const STREAM: &str = "1:s:0";

/// The film whose captions become a track; `None` where the recipe wants none, or no film has any.
pub(crate) fn source<'a>(recipe: &Recipe, media: &'a Media) -> Option<&'a Stream> {
    if recipe.captions != Captions::Srt {
        return None;
    }
    media.films().find(|film| film.has_captions)
}

/// What the track is made of, as if it were a stream of the input.
pub(crate) fn track(film: &Stream) -> Stream {
    Stream {
        index: film.index,
        kind: StreamKind::Subtitle,
        codec: "eia_608".to_owned(),
        ..Stream::default()
    }
}

/// The form of text that the container holds.
pub(crate) fn form(container: Container) -> &'static str {
    match container {
        Container::Mkv => "subrip",
        Container::Mp4 | Container::Mov => "mov_text",
        Container::Webm => "webvtt",
    }
}

/// The second input.
pub(crate) fn input(film: &Stream, media: &Media, source: &Source) -> Vec<OsString> {
    let name = match source {
        Source::File(path) => file(path),
        Source::Url(url) => url.into(),
    };
    let mut graph = OsString::from("movie=filename=");
    graph.push(escaped(&name));
    // No other format than the one that it was found to be of.
    let format = media.format.split(',').next().unwrap_or_default();
    graph.push(format!(
        ":format_name={format}:stream_index={}[out0+subcc]",
        film.index
    ));
    let mut arguments: Vec<OsString> = Vec::new();
    // Each input's times begin at its first stream's: sound may begin before the pictures do.
    let starts = media.streams.iter().filter_map(|stream| stream.start);
    let begin = starts.reduce(f64::min).unwrap_or(0.0);
    let late = film.start.map_or(0.0, |start| start - begin);
    if late > 0.0 {
        arguments.extend(["-itsoffset".into(), format!("{late:.6}").into()]);
    }
    arguments.extend(["-f".into(), "lavfi".into(), "-i".into(), graph]);
    arguments
}

/// A value as a chain of filters reads it literally: escaped once for the filter's options, once for the chain.
fn escaped(value: &OsString) -> OsString {
    let value = escape(value.as_encoded_bytes(), b"\\':");
    let value = escape(&value, b"\\'[],;");
    os_string(value)
}

fn escape(value: &[u8], special: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() * 2);
    for &byte in value {
        if special.contains(&byte) || byte.is_ascii_whitespace() {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_escaped_twice() {
        let name = OsString::from("a:b'c [d],e");
        assert_eq!(escaped(&name), OsString::from(r"a\\:b\\\'c\\\ \[d\]\,e"));
    }
}
