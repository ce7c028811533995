//! Compares the properties of pictures: shape, colours, HDR, fields, transparency, captions and times.

mod colour;
mod hdr;
mod shape;
mod timing;

use common::job::changes::{Change, Fate, Kind};

use crate::attempt::changes::film::colour::colours;
use crate::attempt::changes::film::hdr::{dolby_vision, hdr10};
use crate::attempt::changes::film::shape::{aspect, rotation};
use crate::attempt::changes::film::timing::timing;
use crate::attempt::changes::{Pair, wanted};
use crate::ffmpeg::probe::media::{Media, Stream, StreamKind};
use crate::ffmpeg::tracks::{Track, TrackMethod};

pub(crate) fn compare(list: &mut Vec<Change>, pair: &Pair<'_>, output: &Media, tracks: &[Track]) {
    let mut found = Vec::new();
    found.extend(rotation(pair));
    found.extend(aspect(pair));
    found.extend(colours(pair));
    found.extend(hdr10(pair));
    found.extend(presence(
        pair,
        Kind::Hdr10plus,
        |film| film.has_hdr10plus,
        "dynamic metadata",
    ));
    found.extend(dolby_vision(pair));
    found.extend(presence(
        pair,
        Kind::Hlg,
        |film| film.colour.is_hlg(),
        "HLG",
    ));
    found.extend(interlacing(pair));
    found.extend(presence(
        pair,
        Kind::Alpha,
        |film| film.has_alpha,
        "transparency",
    ));
    found.extend(captions(pair, output, tracks));
    found.extend(timing(pair));
    for mut change in found {
        if change.fate != Fate::Kept && wanted::changes(pair.recipe, change.kind) {
            change = change.wanted();
            change.why = Some("by what the recipe asks for".to_owned());
        }
        list.push(change);
    }
}

/// A property that a stream has or does not have.
fn presence(
    pair: &Pair<'_>,
    kind: Kind,
    has: impl Fn(&Stream) -> bool,
    name: &str,
) -> Option<Change> {
    let index = pair.source.index;
    has(pair.source).then(|| {
        if has(pair.made) {
            Change::kept(kind, index, name)
        } else {
            Change::lost(kind, index, name, pair.wrote_none())
        }
    })
}

fn interlacing(pair: &Pair<'_>) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let order = match source.field_order.as_str() {
        "tt" | "tb" => "top field first",
        "bb" | "bt" => "bottom field first",
        _ => "fields",
    };
    source.is_interlaced.then(|| {
        if made.is_interlaced {
            Change::kept(Kind::Interlacing, source.index, order)
        } else {
            let why = "the output is coded as whole frames";
            Change::lost(Kind::Interlacing, source.index, order, why)
        }
    })
}

fn captions(pair: &Pair<'_>, output: &Media, tracks: &[Track]) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let index = source.index;
    let from = "closed captions";
    let extracted = || {
        let mut subtitles = output.streams.iter();
        tracks
            .iter()
            .any(|track| matches!(track.by, TrackMethod::Captions(_)))
            && subtitles.any(|stream| stream.kind == StreamKind::Subtitle)
    };
    source.has_captions.then(|| {
        if made.has_captions {
            Change::kept(Kind::Captions, index, from)
        } else if extracted() {
            let change =
                Change::converted(Kind::Captions, index, from, "subtitles", "as asked for");
            change.wanted()
        } else {
            Change::lost(Kind::Captions, index, from, pair.wrote_none())
        }
    })
}
