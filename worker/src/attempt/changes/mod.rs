//! What becomes of the parts of an input: a forecast before the encode, and afterwards a comparison of what the input
//! and the output really hold.
//!
//! Only things that the input holds are listed. A change that the recipe asks for is listed, but is no loss.

mod film;
mod ideal;
mod refusal;
mod track;
mod wanted;
mod whole;

use common::job::changes::{Change, Fate, Kind, MOST_CHANGES};
use common::recipe::Recipe;
use common::recipe::encoder::Codec;

use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::{Track, TrackMethod, representative};

pub use refusal::refuse;

/// The most characters of a text from a file: the text of a hostile file may have megabytes.
const LONGEST: usize = 80;

/// Lists what becomes of the parts of `input`, as far as it can be known before the encode. `known` lists the changes
/// that were found while the command line was made. All other parts are kept.
pub fn forecast(recipe: &Recipe, input: &Media, tracks: &[Track], known: &[Change]) -> Vec<Change> {
    let ideal = ideal::output(recipe, input, tracks);
    let mut list = differences(recipe, input, &ideal, tracks);
    for change in known {
        let is_open = |listed: &Change| {
            // A track that the recipe leaves out may become a file beside the output.
            let becomes_file = is_of_subtitles(input, change)
                && listed.fate == Fate::Lost
                && change.fate == Fate::Converted;
            let may_differ = listed.fate == Fate::Kept || !listed.is_wanted || becomes_file;
            is_same(listed, change) && may_differ
        };
        let exact = list
            .iter()
            .position(|listed| is_open(listed) && listed.from == change.from);
        match exact.or_else(|| list.iter().position(is_open)) {
            Some(place) => list[place] = change.clone(),
            None => list.push(change.clone()),
        }
    }
    bounded(list)
}

/// Lists what has become of the parts of `input`, by comparison with `output`. `known` is the forecast and gives the
/// reasons.
pub fn compare(
    recipe: &Recipe,
    input: &Media,
    output: &Media,
    tracks: &[Track],
    known: &[Change],
) -> Vec<Change> {
    let mut list = differences(recipe, input, output, tracks);
    for change in list.iter_mut().filter(|change| change.fate != Fate::Kept) {
        let reasons = || {
            known
                .iter()
                .filter(|known| known.fate != Fate::Kept && is_same(known, change))
        };
        let exact = reasons().find(|known| known.from == change.from);
        let reason = exact.or_else(|| reasons().next());
        let Some(reason) = reason else {
            // Older versions of ffprobe do not read HDR10 from H.264. The encoder was told to write it.
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
        // A track may have become a file beside the output.
        if is_of_subtitles(input, change) && change.fate == Fate::Lost {
            change.fate = reason.fate;
            change.to.clone_from(&reason.to);
        }
        // A probe cannot tell fields that were woven into frames from fields that were coded as frames, so the
        // forecast counts.
        if change.kind == Kind::Interlacing {
            change.fate = reason.fate;
            change.to.clone_from(&reason.to);
        }
    }
    // A probe of the output tells neither how loud it is nor which languages and tracks were asked for.
    let is_unseen = |change: &&Change| match change.kind {
        Kind::Loudness => true,
        Kind::Language | Kind::Track => change.track.is_none(),
        _ => false,
    };
    list.extend(known.iter().filter(is_unseen).cloned());
    // A probe does not show which part of the input became the output.
    let parts = known.iter().filter(|change| {
        change.kind == Kind::Timing && !list.iter().any(|one| is_same(one, change))
    });
    let parts: Vec<Change> = parts.cloned().collect();
    list.extend(parts);
    // The recipe chooses the shape, and the gate has compared the size. No probe sees combs, or borders.
    let of_pictures = known.iter().filter(|change| match change.kind {
        Kind::Aspect => change.is_wanted || change.fate == Fate::Kept,
        Kind::Interlacing => change.is_wanted,
        Kind::Timing => change.is_wanted || (change.fate == Fate::Kept && change.why.is_some()),
        _ => false,
    });
    for change in of_pictures {
        let is_measured =
            |listed: &Change| listed.kind == Kind::Timing && listed.fate != Fate::Kept;
        list.retain(|listed| !is_same(listed, change) || is_measured(listed));
        if !list.iter().any(|listed| is_same(listed, change)) {
            list.push(change.clone());
        }
    }
    bounded(list)
}

/// Whether a change is about a track of subtitles as a whole.
fn is_of_subtitles(input: &Media, change: &Change) -> bool {
    let mut streams = input.streams.iter();
    change.kind == Kind::Track
        && streams
            .any(|stream| stream.kind == StreamKind::Subtitle && Some(stream.index) == change.track)
}

/// Whether two changes are about the same thing.
fn is_same(one: &Change, other: &Change) -> bool {
    // A timecode may belong to the file or to its only video track.
    let track = one.track == other.track
        || (one.kind == Kind::Timecode && (one.track.is_none() || other.track.is_none()));
    one.kind == other.kind && track && (one.kind != Kind::Tag || one.from == other.from)
}

/// The differences between an input and an output that was made of it by `tracks`.
fn differences(recipe: &Recipe, input: &Media, output: &Media, tracks: &[Track]) -> Vec<Change> {
    let mut list = Vec::new();
    whole::compare(&mut list, recipe, input, output);
    for stream in &input.streams {
        let pair = representative(tracks, stream.index)
            .map(|place| (&tracks[place], counterpart(tracks, place, output)));
        match pair {
            Some((track, Some(made))) => {
                let pair = Pair {
                    recipe,
                    source: stream,
                    made,
                    by: track.by,
                    title: track.title.as_deref(),
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

/// A track of the input and its counterpart in the output.
struct Pair<'a> {
    recipe: &'a Recipe,
    source: &'a Stream,
    made: &'a Stream,
    by: TrackMethod,
    /// The title that the recipe gives the track; `None` for the source's.
    title: Option<&'a str>,
}

impl Pair<'_> {
    /// The reason for a loss that was not in the forecast: it names the container or encoder that should have written
    /// the part.
    fn wrote_none(&self) -> String {
        match self.by {
            TrackMethod::Copy | TrackMethod::Attach => {
                format!("ffmpeg wrote none to {}", self.recipe.container)
            }
            _ => format!("the {} encoder wrote none", self.made.codec),
        }
    }
}

/// The output's stream for a track. Muxers keep the order among streams of one kind, but put covers, data and
/// attachments anywhere.
fn counterpart<'a>(tracks: &[Track], place: usize, output: &'a Media) -> Option<&'a Stream> {
    let group = group(&tracks[place].source);
    let number = tracks[..place]
        .iter()
        .filter(|track| self::group(&track.source) == group)
        .count();
    output
        .streams
        .iter()
        .filter(|stream| self::group(stream) == group && !whole::is_chapter_track(output, stream))
        .nth(number)
}

fn group(stream: &Stream) -> (StreamKind, bool) {
    (stream.kind, stream.is_picture)
}

/// Cuts a text from a file to [`LONGEST`] characters.
fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Cuts the list to [`MOST_CHANGES`]. Kept parts are dropped first.
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
