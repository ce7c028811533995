//! Compares the rotation and the aspect ratio of a picture.

use common::job::changes::{Change, Kind};

use crate::attempt::changes::Pair;
use crate::ffmpeg::probe::media::Stream;
use crate::ffmpeg::tracks::TrackMethod;

/// The fraction by which a shape may differ, because sizes are rounded to whole and to even pixels.
const SHAPE: f64 = 0.015;

pub(super) fn rotation(pair: &Pair<'_>) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let text = |film: &Stream| match (film.rotation, film.is_mirrored) {
        (0, true) => "mirrored".to_owned(),
        (degrees, true) => format!("{degrees}° and mirrored"),
        (degrees, false) => format!("{degrees}°"),
    };
    let is_turned = |film: &Stream| film.rotation != 0 || film.is_mirrored;
    if !is_turned(source) {
        return None;
    }
    let (index, from) = (source.index, text(source));
    Some(
        if (made.rotation, made.is_mirrored) == (source.rotation, source.is_mirrored) {
            Change::kept(Kind::Rotation, index, from)
        } else if pair.by == TrackMethod::Video && !is_turned(made) {
            let why = "the pictures themselves were turned";
            Change::converted(Kind::Rotation, index, from, "upright pictures", why)
        } else {
            Change::lost(Kind::Rotation, index, from, pair.wrote_none())
        },
    )
}

/// Listed only if the pixels are not square or the shape has changed.
pub(super) fn aspect(pair: &Pair<'_>) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let pixel = |film: &Stream| film.sample_aspect.map_or(1.0, |ratio| ratio.value());
    let shape = |film: &Stream| {
        let shape = f64::from(film.width) * pixel(film) / f64::from(film.height.max(1));
        if film.rotation.is_multiple_of(180) {
            shape
        } else {
            1.0 / shape
        }
    };
    if source.width == 0 || made.width == 0 {
        return None;
    }
    let text = |film: &Stream| {
        let (width, height) = film.shown();
        match film.sample_aspect.filter(|ratio| ratio.value() != 1.0) {
            Some(ratio) => format!(
                "{width}x{height}, pixels {}:{}",
                ratio.numerator, ratio.denominator
            ),
            None => format!("{width}x{height}"),
        }
    };
    let (before, after) = (shape(source), shape(made));
    // In a small picture, one pixel more or less is a large part.
    let least = f64::from(made.width.min(made.height)).max(1.0);
    let is_same = (before - after).abs() / before <= SHAPE.max(2.0 / least);
    if is_same && pixel(source) == 1.0 {
        return None;
    }
    let index = source.index;
    Some(if is_same && (pixel(made) - pixel(source)).abs() < SHAPE {
        Change::kept(Kind::Aspect, index, text(source))
    } else if is_same {
        let why = "the same shape of other pixels";
        Change::converted(Kind::Aspect, index, text(source), text(made), why)
    } else {
        let why = "the picture is shown in another shape";
        let change = Change::lost(Kind::Aspect, index, text(source), why);
        Change {
            to: Some(text(made)),
            ..change
        }
    })
}
