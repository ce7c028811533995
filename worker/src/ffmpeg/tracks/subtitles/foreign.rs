//! The track for scenes in another language: among the tracks in the language of the sound, the one that is shown
//! far less than the most shown one.

use std::collections::BTreeMap;

use common::recipe::Recipe;

use crate::ffmpeg::findings::ForeignTrack;
use crate::ffmpeg::probe::media::{Media, Stream};
use crate::ffmpeg::tracks::subtitles::choice;
use crate::ffmpeg::tracks::{audio, language};

/// A track qualifies if it has less than a tenth of the cues of the track with the most, as in HandBrake.
const SHARE: u64 = 10;

/// The tracks that are compared: those in the language of the first audio track that the recipe keeps.
pub(crate) fn candidates<'a>(recipe: &Recipe, media: &'a Media) -> Vec<&'a Stream> {
    let spoken = audio::first(recipe, media).and_then(language::tag);
    let is_spoken = |track: &&Stream| match (language::tag(track), spoken) {
        (Some(track), Some(spoken)) => {
            language::matches(track, spoken) || language::matches(spoken, track)
        }
        (track, spoken) => track == spoken,
    };
    choice::tracks(media).filter(is_spoken).collect()
}

/// The number of cues of each track, if the container counts them all: mkvmerge does.
pub(crate) fn counted(tracks: &[&Stream]) -> Option<BTreeMap<usize, u64>> {
    let count = |track: &&Stream| {
        let mut tags = track.tags.iter();
        let (_, number) = tags.find(|(key, _)| key.starts_with("NUMBER_OF_FRAMES"))?;
        Some((track.index, number.parse().ok()?))
    };
    tracks.iter().map(count).collect()
}

/// The track that qualifies, by the number of cues of each.
pub(crate) fn find(cues: &BTreeMap<usize, u64>) -> ForeignTrack {
    let shown = || cues.iter().filter(|(_, count)| **count > 0);
    let most = shown().map(|(_, count)| *count).max().unwrap_or(0);
    match shown().min_by_key(|(_, count)| **count) {
        Some((index, least)) if least.saturating_mul(SHARE) < most => ForeignTrack::Found(*index),
        _ => ForeignTrack::Missing,
    }
}

#[cfg(test)]
mod tests {
    use common::recipe::Container;

    use super::*;
    use crate::ffmpeg::probe::media::StreamKind;
    use crate::ffmpeg::samples;

    #[test]
    fn the_sound_that_the_recipe_keeps_first_has_the_language() {
        let of = |index, kind, language: &str| {
            let mut stream = samples::stream(index, kind, "");
            let tag = ("language".to_owned(), language.to_owned());
            stream.tags.extend([tag]);
            stream
        };
        let mut dub = of(1, StreamKind::Audio, "eng");
        let film = of(2, StreamKind::Audio, "jpn");
        let texts = [
            of(3, StreamKind::Subtitle, "eng"),
            of(4, StreamKind::Subtitle, "ja"),
        ];
        let candidate = |languages: &str, sounds: &[&Stream]| {
            let recipe = samples::recipe(Container::Mkv).edit(|draft| {
                let languages = languages.split(',').filter(|name| !name.is_empty());
                let languages = languages.map(|name| name.parse().expect("a language"));
                draft.audio_tracks.languages = languages.collect();
            });
            let sounds = sounds.iter().copied().cloned();
            let media = Media {
                streams: sounds.chain(texts.clone()).collect(),
                ..Media::default()
            };
            let found = candidates(&recipe.expect("a sound recipe"), &media);
            found.iter().map(|text| text.index).collect::<Vec<_>>()
        };
        assert_eq!(candidate("", &[&dub, &film]), [3]);
        assert_eq!(candidate("jpn,eng", &[&dub, &film]), [4]);
        assert_eq!(candidate("original,eng", &[&film, &dub]), [4]);
        assert_eq!(candidate("fra,any", &[&film, &dub]), [4]);
        let mut marked = film.clone();
        marked.dispositions.insert("original".to_owned());
        assert_eq!(candidate("original,eng", &[&dub, &marked]), [4]);
        dub.tags.clear();
        assert_eq!(candidate("und,jpn", &[&film, &dub]), [0_usize; 0]);
    }

    #[test]
    fn a_track_qualifies_below_a_tenth() {
        let of = |counts: &[u64]| find(&counts.iter().copied().enumerate().collect());
        assert_eq!(of(&[1000, 99, 1200]), ForeignTrack::Found(1));
        assert_eq!(of(&[1000, 99]), ForeignTrack::Found(1));
        assert_eq!(of(&[1000, 100]), ForeignTrack::Missing);
        // An empty track is none.
        assert_eq!(of(&[1000, 0]), ForeignTrack::Missing);
        assert_eq!(of(&[0, 1000, 3, 2]), ForeignTrack::Found(3));
        assert_eq!(of(&[7]), ForeignTrack::Missing);
        assert_eq!(of(&[]), ForeignTrack::Missing);
    }
}
