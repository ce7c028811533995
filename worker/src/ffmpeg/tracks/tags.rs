//! Tags of the file and of its tracks: which are kept by themselves, and which ffmpeg has to be told.

use std::collections::BTreeMap;

use common::job::changes::{Change, Kind};
use common::recipe::Container;
use jiff::Timestamp;

use crate::ffmpeg::containers::matroska;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::{Track, TrackMethod, language};

/// What mkvmerge counts of a track. It is wrong for a track that was encoded.
const STATISTICS: [&str; 7] = [
    "BPS",
    "DURATION",
    "NUMBER_OF_FRAMES",
    "NUMBER_OF_BYTES",
    "_STATISTICS_TAGS",
    "_STATISTICS_WRITING_APP",
    "_STATISTICS_WRITING_DATE_UTC",
];

/// What an mp4 says of itself, and no other file.
const BRANDS: [&str; 3] = ["major_brand", "minor_version", "compatible_brands"];

/// When a film was made. What an mp4 says of it in two places, ffmpeg 9 joins by a semicolon, and
/// then reads no time in it: so it is always told.
const CREATED: &str = "creation_time";

/// What ffmpeg has to be told of tags.
pub(crate) fn arguments(container: Container, media: &Media, tracks: &[Track]) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut tell = |what: String, key: &str, value: &str| {
        arguments.extend([what, format!("{key}={value}")]);
    };
    let is_mp4 = matches!(container, Container::Mp4 | Container::Mov);
    if let Some(first) = tag(&media.tags, CREATED).and_then(|time| time.split(';').next()) {
        tell("-metadata".to_owned(), CREATED, first);
    }
    if is_mp4 && has_keys(media) {
        // The time has a place of its own, and what two places say is joined by ffmpeg.
        for key in BRANDS.into_iter().chain([CREATED]) {
            tell("-metadata".to_owned(), key, "");
        }
    }
    for (number, track) in tracks.iter().enumerate() {
        if track.by == TrackMethod::Attach {
            continue;
        }
        let scope = format!("-metadata:s:{number}");
        if track.by != TrackMethod::Copy {
            for key in track.source.tags.keys().filter(|key| is_statistics(key)) {
                tell(scope.clone(), key, "");
            }
        }
        let code = tag(&track.source.tags, "language")
            .and_then(|language| language::code(language, container));
        if let Some(code) = code.filter(|_| has_language(&track.source)) {
            tell(scope.clone(), "language", code);
        }
        let title = title(&track.source);
        if is_mp4 {
            // Where ffmpeg and most players look for the title of a track.
            if let Some(title) = title {
                tell(scope, "handler_name", title);
            }
        } else if let Some(language) = language_to_write(track, container) {
            let title = matroska::with_room(title.unwrap_or_default(), language);
            tell(scope, "title", &title);
        } else if let Some(title) = title.filter(|_| tag(&track.source.tags, "title").is_none()) {
            tell(scope, "title", title);
        }
    }
    arguments
}

/// When the film was made, where ffmpeg must not write it because it would say it twice.
pub(crate) fn created(container: Container, media: &Media) -> Option<Timestamp> {
    let is_mp4 = matches!(container, Container::Mp4 | Container::Mov);
    let time = tag(&media.tags, CREATED).filter(|_| is_mp4 && has_keys(media))?;
    time.split(';').next()?.parse().ok()
}

/// Whether the input has tags by keys such as `com.apple.quicktime.make`, as telephones write them.
/// ffmpeg writes those to mp4 and mov by a list of keys, which then holds all tags.
pub(crate) fn has_keys(media: &Media) -> bool {
    media.tags.keys().any(|key| key.starts_with("com."))
}

/// What no container but Matroska says of languages.
pub(crate) fn changes(container: Container, tracks: &[Track]) -> Vec<Change> {
    if matches!(container, Container::Mkv | Container::Webm) {
        return Vec::new();
    }
    let sources = tracks.iter().map(|track| &track.source);
    sources
        .filter_map(|source| Some((source.index, language_in_full(source)?)))
        .map(|(index, language)| {
            let why = format!("{container} holds no region and no script of a language");
            Change::converted(Kind::Language, index, language, "the language alone", why)
        })
        .collect()
}

