//! The picture's size: scaled as the recipe asks, and made even if the encoder needs even sides.

use common::recipe::Scale;

use super::super::rate;
use super::{Picture, Shape, Task};

pub(super) fn scale(task: &Task<'_>, picture: &mut Picture) {
    let video = task.video;
    let Some(scale) = video.scale else { return };
    let Some(before) = picture.shape else {
        picture
            .filters
            .push(scale_expression(scale, video.scale_up));
        if let Scale::Exact(width, height) = scale {
            picture.shape = Some(Shape::square(width, height));
        }
        return;
    };
    if let Some(after) = before.scaled(scale, video.scale_up) {
        let Shape { width, height, .. } = after;
        picture.filters.push(format!("scale={width}:{height}"));
        // After rounding the sides to even numbers, ffmpeg would make the pixels slightly non-square to compensate.
        let is_stated = task.film.sample_aspect.is_some();
        if is_stated && before.pixel == 1.0 && !matches!(scale, Scale::Exact(..)) {
            picture.filters.push("setsar=1".to_owned());
        }
        picture.shape = Some(after);
    }
}

/// Cuts odd sides by one pixel if the encoder takes only even ones.
pub(super) fn make_even(task: &Task<'_>, picture: &mut Picture) {
    let Task { film, encoder, .. } = task;
    let is_even = |shape: Shape| shape.width.is_multiple_of(2) && shape.height.is_multiple_of(2);
    // The size after filters is unknown, and a crop to the same size costs nothing.
    if picture.shape.is_some_and(is_even) || !rate::needs_even_size(encoder) {
        return;
    }
    picture
        .filters
        .push("crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0".to_owned());
    if let Some(shape) = &mut picture.shape {
        (shape.width, shape.height) = (shape.width / 2 * 2, shape.height / 2 * 2);
        let why = format!("{encoder} takes even sizes only");
        picture.reshaped(film, why, false);
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
