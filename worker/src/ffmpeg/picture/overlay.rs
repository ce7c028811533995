//! Files of the recipe that change the picture: a colour table, and a picture over the picture. Both lie in the folder in
//! which ffmpeg runs, under fixed names.

use common::farm::card::bit_depth;
use common::job::failure::Failure;
use common::recipe::{Hdr, PictureForm, Place, Watermark};

use super::colour::is_full;
use super::conversion::{Meeting, intermediate, meeting, output, white_on};
use super::{Picture, Task, pixel_format};

/// The name of the colour table.
pub(crate) const LUT: &str = "lut.cube";

/// The name of the watermark.
pub(crate) const WATERMARK: &str = "watermark";

/// Applies the colour table to the picture as RGB, and keeps the tags of its colours.
pub(super) fn look_up(task: &Task<'_>, picture: &mut Picture) {
    if task.video.lut.is_none() {
        return;
    }
    let to = intermediate(task, picture);
    let has_alpha = to.starts_with("yuva");
    let rgb = if has_alpha { "gbrap16le" } else { "gbrp16le" };
    let table = format!("format={rgb},lut3d=file={LUT}");
    if picture.is_rgb {
        let back = if bit_depth(&task.film.pixel_format) > 8 {
            "gbrp10le"
        } else {
            "gbrp"
        };
        picture.filters.push(format!("{table},format={back}"));
        return;
    }
    let (matrix, tag, range) = (matrix(task), tag(task), range(task));
    let is_stated =
        becomes_bt709(task) || task.video.hdr == Hdr::Sdr || !task.film.colour.range.is_empty();
    let range_tag = if is_stated { range } else { "unknown" };
    picture.filters.push(format!(
        "scale=in_color_matrix={matrix}:in_range={range},{table},\
         scale=out_color_matrix={matrix}:out_range={range},format={to},\
         setparams=colorspace={tag}:range={range_tag}"
    ));
}

/// Lays the watermark over the picture.
///
/// # Errors
/// If this ffmpeg lays nothing over such pictures; the input is at fault.
pub(super) fn mark(task: &Task<'_>, picture: &mut Picture) -> Result<(), Failure> {
    let Some(watermark) = &task.video.watermark else {
        return Ok(());
    };
    let Meeting {
        picture: format,
        over: mark,
    } = meeting(task, picture, &[output(task, picture)])?;
    let form = match task.watermark {
        None | Some(PictureForm::Png) => "png_pipe",
        Some(PictureForm::Jpeg) => "jpeg_pipe",
        Some(PictureForm::Webp) => "webp_pipe",
    };
    let size = size(watermark, picture);
    let shades = shades(task, watermark);
    let (x, y) = place(watermark.place);
    let yuv = match picture.is_rgb {
        true => String::new(),
        false => format!(
            "scale=out_color_matrix={}:out_range={},",
            matrix(task),
            range(task)
        ),
    };
    picture.filters.push(format!(
        "null[under];movie=filename={WATERMARK}:format_name={form},format=rgba,{size}{shades}{yuv}format={mark}[mark];\
         [under][mark]overlay=x={x}:y={y}:format={format}"
    ));
    Ok(())
}

/// The filter that gives the watermark its size on screen.
fn size(watermark: &Watermark, picture: &Picture) -> String {
    let Some(shape) = picture.shape else {
        return String::new();
    };
    let pixel = shape.pixel;
    match watermark.width_percent {
        Some(percent) => {
            let width = f64::from(shape.width) * f64::from(percent) / 100.0;
            let width = width.round().max(1.0);
            format!("scale=w={width}:h='max(1,round(ih*{width}/iw*{pixel:.6}))',")
        }
        None if pixel == 1.0 => String::new(),
        None => format!("scale=w='max(1,round(iw/{pixel:.6}))':h=ih,"),
    }
}

/// The filter that makes the watermark as opaque and as bright as it should be.
fn shades(task: &Task<'_>, watermark: &Watermark) -> String {
    let opacity = f64::from(watermark.opacity_percent) / 100.0;
    let white = match task.stays_hdr() {
        true => white_on(task.film),
        false => 1.0,
    };
    if opacity >= 1.0 && white >= 1.0 {
        return String::new();
    }
    format!("colorchannelmixer=rr={white}:gg={white}:bb={white}:aa={opacity},")
}

/// Where the watermark lies. Corners have a margin of 2 % of the frame's height.
fn place(place: Place) -> (&'static str, &'static str) {
    const NEAR: &str = "main_h/50";
    const RIGHT: &str = "main_w-overlay_w-main_h/50";
    const BOTTOM: &str = "main_h-overlay_h-main_h/50";
    match place {
        Place::TopLeft => (NEAR, NEAR),
        Place::TopRight => (RIGHT, NEAR),
        Place::BottomLeft => (NEAR, BOTTOM),
        Place::BottomRight => (RIGHT, BOTTOM),
        Place::Center => ("(main_w-overlay_w)/2", "(main_h-overlay_h)/2"),
    }
}

/// Whether the recipe converts the colours to BT.709.
fn becomes_bt709(task: &Task<'_>) -> bool {
    let colour = &task.film.colour;
    let is_wide = colour.is_hdr() || colour.primaries == "bt2020";
    pixel_format::is_rgb(&task.film.pixel_format) || (task.video.hdr == Hdr::Sdr && is_wide)
}

/// The matrix of the picture, as the filter `scale` calls it. Players guess by the size where nothing says so.
fn matrix(task: &Task<'_>) -> &'static str {
    if becomes_bt709(task) {
        return "bt709";
    }
    match task.film.colour.matrix.as_str() {
        "bt709" => "bt709",
        "bt2020nc" | "bt2020c" => "bt2020",
        "fcc" => "fcc",
        "smpte240m" => "smpte240m",
        "" if task.film.height > 576 => "bt709",
        _ => "smpte170m",
    }
}

/// The matrix of the picture as its tag says it.
fn tag<'a>(task: &Task<'a>) -> &'a str {
    match task.film.colour.matrix.as_str() {
        _ if becomes_bt709(task) => "bt709",
        "" => "unknown",
        tag => tag,
    }
}

fn range(task: &Task<'_>) -> &'static str {
    let is_converted = task.video.hdr == Hdr::Sdr || becomes_bt709(task);
    match is_full(task) && !is_converted {
        true => "pc",
        false => "tv",
    }
}