/// The language of a track that Matroska holds and ffmpeg does not write.
pub(crate) fn language_to_write(track: &Track, container: Container) -> Option<&str> {
    let holds = matches!(container, Container::Mkv | Container::Webm)
        && has_language(&track.source)
        && track.by != TrackMethod::Attach;
    language_in_full(&track.source).filter(|_| holds)
}

/// Whether containers hold the language of such a stream.
fn has_language(stream: &Stream) -> bool {
    matches!(
        stream.kind,
        StreamKind::Video | StreamKind::Audio | StreamKind::Subtitle
    )
}

/// A language with region, script or variant, e.g. `pt-BR`.
fn language_in_full(stream: &Stream) -> Option<&str> {
    tag(&stream.tags, "language").filter(|language| language.contains('-'))
}

/// The title of a track, wherever its container keeps it.
pub(crate) fn title(stream: &Stream) -> Option<&str> {
    let given = |key| tag(&stream.tags, key).filter(|text| !text.is_empty());
    given("title").or_else(|| given("handler_name").filter(|name| !is_made_by_program(name)))
}

/// Whether the name of an mp4's handler is one that programs give to all tracks.
fn is_made_by_program(name: &str) -> bool {
    let name = name.to_lowercase();
    [
        "handler",
        "handle",
        "media",
        "iso",
        "gpac",
        "l-smash",
        "mainconcept",
        "google",
        "apple",
        "gopro",
        "core",
        "videohandle",
        "soundhandle",
        "bento4",
        "telestream",
    ]
    .iter()
    .any(|word| name.contains(word))
}

/// Whether a tag is one of mkvmerge's, with or without a language: `BPS`, `BPS-eng`.
fn is_statistics(key: &str) -> bool {
    STATISTICS.iter().any(|name| {
        let rest = key
            .get(..name.len())
            .filter(|start| start.eq_ignore_ascii_case(name))
            .map(|_| &key[name.len()..]);
        rest.is_some_and(|rest| {
            rest.is_empty()
                || rest
                    .strip_prefix('-')
                    .is_some_and(|language| language.bytes().all(|byte| byte.is_ascii_alphabetic()))
        })
    })
}

/// A tag by its name, in whatever case the container spells it.
fn tag<'a>(tags: &'a BTreeMap<String, String>, key: &str) -> Option<&'a str> {
    tags.iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(by: TrackMethod, tags: &[(&str, &str)]) -> Track {
        let source = Stream {
            kind: StreamKind::Audio,
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            ..Stream::default()
        };
        Track { source, by }
    }

    fn told(container: Container, track: Track) -> String {
        arguments(container, &Media::default(), &[track]).join(" ")
    }

    #[test]
    fn statistics_are_dropped_where_they_would_be_wrong() {
        let tags = [("BPS-eng", "1"), ("NUMBER_OF_FRAMES", "2"), ("BPSX", "3")];
        let encoded = told(Container::Mkv, track(TrackMethod::Video, &tags));
        assert_eq!(
            encoded,
            "-metadata:s:0 BPS-eng= -metadata:s:0 NUMBER_OF_FRAMES="
        );
        assert_eq!(told(Container::Mkv, track(TrackMethod::Copy, &tags)), "");
    }

    #[test]
    fn titles_go_where_each_container_keeps_them() {
        let titled = || track(TrackMethod::Copy, &[("title", "Surround 5.1")]);
        let mp4 = "-metadata:s:0 handler_name=Surround 5.1";
        assert_eq!(told(Container::Mp4, titled()), mp4);
        assert_eq!(told(Container::Mkv, titled()), "");
        let named = track(TrackMethod::Copy, &[("handler_name", "Commentary")]);
        assert_eq!(
            told(Container::Mkv, named),
            "-metadata:s:0 title=Commentary"
        );
        let unnamed = track(TrackMethod::Copy, &[("handler_name", "SoundHandler")]);
        assert_eq!(told(Container::Mkv, unnamed), "");
    }

    #[test]
    fn a_time_that_is_said_twice_is_told_once() {
        let twice = "2022-11-09T17:36:38.000000Z;2022-11-09T17:36:38Z";
        let media = Media {
            tags: BTreeMap::from([("creation_time".to_owned(), twice.to_owned())]),
            ..Media::default()
        };
        assert_eq!(
            arguments(Container::Mkv, &media, &[]).join(" "),
            "-metadata creation_time=2022-11-09T17:36:38.000000Z"
        );
    }
}
