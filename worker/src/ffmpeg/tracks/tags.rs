//! Tags of the file and its tracks: those that ffmpeg does not carry over correctly by itself.

use std::collections::BTreeMap;

use common::job::changes::{Change, Kind};
use common::recipe::Container;
use jiff::Timestamp;

use crate::ffmpeg::containers::matroska;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::{Track, TrackMethod, language};

/// Statistics that mkvmerge stores for a track. They are wrong for a track that was encoded.
const STATISTICS: [&str; 7] = [
    "BPS",
    "DURATION",
    "NUMBER_OF_FRAMES",
    "NUMBER_OF_BYTES",
    "_STATISTICS_TAGS",
    "_STATISTICS_WRITING_APP",
    "_STATISTICS_WRITING_DATE_UTC",
];

/// Tags that describe an mp4 file itself and apply to no other file.
const BRANDS: [&str; 3] = ["major_brand", "minor_version", "compatible_brands"];

/// The creation time. An mp4 may store it in two places. ffmpeg 9 joins both by a semicolon, and then cannot parse
/// the result. The time is therefore always passed on the command line.
const CREATED: &str = "creation_time";

/// The arguments that set or clear tags.
pub(crate) fn arguments(container: Container, media: &Media, tracks: &[Track]) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut set = |what: String, key: &str, value: &str| {
        arguments.extend([what, format!("{key}={value}")]);
    };
    let is_mp4 = container.is_mp4();
    if let Some(first) = tag(&media.tags, CREATED).and_then(|time| time.split(';').next()) {
        set("-metadata".to_owned(), CREATED, first);
    }
    if is_mp4 && has_keys(media) {
        // The time has its own field, and ffmpeg would join the values of both places.
        for key in BRANDS.into_iter().chain([CREATED]) {
            set("-metadata".to_owned(), key, "");
        }
    }
    for (number, track) in tracks.iter().enumerate() {
        if track.by == TrackMethod::Attach {
            continue;
        }
        let scope = format!("-metadata:s:{number}");
        if track.by != TrackMethod::Copy {
            for key in statistics(&track.source) {
                set(scope.clone(), key, "");
            }
        }
        let language = tag(&track.source.tags, "language");
        let code = language
            .and_then(|language| language::code(language, container))
            // ffmpeg knows the language of the input's own tracks only.
            .or_else(|| language.filter(|_| track.source.external.is_some()));
        if let Some(code) = code.filter(|_| has_language(&track.source)) {
            set(scope.clone(), "language", code);
        }
        let title = track.title.as_deref().or_else(|| title(&track.source));
        if let Some(title) = &track.title {
            set(scope.clone(), "title", title);
        }
        if is_mp4 {
            // ffmpeg and most players look for the title of a track here.
            if let Some(title) = title {
                set(scope, "handler_name", title);
            }
        } else if let Some(language) = language_to_write(track, container) {
            let title = matroska::with_room(title.unwrap_or_default(), language);
            set(scope, "title", &title);
        } else if let Some(title) = title.filter(|_| tag(&track.source.tags, "title").is_none()) {
            set(scope, "title", title);
        }
    }
    arguments
}

/// The creation time, if ffmpeg must not write it because it would write it twice.
pub(crate) fn created(container: Container, media: &Media) -> Option<Timestamp> {
    let is_mp4 = container.is_mp4();
    let time = tag(&media.tags, CREATED).filter(|_| is_mp4 && has_keys(media))?;
    time.split(';').next()?.parse().ok()
}

/// Whether the input has tags with keys such as `com.apple.quicktime.make`, which phones write. ffmpeg writes such
/// tags to mp4 and mov as a list of keys, which then holds all tags.
pub(crate) fn has_keys(media: &Media) -> bool {
    media.tags.keys().any(|key| key.starts_with("com."))
}

/// Parts of languages that only Matroska can hold.
pub(crate) fn changes(container: Container, tracks: &[Track]) -> Vec<Change> {
    if container.is_matroska() {
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

/// The language of a track that Matroska can hold but ffmpeg does not write.
pub(crate) fn language_to_write(track: &Track, container: Container) -> Option<&str> {
    let holds =
        container.is_matroska() && has_language(&track.source) && track.by != TrackMethod::Attach;
    language_in_full(&track.source).filter(|_| holds)
}

/// The language of a track in three small letters.
pub(crate) fn three_letters(track: &Track) -> Option<[u8; 3]> {
    let source = Some(&track.source).filter(|source| has_language(source))?;
    let language = language::tag(source)?;
    let code = language::code(language, Container::Mov);
    let code = code.map_or_else(|| language.to_ascii_lowercase(), str::to_owned);
    let is_small = code.bytes().all(|letter| letter.is_ascii_lowercase());
    code.into_bytes().try_into().ok().filter(|_| is_small)
}

/// Whether containers hold a language for such a stream.
fn has_language(stream: &Stream) -> bool {
    matches!(
        stream.kind,
        StreamKind::Video | StreamKind::Audio | StreamKind::Subtitle
    )
}

/// A language with a region, script or variant, such as `pt-BR`.
fn language_in_full(stream: &Stream) -> Option<&str> {
    tag(&stream.tags, "language").filter(|language| language.contains('-'))
}

/// The title of a track, from whichever tag the container uses.
pub(crate) fn title(stream: &Stream) -> Option<&str> {
    let given = |key| tag(&stream.tags, key).filter(|text| !text.is_empty());
    given("title").or_else(|| given("handler_name").filter(|name| !is_made_by_program(name)))
}

/// Whether the handler name of an mp4 track is one that programs give to every track.
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

/// The names of the tags of a stream that hold statistics of mkvmerge.
pub(crate) fn statistics(stream: &Stream) -> impl Iterator<Item = &str> {
    let keys = stream.tags.keys().map(String::as_str);
    keys.filter(|key| is_statistics(key))
}

/// Whether a tag is one of mkvmerge's statistics, with or without a language: `BPS`, `BPS-eng`.
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

/// A tag by its name, ignoring case.
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
        Track::new(&source, by)
    }

    fn argument_line(container: Container, track: Track) -> String {
        arguments(container, &Media::default(), &[track]).join(" ")
    }

    #[test]
    fn statistics_of_encoded_tracks_are_dropped() {
        let tags = [("BPS-eng", "1"), ("NUMBER_OF_FRAMES", "2"), ("BPSX", "3")];
        let encoded = argument_line(Container::Mkv, track(TrackMethod::Video, &tags));
        assert_eq!(
            encoded,
            "-metadata:s:0 BPS-eng= -metadata:s:0 NUMBER_OF_FRAMES="
        );
        assert_eq!(
            argument_line(Container::Mkv, track(TrackMethod::Copy, &tags)),
            ""
        );
    }

    #[test]
    fn titles_go_into_the_tag_of_each_container() {
        let titled = || track(TrackMethod::Copy, &[("title", "Surround 5.1")]);
        let mp4 = "-metadata:s:0 handler_name=Surround 5.1";
        assert_eq!(argument_line(Container::Mp4, titled()), mp4);
        assert_eq!(argument_line(Container::Mkv, titled()), "");
        let named = track(TrackMethod::Copy, &[("handler_name", "Commentary")]);
        assert_eq!(
            argument_line(Container::Mkv, named),
            "-metadata:s:0 title=Commentary"
        );
        let unnamed = track(TrackMethod::Copy, &[("handler_name", "SoundHandler")]);
        assert_eq!(argument_line(Container::Mkv, unnamed), "");
    }

    #[test]
    fn a_time_that_is_stored_twice_is_written_once() {
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
