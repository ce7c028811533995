//! Closed captions inside the video, extracted as a subtitle track.
//!
//! ffmpeg's filter `movie` outputs captions besides the pictures that contain them. The film is therefore read a
//! second time.

use std::ffi::{OsStr, OsString};

use common::recipe::{Captions, Recipe};

use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::{Source, file};

/// The film whose captions become a track. `None` if the recipe does not ask for that, or if no film has captions.
pub(crate) fn source<'a>(recipe: &Recipe, media: &'a Media) -> Option<&'a Stream> {
    if recipe.captions != Captions::Srt {
        return None;
    }
    media.films().find(|film| film.has_captions)
}

/// The source of the track, described as if it were a stream of the input.
pub(crate) fn track(film: &Stream) -> Stream {
    Stream {
        index: film.index,
        kind: StreamKind::Subtitle,
        codec: "eia_608".to_owned(),
        ..Stream::default()
    }
}

/// The arguments of the second input. `from` is the time that becomes 0, if only a part becomes the output.
pub(crate) fn input(
    film: &Stream,
    media: &Media,
    source: &Source,
    from: Option<f64>,
) -> Vec<OsString> {
    let name = match source {
        Source::File(path) | Source::Outline(path) => file(path),
        Source::Url(address) => address.url().into(),
    };
    let mut graph = OsString::from("movie=filename=");
    graph.push(escaped(&name));
    // Allows only the format that the probe found.
    let format = media.format.split(',').next().unwrap_or_default();
    graph.push(format!(
        ":format_name={format}:stream_index={}[out0+subcc]",
        film.index
    ));
    let mut arguments: Vec<OsString> = Vec::new();
    // The times of each input count from its earliest stream. Audio may start before the pictures.
    let starts = media.streams.iter().filter_map(|stream| stream.start);
    let first_start = starts.reduce(f64::min).unwrap_or(0.0);
    let delay = film.start.map_or(0.0, |start| start - first_start);
    if let Some(from) = from {
        let shift = film.start.unwrap_or(first_start) - from;
        arguments.extend(["-itsoffset".into(), format!("{shift:.6}").into()]);
    } else if delay > 0.0 {
        arguments.extend(["-itsoffset".into(), format!("{delay:.6}").into()]);
    }
    arguments.extend(["-f".into(), "lavfi".into(), "-i".into(), graph]);
    arguments
}

/// A value that a filter graph reads literally: escaped once for the filter's options, and once for the graph.
pub(crate) fn escaped(value: &OsStr) -> OsString {
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
