//! Titles that stay true: a stereo track is not called "5.1", and an AAC track is not called "DTS".

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::sound::Sound;
use crate::ffmpeg::tracks::tags;

/// Words that say where channels are heard.
const CHANNELS: &[&str] = &[
    "1.0",
    "2.0",
    "2.1",
    "3.0",
    "3.1",
    "4.0",
    "4.1",
    "5.0",
    "5.1",
    "5.1.2",
    "5.1.4",
    "6.0",
    "6.1",
    "7.0",
    "7.1",
    "7.1.2",
    "7.1.4",
    "9.1.4",
    "9.1.6",
    "22.2",
    "atmos",
    "mono",
    "multichannel",
    "quad",
    "stereo",
    "surround",
];

/// Words that name codecs. Those with `false` do so only beside another one.
const CODECS: &[(&str, bool)] = &[
    ("aac", true),
    ("ac-3", true),
    ("ac3", true),
    ("alac", true),
    ("dd", true),
    ("dd+", true),
    ("ddp", true),
    ("digital", false),
    ("dolby", true),
    ("dts", true),
    ("dts-es", true),
    ("dts-hd", true),
    ("dts:x", true),
    ("e-ac-3", true),
    ("e-ac3", true),
    ("eac3", true),
    ("flac", true),
    ("hd", false),
    ("hra", false),
    ("lpcm", true),
    ("ma", false),
    ("mp2", true),
    ("mp3", true),
    ("opus", true),
    ("pcm", true),
    ("plus", false),
    ("truehd", true),
    ("vorbis", true),
];

/// What a word of a title says about the sound.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Says {
    Channels,
    Codec,
    Else,
}

/// The title of a track made of `source`, if the source's title would not be true.
pub(super) fn truthful(source: &Stream, sound: &Sound) -> Option<String> {
    let title = tags::title(source)?;
    let codec = (source.codec != sound.codec()).then(|| sound.codec_in_words());
    let channels = (source.channels != sound.channels()).then(|| sound.layout_in_words());
    let words: Vec<&str> = title.split_whitespace().collect();
    let names_codec = words
        .iter()
        .any(|word| CODECS.contains(&(plain(word).as_str(), true)));
    let (mut new_codec, mut new_channels) = (codec.clone(), channels.clone());
    let mut made: Vec<String> = Vec::new();
    for word in &words {
        let (says, truth) = match says(&plain(word)) {
            Says::Channels if channels.is_some() => (Says::Channels, new_channels.take()),
            Says::Codec if codec.is_some() && names_codec => (Says::Codec, new_codec.take()),
            _ => (Says::Else, None),
        };
        match (says, truth) {
            (Says::Else, _) => made.push((*word).to_owned()),
            // The first such word is replaced, with the brackets around it; others go.
            (_, Some(truth)) => made.push(in_brackets(word, &truth)),
            (_, None) => {}
        }
    }
    let made = balanced(&made.join(" "));
    (made != title).then_some(made)
}

fn says(word: &str) -> Says {
    let digits = word.strip_suffix("ch").unwrap_or_default();
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_number || CHANNELS.contains(&word) {
        Says::Channels
    } else if CODECS.iter().any(|(name, _)| *name == word) {
        Says::Codec
    } else {
        Says::Else
    }
}

/// A word without the marks around it, in small letters.
fn plain(word: &str) -> String {
    word.trim_matches(is_mark).to_lowercase()
}

fn is_mark(c: char) -> bool {
    matches!(c, '(' | ')' | '[' | ']' | ',' | ';' | '"')
}

/// A new word between the marks of an old one.
fn in_brackets(word: &str, new: &str) -> String {
    let core = word.trim_matches(is_mark);
    word.replacen(core, new, 1)
}

/// A text without brackets that lost their partner.
fn balanced(text: &str) -> String {
    [('(', ')'), ('[', ']')]
        .iter()
        .fold(text.to_owned(), |text, (open, close)| {
            if text.matches(*open).count() == text.matches(*close).count() {
                text
            } else {
                text.replace([*open, *close], "")
            }
        })
}
