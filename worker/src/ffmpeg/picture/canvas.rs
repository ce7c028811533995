//! Turning the picture as the recipe asks, and putting it on a larger canvas.

use common::recipe::{Pad, Rotate};

use super::{Picture, Shape, Task};

/// Turns and mirrors the picture. What a player would turn is upright by now.
pub(super) fn rotate(task: &Task<'_>, picture: &mut Picture) {
    let Some(Rotate { quarters, flip }) = task.video.rotate else {
        return;
    };
    picture.filters.extend(
        match quarters {
            0 => None,
            1 => Some("transpose=clock"),
            2 => Some("hflip,vflip"),
            _ => Some("transpose=cclock"),
        }
        .map(str::to_owned),
    );
    if flip {
        picture.filters.push("hflip".to_owned());
    }
    if quarters % 2 == 1 {
        picture.shape = picture.shape.map(Shape::turned);
        picture.reshaped(task.film, "turned, as the recipe asks".to_owned(), true);
    }
}

/// Puts the picture in the middle of the canvas. A canvas of a given size has square pixels, and a picture that is
/// larger is scaled down to fit. A canvas of a given shape keeps the size of the pixels.
pub(super) fn pad(task: &Task<'_>, picture: &mut Picture) {
    let Some(pad) = task.video.pad else { return };
    match pad {
        Pad::Size(width, height) => {
            fit(picture, width, height);
            place(picture, &width.to_string(), &height.to_string());
            picture.shape = Some(Shape::square(width, height));
            picture.reshaped(task.film, on_canvas(), true);
        }
        Pad::Aspect(width, height) => match picture.shape {
            Some(shape) => {
                let canvas = shape.canvas(width, height);
                if (canvas.width, canvas.height) != (shape.width, shape.height) {
                    place(
                        picture,
                        &canvas.width.to_string(),
                        &canvas.height.to_string(),
                    );
                }
                picture.shape = Some(canvas);
                picture.reshaped(task.film, on_canvas(), true);
            }
            None => place(
                picture,
                &format!("'2*ceil(max(iw,ih*{width}/{height}/sar)/2)'"),
                &format!("'2*ceil(max(ih,iw*sar*{height}/{width})/2)'"),
            ),
        },
    }
}

fn on_canvas() -> String {
    "on a canvas, as the recipe asks".to_owned()
}

/// Makes the pixels square, and the picture no larger than the canvas.
fn fit(picture: &mut Picture, width: u32, height: u32) {
    match picture.shape {
        Some(shape) => {
            let (fit_width, fit_height) = shape.within(width, height);
            if (fit_width, fit_height) != (shape.width, shape.height) {
                picture
                    .filters
                    .push(format!("scale={fit_width}:{fit_height}"));
            }
        }
        None => {
            let factor = format!("min(1,min({width}/(iw*max(sar,1)),{height}/(ih/min(sar,1))))");
            picture.filters.push(format!(
                "scale=w='max(2,2*trunc(iw*max(sar,1)*{factor}/2))':h='max(2,2*trunc(ih/min(sar,1)*{factor}/2))'"
            ));
        }
    }
    // Rounding to even sides makes pixels slightly non-square otherwise.
    picture.filters.push("setsar=1".to_owned());
}

fn place(picture: &mut Picture, width: &str, height: &str) {
    picture.filters.push(format!(
        "pad=w={width}:h={height}:x=(ow-iw)/2:y=(oh-ih)/2:color=black"
    ));
}
