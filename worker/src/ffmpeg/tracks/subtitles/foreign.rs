//! The track for scenes in another language: among the tracks in the language of the sound, the one that is shown
//! far less than the most shown one.

use std::collections::BTreeMap;

use common::recipe::Recipe;

use crate::ffmpeg::findings::ForeignTrack;
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::language;
use crate::ffmpeg::tracks::subtitles::choice;

/// A track qualifies if it has less than a tenth of the cues of the track with the most, as in HandBrake.
const SHARE: u64 = 10;

/// The tracks that are compared: those in the language of the first audio track that the recipe keeps.
pub(crate) fn candidates<'a>(recipe: &Recipe, media: &'a Media) -> Vec<&'a Stream> {
    let spoken = first_sound(recipe, media).and_then(language::tag);
    let is_spoken = |track: &&Stream| match (language::tag(track), spoken) {
        (Some(track), Some(spoken)) => {
            language::matches(track, spoken) || language::matches(spoken, track)
        }
        (track, spoken) => track == spoken,
    };
    choice::tracks(media).filter(is_spoken).collect()
}

fn first_sound<'a>(recipe: &Recipe, media: &'a Media) -> Option<&'a Stream> {
    let sounds = || {
        let streams = media.streams.iter();
        streams.filter(|stream| stream.kind == StreamKind::Audio && stream.absent.is_none())
    };
    let wanted = &recipe.audio_tracks.languages;
    let chosen = wanted.iter().find_map(|wanted| {
        sounds().find(|sound| {
            let tag = language::tag(sound);
            tag.is_some_and(|tag| language::matches(wanted.as_str(), tag))
        })
    });
    chosen.or_else(|| sounds().next())
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
    use super::*;

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
