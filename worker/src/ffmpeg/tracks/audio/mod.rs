//! Chooses the audio tracks of an output: by language, by rules, and those that the output has in any case.

mod commentary;
mod default;
mod ensure;
mod make;
mod rules;
mod select;
mod title;

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::{Audio, Recipe};

use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::audio::make::Maker;
use crate::ffmpeg::tracks::audio::select::{Selected, select};
pub(super) use crate::ffmpeg::tracks::audio::select::{first, original_languages};
use crate::ffmpeg::tracks::{Track, TrackMethod, language, of_kind, representative};

/// The audio tracks of an output, and the changes from the input.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Chosen {
    pub(super) list: Vec<Track>,
    pub(super) changes: Vec<Change>,
}

/// Chooses the audio tracks for a recipe.
///
/// # Errors
/// If a track can be neither copied nor encoded as the recipe says; the input is at fault.
pub(super) fn choose(recipe: &Recipe, media: &Media) -> Result<Chosen, Failure> {
    let wanted = &recipe.audio_tracks;
    let sounds: Vec<&Stream> = of_kind(media, StreamKind::Audio).collect();
    let Selected { kept, is_fallback } = select(&wanted.languages, &sounds);
    let mut maker = Maker::new(recipe);
    if let Some(first) = kept.first().filter(|_| is_fallback) {
        maker.changes.push(not_found(recipe, first));
    }
    for sound in &kept {
        maker.make(sound, rules::find(&wanted.rules, sound, &sounds))?;
    }
    ensure::ensure(&mut maker, &kept, &sounds)?;
    let Chosen {
        mut list,
        mut changes,
    } = maker.into_chosen();
    for sound in &sounds {
        let made = representative(&list, sound.index).map(|place| &list[place]);
        match made {
            Some(track) => changes.extend(of_encode(recipe, track)),
            None => changes.extend(left_out(recipe, sound, &kept, &changes)),
        }
    }
    if wanted.has_choice() {
        changes.extend(default::choose(&mut list, !wanted.languages.is_empty()));
    }
    Ok(Chosen { list, changes })
}

/// The changes that an encode of a track brings about.
fn of_encode(recipe: &Recipe, track: &Track) -> Vec<Change> {
    let index = track.source.index;
    let layout = track.sound.as_ref().and_then(|sound| sound.change(index));
    let night = track.sound.as_ref().and_then(|sound| sound.night(index));
    let by_rule = match (track.by, &recipe.audio) {
        (_, Audio::Encode { .. }) => None,
        (TrackMethod::Audio(encoder), _) if track.is_asked => Some(
            Change::converted(
                Kind::Track,
                index,
                format!("audio {}", track.source.codec),
                encoder.codec(),
                "as asked for",
            )
            .wanted(),
        ),
        _ => None,
    };
    by_rule.into_iter().chain(layout).chain(night).collect()
}

/// The loss of a track that the recipe leaves out. `None` if another reason is already listed.
fn left_out(
    recipe: &Recipe,
    sound: &Stream,
    kept: &[&Stream],
    listed: &[Change],
) -> Option<Change> {
    let is_listed = listed
        .iter()
        .any(|change| change.kind == Kind::Track && change.track == Some(sound.index));
    if is_listed || recipe.audio_tracks == Default::default() {
        return None;
    }
    let is_kept = kept.iter().any(|one| one.index == sound.index);
    let why = match is_kept {
        true => "a rule drops it, as asked for",
        false => "another language is asked for",
    };
    let name = format!("audio {}", sound.codec);
    Some(Change::lost(Kind::Track, sound.index, name, why).wanted())
}

/// The loss of all languages that were asked for.
fn not_found(recipe: &Recipe, first: &Stream) -> Change {
    let wanted = recipe.audio_tracks.languages.iter();
    let wanted: Vec<String> = wanted.map(ToString::to_string).collect();
    let stays = language::tag(first).unwrap_or("no known language");
    let why = format!("no audio track has it, so the first one stays ({stays})");
    Change::lost(Kind::Language, None, wanted.join(" or "), why)
}

#[cfg(test)]
mod tests;
