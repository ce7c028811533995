//! Whether a condition holds for a file.
//!
//! A comparison holds if any of the file's values for the field matches: of several audio tracks, one is enough. A
//! file without a value for the field matches no comparison, `!=` and `not in` included. `not` turns an answer round.

use jiff::Timestamp;

use crate::names::language;
use crate::rules::condition::expression::{Expression, Is, Test, Value};
use crate::rules::condition::field::{Field, Kind};
use crate::rules::condition::words::{AUDIO, HDR, SUBTITLES, VIDEO, Vocabulary};
use crate::rules::facts::{Facts, VideoFacts};

impl Expression {
    pub(super) fn holds(&self, facts: &Facts, now: Timestamp) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts, now)),
            Self::All(parts) => parts.iter().all(|part| part.holds(facts, now)),
            Self::Not(inner) => !inner.holds(facts, now),
            Self::Test(test) => test.holds(facts, now),
        }
    }
}

impl Test {
    fn holds(&self, facts: &Facts, now: Timestamp) -> bool {
        if self.is == Is::True {
            return match self.field {
                Field::Hdr => facts
                    .video
                    .as_ref()
                    .is_some_and(|video| !video.hdr.is_empty()),
                Field::Interlaced => facts.video.as_ref().is_some_and(|video| video.interlaced),
                _ => false,
            };
        }
        let values = values(self.field, facts, now);
        values.iter().any(|value| self.matches(value))
    }

    /// Whether one value of the field matches.
    pub(super) fn matches(&self, value: &Value) -> bool {
        let is_same = |asked: &Value| match (self.field.kind(), asked, value) {
            (Kind::Language, Value::Word(asked), Value::Word(tag)) => language::matches(asked, tag),
            _ => asked == value,
        };
        match (&self.is, value) {
            (Is::OneOf(values), _) => values.iter().any(is_same),
            (Is::NoneOf(values), _) => !values.iter().any(is_same),
            (Is::Less(than), Value::Number(number)) => number < than,
            (Is::AtMost(than), Value::Number(number)) => number <= than,
            (Is::Greater(than), Value::Number(number)) => number > than,
            (Is::AtLeast(than), Value::Number(number)) => number >= than,
            (Is::Like(pattern), Value::Word(text)) => pattern.matches(text),
            _ => false,
        }
    }
}

/// The values that a file has for a field that can be compared.
fn values(field: Field, facts: &Facts, now: Timestamp) -> Vec<Value> {
    let video = facts.video.as_ref();
    let number = |number: Option<u64>| number.map(Value::Number).into_iter().collect();
    let of_video = |get: fn(&VideoFacts) -> Option<u64>| number(video.and_then(get));
    match field {
        Field::Hdr | Field::Interlaced => Vec::new(),
        Field::VideoCodec => words(video.map(|video| video.codec.as_str()), &VIDEO),
        Field::Width => of_video(|video| Some(video.width.into())),
        Field::Height => of_video(|video| Some(video.height.into())),
        Field::VideoBitrate => of_video(|video| video.bitrate),
        Field::Bitrate => number(facts.bitrate),
        Field::Fps => of_video(|video| thousandths(video.fps?)),
        Field::Depth => of_video(|video| Some(video.depth.into())),
        Field::HdrKind => {
            let kinds = video.into_iter().flat_map(|video| &video.hdr);
            words(kinds.map(|kind| kind.as_str()), &HDR)
        }
        Field::Size => number(Some(facts.size)),
        Field::Duration => number(facts.duration.and_then(thousandths)),
        Field::Container => number_or_word(facts.container_name()),
        Field::AudioCodec => words(facts.audio.iter().map(|track| track.codec.as_str()), &AUDIO),
        Field::AudioChannels => {
            let channels = facts.audio.iter().map(|track| track.channels);
            channels
                .map(|channels| Value::Number(channels.into()))
                .collect()
        }
        Field::AudioLanguage => tags(facts.audio.iter().map(|track| &track.language)),
        Field::AudioTracks => number(Some(facts.audio.len() as u64)),
        Field::SubtitleCodec => words(
            facts.subtitles.iter().map(|track| track.codec.as_str()),
            &SUBTITLES,
        ),
        Field::SubtitleLanguage => tags(facts.subtitles.iter().map(|track| &track.language)),
        Field::SubtitleTracks => number(Some(facts.subtitles.len() as u64)),
        Field::Name => vec![Value::Word(facts.location.name())],
        Field::Path => {
            let path = facts.location.path();
            let path = path.map(|path| path.to_string_lossy().into_owned());
            vec![Value::Word(path.unwrap_or_else(|| facts.location.key()))]
        }
        Field::Age => number(facts.modified.map(|modified| {
            let age = now.duration_since(modified).as_secs();
            age.try_into().unwrap_or(0)
        })),
        Field::HardLinks => number(facts.hard_links),
    }
}

fn number_or_word(word: Option<String>) -> Vec<Value> {
    word.map(Value::Word).into_iter().collect()
}

/// The names in the spelling of conditions. ffmpeg's empty name is that of an unknown codec.
fn words<'a>(names: impl IntoIterator<Item = &'a str>, vocabulary: &Vocabulary) -> Vec<Value> {
    let names = names.into_iter().filter(|name| !name.is_empty());
    names
        .map(|name| Value::Word(vocabulary.normal(name)))
        .collect()
}

fn tags<'a>(languages: impl Iterator<Item = &'a Option<String>>) -> Vec<Value> {
    let tags = languages.map(|tag| tag.clone().unwrap_or_else(|| "und".to_owned()));
    tags.map(Value::Word).collect()
}

fn thousandths(number: f64) -> Option<u64> {
    (number.is_finite() && number >= 0.0).then(|| (number * 1_000.0).round() as u64)
}
