//! Compares what belongs to the whole file: chapters, tags, the start timecode.

use std::collections::BTreeMap;

use common::job::changes::{Change, Kind};
use common::recipe::Recipe;

use crate::attempt::changes::short;
use crate::ffmpeg::probe::media::{Chapter, Media, Stream, StreamKind};

/// Seconds by which a chapter may seem to move, because containers round times.
const ROUNDED: f64 = 0.1;

/// Tags that describe the file itself, and are written anew for each file.
const TECHNICAL: &[&str] = &[
    "alpha_mode",
    "bps",
    "compatible_brands",
    "doc_type",
    "duration",
    "encoded_by_tool",
    "encoder",
    "encoding_tool",
    "filename",
    "handler_name",
    "handler_vendor_id",
    "id3v2_priv",
    "itunsmpb",
    "language",
    "major_brand",
    "mimetype",
    "minor_version",
    "rotate",
    "source_id",
    "stereo_mode",
    "timecode",
    "title",
    "variant_bitrate",
    "vendor_id",
    "writing_application",
];

/// The beginnings of further such tags.
const TECHNICAL_BEGINNINGS: &[&str] = &[
    "_statistics",
    "bps-",
    "number_of_",
    "duration-",
    "id3v2_priv",
];

pub(crate) fn compare(list: &mut Vec<Change>, recipe: &Recipe, input: &Media, output: &Media) {
    chapters(list, recipe, &input.chapters, &output.chapters);
    timecode(list, recipe, input, output);
    let why = format!("ffmpeg wrote none to {}", recipe.container);
    if let Some(title) = find(&input.tags, "title") {
        list.push(match find(&output.tags, "title") {
            Some(_) => Change::kept(Kind::Title, None, short(title)),
            None => Change::lost(Kind::Title, None, short(title), &why),
        });
    }
    tags(list, None, &input.tags, &output.tags, &why);
}

fn chapters(list: &mut Vec<Change>, recipe: &Recipe, before: &[Chapter], after: &[Chapter]) {
    let count = |chapters: &[Chapter]| match chapters.len() {
        1 => "1 chapter".to_owned(),
        many => format!("{many} chapters"),
    };
    let from = count(before);
    if before.is_empty() {
        return;
    }
    if after.is_empty() {
        let why = format!("ffmpeg wrote none to {}", recipe.container);
        list.push(Change::lost(Kind::Chapters, None, from, why));
        return;
    }
    let pairs = || before.iter().zip(after);
    let moved = pairs().any(|(one, other)| (one.start - other.start).abs() > ROUNDED);
    let renamed = pairs().any(|(one, other)| one.title != other.title);
    list.push(if before.len() > after.len() {
        let why = format!("the output has {} only", count(after));
        Change::lost(Kind::Chapters, None, from, why)
    } else if moved {
        let why = "some begin at other times";
        Change::converted(Kind::Chapters, None, from, "other times", why)
    } else if renamed {
        let why = format!("{} does not hold all of their names", recipe.container);
        Change::converted(Kind::Chapters, None, from, "other names", why)
    } else {
        Change::kept(Kind::Chapters, None, from)
    });
}

fn timecode(list: &mut Vec<Change>, recipe: &Recipe, input: &Media, output: &Media) {
    let start_timecode = |media: &Media| {
        let streams = media.streams.iter().map(|stream| &stream.tags);
        std::iter::once(&media.tags)
            .chain(streams)
            .find_map(|tags| find(tags, "timecode").map(str::to_owned))
    };
    let Some(from) = start_timecode(input) else {
        return;
    };
    list.push(match start_timecode(output) {
        Some(to) if to == from => Change::kept(Kind::Timecode, None, from),
        Some(to) => {
            let why = "the output counts from elsewhere";
            Change::converted(Kind::Timecode, None, from, to, why)
        }
        None => {
            let why = format!("ffmpeg wrote none to {}", recipe.container);
            Change::lost(Kind::Timecode, None, from, why)
        }
    });
}

/// Compares the tags that no other kind of change covers.
pub(crate) fn tags(
    list: &mut Vec<Change>,
    track: Option<usize>,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
    why: &str,
) {
    for (key, value) in before {
        // A track often repeats the creation time of its file.
        let is_of_file = track.is_some() && key.eq_ignore_ascii_case("creation_time");
        if is_technical(key) || is_of_file || value.trim().is_empty() {
            continue;
        }
        let name = short(key);
        let (before, after_value) = (plain(value), find(after, key).map(plain));
        list.push(if after_value.as_ref() == Some(&before) {
            Change::kept(Kind::Tag, track, name)
        } else if let Some((other, _)) = after.iter().find(|(_, value)| plain(value) == before) {
            let why = "the container has another name for it";
            Change::converted(Kind::Tag, track, name, short(other), why)
        } else if let Some(value) = after_value {
            let why = "the container writes it so";
            Change::converted(Kind::Tag, track, name, short(&value), why)
        } else {
            Change::lost(Kind::Tag, track, name, why)
        });
    }
}

/// Finds a tag regardless of case.
pub(crate) fn find<'a>(tags: &'a BTreeMap<String, String>, key: &str) -> Option<&'a str> {
    tags.iter()
        .find(|(name, value)| name.eq_ignore_ascii_case(key) && !value.is_empty())
        .map(|(_, value)| value.as_str())
}

fn is_technical(key: &str) -> bool {
    let key = key.to_lowercase();
    TECHNICAL.contains(&key.as_str())
        || TECHNICAL_BEGINNINGS
            .iter()
            .any(|beginning| key.starts_with(beginning))
}

/// A value in the form in which it is compared: containers write times with more or fewer digits.
fn plain(value: &str) -> String {
    let value = value.trim();
    match value.parse::<jiff::Timestamp>() {
        Ok(time) => format!("{time:.0}"),
        Err(_) => value.to_owned(),
    }
}

/// Whether a stream only holds the file's chapters, as in mp4 and mov.
pub(crate) fn is_chapter_track(media: &Media, stream: &Stream) -> bool {
    stream.kind == StreamKind::Data && !media.chapters.is_empty() && stream.codec_tag == "text"
}

/// Whether a stream only holds a start timecode, which is compared on its own.
pub(crate) fn is_timecode_track(stream: &Stream) -> bool {
    stream.kind == StreamKind::Data && stream.codec_tag == "tmcd"
}
