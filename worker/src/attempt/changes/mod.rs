//! What becomes of what an input holds: foreseen before the encode, and found
//! afterwards by comparison of what the input and the output really hold.
//!
//! What the input does not hold is not told. What the recipe asks for is told,
//! but is no loss.

mod asked;
mod film;
mod ideal;
mod refusal;
mod track;
mod whole;

use common::job::changes::{Change, Fate, Kind, MOST_CHANGES};
use common::recipe::Recipe;
use common::recipe::encoder::Codec;

use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::{Track, TrackMethod};

pub use refusal::refuse;

/// Characters of a text that a file holds, at the most: a hostile one may hold megabytes.
const LONGEST: usize = 80;

/// What becomes of what `input` holds, as far as it can be known before the encode. `known` is what the command line
/// was made with in mind; all else is kept.
pub fn forecast(recipe: &Recipe, input: &Media, tracks: &[Track], known: &[Change]) -> Vec<Change> {
    let ideal = ideal::output(recipe, input, tracks);
    let mut list = differences(recipe, input, &ideal, tracks);
    for change in known {
        let told = list
            .iter_mut()
            .find(|told| is_same(told, change) && (told.fate == Fate::Kept || !told.is_wanted));
        match told {
            Some(told) => *told = change.clone(),
            None => list.push(change.clone()),
        }
    }
    bounded(list)
}

/// What has become of what `input` holds, by what `output` holds. `known` was foreseen, and says why.
pub fn compare(
    recipe: &Recipe,
    input: &Media,
    output: &Media,
    tracks: &[Track],
    known: &[Change],
) -> Vec<Change> {
    let mut list = differences(recipe, input, output, tracks);
    for change in list.iter_mut().filter(|change| change.fate != Fate::Kept) {
        let reason = known
            .iter()
            .find(|known| known.fate != Fate::Kept && is_same(known, change));
        let Some(reason) = reason else {
            // Older versions of ffprobe do not read this of H.264. The encoder was told to write it.
            if change.kind == Kind::Hdr10 && recipe.codec() == Some(Codec::H264) {
                let why = "the encoder was told to write it; this ffprobe does not read it of h264";
                (change.fate, change.why) = (Fate::Kept, Some(why.to_owned()));
            }
            continue;
        };
        change.is_wanted |= reason.is_wanted;
        if reason.why.is_some() {
            change.why.clone_from(&reason.why);
        }
        // No probe tells fields that were woven into frames from fields that were coded as frames.
        if change.kind == Kind::Interlacing {
            change.fate = reason.fate;
            change.to.clone_from(&reason.to);
        }
    }
    bounded(list)
}

/// Whether two changes are about the same thing.
fn is_same(one: &Change, other: &Change) -> bool {
    // Some things can be said of a file or of its only film.
    let track = one.track == other.track
        || (one.kind == Kind::Timecode && (one.track.is_none() || other.track.is_none()));
    one.kind == other.kind && track && (one.kind != Kind::Tag || one.from == other.from)
}

/// What differs between an input and an output that was made of it by `tracks`.
fn differences(recipe: &Recipe, input: &Media, output: &Media, tracks: &[Track]) -> Vec<Change> {
    let mut list = Vec::new();
    whole::compare(&mut list, recipe, input, output);
    for stream in &input.streams {
        let pair = tracks
            .iter()
            .position(|track| track.source.index == stream.index)
            .map(|place| (&tracks[place], counterpart(tracks, place, output)));
        match pair {
            Some((track, Some(made))) => {
                let pair = Pair {
                    recipe,
                    source: stream,
                    made,
                    by: track.by,
                };
                track::compare(&mut list, &pair);
                if stream.is_film() {
                    film::compare(&mut list, &pair, output, tracks);
                }
            }
            Some((_, None)) => {
                list.push(track::lost(recipe, stream, "the output has no such track"))
            }
            None if whole::is_chapter_track(input, stream) || whole::is_timecode_track(stream) => {}
            None => list.push(track::lost(recipe, stream, "it was left out")),
        }
    }
    list
}

/// A track of the input, and what was made of it.
struct Pair<'a> {
    recipe: &'a Recipe,
    source: &'a Stream,
    made: &'a Stream,
    by: TrackMethod,
}

impl Pair<'_> {
    /// Why a thing is not there that nothing foresaw to be missing, for `what` was to hold it.
    fn wrote_none(&self) -> String {
        match self.by {
            TrackMethod::Copy | TrackMethod::Attach => {
                format!("ffmpeg wrote none to {}", self.recipe.container)
            }
            _ => format!("the {} encoder wrote none", self.made.codec),
        }
    }
}

/// The output's stream of a track: muxers keep the order among those of a kind, but put covers, data and attachments
/// where they like.
fn counterpart<'a>(tracks: &[Track], place: usize, output: &'a Media) -> Option<&'a Stream> {
    let sort = sort(&tracks[place].source);
    let number = tracks[..place]
        .iter()
        .filter(|track| self::sort(&track.source) == sort)
        .count();
    output
        .streams
        .iter()
        .filter(|stream| self::sort(stream) == sort && !whole::is_chapter_track(output, stream))
        .nth(number)
}

fn sort(stream: &Stream) -> (StreamKind, bool) {
    (stream.kind, stream.is_picture)
}

/// A text that a file holds, fit for a list.
fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// No more than is told; what is kept goes first.
fn bounded(mut list: Vec<Change>) -> Vec<Change> {
    let mut excess = list.len().saturating_sub(MOST_CHANGES);
    list.retain(|change| {
        let goes = excess > 0 && change.fate == Fate::Kept;
        excess -= usize::from(goes);
        !goes
    });
    list.truncate(MOST_CHANGES);
    list
}

#[cfg(test)]
mod tests;
