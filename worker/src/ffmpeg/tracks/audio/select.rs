//! Selection of tracks by language.

use common::recipe::Language;

use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::tracks::language;

/// The selected tracks.
pub(super) struct Selected<'a> {
    /// The tracks, in the order of the languages.
    pub(super) kept: Vec<&'a Stream>,
    /// Whether no track has any of the languages, so that the first track stays.
    pub(super) is_fallback: bool,
}

/// Selects the tracks in these languages; all tracks if there are no languages.
pub(super) fn select<'a>(languages: &[Language], sounds: &[&'a Stream]) -> Selected<'a> {
    if languages.is_empty() {
        return Selected {
            kept: sounds.to_vec(),
            is_fallback: false,
        };
    }
    let mut kept: Vec<&Stream> = Vec::new();
    for language in languages {
        for sound in sounds {
            let is_new = kept.iter().all(|one| one.index != sound.index);
            if is_new && has(sound, language, sounds) {
                kept.push(sound);
            }
        }
    }
    let is_fallback = kept.is_empty() && !sounds.is_empty();
    if is_fallback {
        let known = sounds.iter().find(|sound| !sound.codec.is_empty());
        kept.extend(known.or(sounds.first()));
    }
    Selected { kept, is_fallback }
}

/// Whether a track has a language. `sounds` are all audio tracks of the input.
pub(super) fn has(sound: &Stream, language: &Language, sounds: &[&Stream]) -> bool {
    match language.as_str() {
        "any" => true,
        "original" => {
            let is_marked = |sound: &Stream| sound.dispositions.contains("original");
            if sounds.iter().any(|sound| is_marked(sound)) {
                is_marked(sound)
            } else {
                sounds
                    .first()
                    .is_some_and(|first| first.index == sound.index)
            }
        }
        range => language::speaks(sound, range),
    }
}
