//! Subtitle tracks as files beside the output: in which form, and under which names.

use std::collections::BTreeSet;

use common::job::companion::Suffix;
use common::recipe::Container;

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::tracks::subtitles::form::{Form, form_for};
use crate::ffmpeg::tracks::subtitles::purpose::{is_forced, is_sdh};
use crate::ffmpeg::tracks::{Track, TrackMethod, language};

/// A track that becomes a file beside the output.
#[derive(Clone, Debug, PartialEq)]
pub struct TrackFile {
    pub track: Track,
    /// The end of the file's name.
    pub suffix: Suffix,
    /// ffmpeg's name of the muxer.
    pub format: &'static str,
}

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileForm {
    by: TrackMethod,
    format: &'static str,
    extension: &'static str,
}

/// The files of these tracks, each with another name, and the tracks of which no file can be made.
pub(crate) fn files<'a>(
    tracks: impl IntoIterator<Item = &'a Stream>,
) -> (Vec<TrackFile>, Vec<&'a Stream>) {
    let mut taken = BTreeSet::new();
    let (mut files, mut unknown) = (Vec::new(), Vec::new());
    for track in tracks {
        let made = form(track).and_then(|form| {
            let suffix = name(track, form.extension, &mut taken)?;
            Some((form, suffix))
        });
        match made {
            Some((form, suffix)) => files.push(TrackFile {
                track: Track::new(track, form.by),
                suffix,
                format: form.format,
            }),
            None => unknown.push(track),
        }
    }
    (files, unknown)
}

/// Text keeps its form where there are files of that form, and is SubRip otherwise. ffmpeg writes files of pictures for
/// those of Blu-rays only; the others lie in Matroska.
fn form(track: &Stream) -> Option<FileForm> {
    let of = |by, format, extension| {
        Some(FileForm {
            by,
            format,
            extension,
        })
    };
    let codec = track.codec.as_str();
    let is_kept = track.reader.is_none();
    match codec {
        "subrip" if is_kept => of(TrackMethod::Copy, "srt", "srt"),
        "ass" | "ssa" if is_kept => of(TrackMethod::Copy, "ass", "ass"),
        "webvtt" if is_kept => of(TrackMethod::Copy, "webvtt", "vtt"),
        "hdmv_pgs_subtitle" if is_kept => of(TrackMethod::Copy, "sup", "sup"),
        "eia_608" => of(TrackMethod::Captions("subrip"), "srt", "srt"),
        _ if Form::of(codec) == Form::Text => of(TrackMethod::Subtitles("subrip"), "srt", "srt"),
        _ => {
            let (by, _) = form_for(track, Container::Mkv).ok()?;
            of(by, "matroska", "mks")
        }
    }
}

/// `en.forced.srt`; with a number if another file has that name.
fn name(track: &Stream, extension: &str, taken: &mut BTreeSet<String>) -> Option<Suffix> {
    let mut words: Vec<String> = Vec::new();
    words.extend(language::tag(track).and_then(language::short));
    words.extend(is_forced(track).then(|| "forced".to_owned()));
    words.extend(is_sdh(track).then(|| "sdh".to_owned()));
    for number in 1_u32.. {
        let number = (number > 1).then(|| number.to_string());
        let parts = words.iter().cloned().chain(number);
        let name: Vec<String> = parts.chain([extension.to_owned()]).collect();
        let suffix = Suffix::new(name.join(".")).ok()?;
        // Some file systems do not tell capitals from small letters.
        if taken.insert(suffix.to_string().to_ascii_lowercase()) {
            return Some(suffix);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(codec: &str, language: &str, marks: &[&str]) -> Stream {
        let mut track = Stream {
            codec: codec.to_owned(),
            dispositions: marks.iter().map(ToString::to_string).collect(),
            ..Stream::default()
        };
        if !language.is_empty() {
            let tag = language.to_owned();
            track.tags.insert("language".to_owned(), tag);
        }
        track
    }

    #[test]
    fn files_are_named_as_players_expect_it() {
        let tracks = [
            track("subrip", "eng", &[]),
            track("subrip", "eng", &["forced"]),
            track("mov_text", "ger", &["hearing_impaired"]),
            track("ass", "eng", &[]),
            track("subrip", "en", &[]),
            track("hdmv_pgs_subtitle", "pt-BR", &["forced"]),
            track("dvd_subtitle", "", &[]),
            track("eia_608", "", &[]),
            track("webvtt", "und", &[]),
            track("subrip", "EN", &[]),
            track("subrip", "../../x", &[]),
        ];
        let (files, unknown) = files(&tracks);
        let names: Vec<String> = files.iter().map(|file| file.suffix.to_string()).collect();
        let expected = [
            "en.srt",
            "en.forced.srt",
            "de.sdh.srt",
            "en.ass",
            "en.2.srt",
            "pt-BR.forced.sup",
            "mks",
            "srt",
            "vtt",
            "en.3.srt",
            "2.srt",
        ];
        assert_eq!(names, expected);
        assert!(unknown.is_empty());
        let odd = [track("ttml", "eng", &[]), track("", "eng", &[])];
        assert_eq!(super::files(&odd).1.len(), 2);
    }
}
