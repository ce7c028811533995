//! Conversions between colour spaces: HDR or BT.2020 to SDR, RGB to YUV, full range to limited range.

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::Hdr;

use super::conversion::{ASKED, complete, intermediate, needs};
use super::{Picture, Task, pixel_format, tones};

/// # Errors
/// If this ffmpeg cannot do the conversion that the recipe asks for; the input is at fault.
pub(super) fn convert(task: &Task<'_>, picture: &mut Picture) -> Result<(), Failure> {
    let Task { film, video, .. } = task;
    let has_colour_filters = video
        .filters
        .as_ref()
        .is_some_and(|filters| filters.touch_colours());
    if has_colour_filters {
        return Ok(());
    }
    let is_rgb = pixel_format::is_rgb(&film.pixel_format);
    if video.hdr == Hdr::Sdr && film.colour.is_hdr() {
        picture.is_rgb = false;
        return tones::map(task, picture);
    }
    if video.hdr == Hdr::Sdr && film.colour.primaries == "bt2020" && !is_rgb {
        needs(task, &["zscale"])?;
        complete(task, picture, "bt709");
        let to = intermediate(task, picture);
        picture
            .filters
            .push(format!("zscale=p=bt709:t=bt709:m=bt709:r=tv,format={to}"));
        report(task, picture, "colours of BT.2020", "colours of BT.709");
    } else if is_rgb && (video.hdr == Hdr::Sdr || !stays_rgb(task, picture)) {
        let to = yuv(task, picture);
        picture.is_rgb = false;
        picture.filters.push(format!(
            "scale=out_color_matrix=bt709:out_range=tv,format={to},\
             setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv"
        ));
        if stays_rgb(task, picture) {
            report(task, picture, "RGB", "YUV of BT.709");
        } else {
            picture.changes.push(Change::converted(
                Kind::Colour,
                film.index,
                "RGB",
                "YUV of BT.709",
                format!("{} takes no RGB of this kind", task.encoder),
            ));
        }
    } else if video.hdr == Hdr::Sdr && is_full(task) {
        let to = intermediate(task, picture);
        picture.filters.push(format!(
            "scale=in_range=pc:out_range=tv,format={to},setparams=range=tv"
        ));
        report(task, picture, "full range", "limited range");
    }
    Ok(())
}

fn report(task: &Task<'_>, picture: &mut Picture, from: &str, to: &str) {
    let change = Change::converted(Kind::Colour, task.film.index, from, to, ASKED);
    picture.changes.push(change.wanted());
}

pub(super) fn is_full(task: &Task<'_>) -> bool {
    task.film.colour.range == "pc" || task.film.pixel_format.starts_with("yuvj")
}

/// The YUV formats that can replace RGB, best first. ffmpeg takes the first one that the encoder supports.
fn yuv(task: &Task<'_>, picture: &Picture) -> String {
    if picture.pixel_format.is_some() {
        return intermediate(task, picture);
    }
    let of = |depth| ["444", "422", "420"].map(|chroma| pixel_format::planar(chroma, depth));
    let mut formats = of(8).to_vec();
    if task.film.depth() > 8 {
        formats.splice(0..0, of(10));
    }
    formats.join("|")
}

/// Whether the encoder takes RGB unchanged. An unknown encoder is left to ffmpeg.
fn stays_rgb(task: &Task<'_>, picture: &Picture) -> bool {
    if let Some(format) = &picture.pixel_format {
        return pixel_format::is_rgb(format);
    }
    let takes = ["ffv1", "libx265", "libvpx-vp9", "libaom-av1", "dnxhd"];
    takes.contains(&task.encoder.as_str()) || task.encoder.codec().is_none()
}
