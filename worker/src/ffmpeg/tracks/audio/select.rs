//! Selection of tracks by language.

use common::recipe::{Language, Recipe};

use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::{language, of_kind};

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
            let mut originals = originals(sounds).into_iter();
            originals.any(|original| original.index == sound.index)
        }
        range => language::speaks(sound, range),
    }
}

/// The tracks of the original sound: those that are marked so, or else the first one.
fn originals<'a>(sounds: &[&'a Stream]) -> Vec<&'a Stream> {
    let is_marked = |sound: &&&Stream| sound.dispositions.contains("original");
    let marked: Vec<&Stream> = sounds.iter().filter(is_marked).copied().collect();
    if marked.is_empty() {
        return sounds.first().copied().into_iter().collect();
    }
    marked
}

/// The languages of the original sound.
pub(in crate::ffmpeg::tracks) fn original_languages(media: &Media) -> Vec<&str> {
    let sounds: Vec<&Stream> = of_kind(media, StreamKind::Audio).collect();
    let originals = originals(&sounds).into_iter();
    originals.filter_map(language::tag).collect()
}

/// The first track in the languages of the recipe.
pub(in crate::ffmpeg::tracks) fn first<'a>(
    recipe: &Recipe,
    media: &'a Media,
) -> Option<&'a Stream> {
    let sounds: Vec<&Stream> = of_kind(media, StreamKind::Audio).collect();
    let Selected { kept, .. } = select(&recipe.audio_tracks.languages, &sounds);
    kept.first().copied()
}
