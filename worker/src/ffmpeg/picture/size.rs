//! The picture's size: scaled as the recipe asks, and made even if the encoder needs even sides.

use common::job::changes::{Change, Fate, Kind};
use common::recipe::Scale;

use super::super::rate;
use super::{Picture, Task};

pub(super) fn scale(task: &Task<'_>, picture: &mut Picture) {
    let Task { film, video, .. } = task;
    let after_filters = video.filters.is_some();
    let shown = task.shown();
    picture.size = (!after_filters && shown.0 > 0 && shown.1 > 0).then_some(shown);
    if let Some(scale) = video.scale {
        if after_filters {
            picture
                .filters
                .push(scale_expression(scale, video.scale_up));
            // An exact size is even already.
            if let Scale::Exact(width, height) = scale {
                picture.size = Some((width, height));
                return;
            }
        } else if let Some((width, height)) = scale.of(shown, film.shown_aspect(), video.scale_up) {
            picture.filters.push(format!("scale={width}:{height}"));
            picture.size = Some((width, height));
            // After rounding the sides to even numbers, ffmpeg would make the pixels slightly non-square to
            // compensate.
            if film
                .sample_aspect
                .is_some_and(|aspect| aspect.value() == 1.0)
                && !matches!(scale, Scale::Exact(..))
            {
                picture.filters.push("setsar=1".to_owned());
            }
            return;
        }
    }
    even(task, after_filters, picture);
}

/// Crops odd sides by one pixel if the encoder takes only even ones.
fn even(task: &Task<'_>, after_filters: bool, picture: &mut Picture) {
    let Task { film, encoder, .. } = task;
    let (width, height) = task.shown();
    let is_odd = width % 2 == 1 || height % 2 == 1;
    // The size after filters is unknown, and a crop to the same size costs nothing.
    if !(is_odd || after_filters) || !rate::needs_even_size(encoder) {
        return;
    }
    picture
        .filters
        .push("crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0".to_owned());
    if !is_odd || after_filters {
        return;
    }
    let even = (width / 2 * 2, height / 2 * 2);
    picture.size = Some(even);
    let to = format!("{}x{}", even.0, even.1);
    let why = format!("{encoder} takes even sizes only");
    let changes = &mut picture.changes;
    // What is cut off on purpose has a change already.
    let cut = changes
        .iter_mut()
        .find(|change| change.kind == Kind::Aspect && change.fate == Fate::Converted);
    match cut {
        Some(cut) => {
            cut.to = Some(to);
            cut.why = cut.why.take().map(|cut| format!("{cut}; {why}"));
        }
        None => {
            let from = format!("{width}x{height}");
            changes.push(Change::converted(Kind::Aspect, film.index, from, to, why));
        }
    }
}

/// Like [`Scale::of`], as an expression for a picture whose size only ffmpeg knows.
fn scale_expression(scale: Scale, up: bool) -> String {
    let factor = match scale {
        Scale::Exact(width, height) => return format!("scale={width}:{height}"),
        Scale::Shorter(limit) => format!("{limit}/min(iw*sar,ih)"),
        Scale::Width(limit) => format!("{limit}/iw"),
        Scale::Height(limit) => format!("{limit}/ih"),
    };
    let side = |name: &str| {
        let scaled = format!("max(2,2*round({name}*{factor}/2))");
        if up {
            format!("'{scaled}'")
        } else {
            format!("'if(lt({factor},1),{scaled},{name})'")
        }
    };
    format!("scale=w={}:h={}", side("iw"), side("ih"))
}
