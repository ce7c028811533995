//! What the conversions of colours have in common.

use common::farm::card::bit_depth;
use common::job::failure::Failure;

use super::{Picture, Task, pixel_format};
use crate::ffmpeg::probe::media::Stream;

pub(super) const ASKED: &str = "the recipe asks for SDR";

/// Fills in missing colour properties. zscale refuses pictures without them.
pub(super) fn complete(task: &Task<'_>, picture: &mut Picture, transfer: &str) {
    let colour = &task.film.colour;
    let mut given = Vec::new();
    if colour.matrix.is_empty() {
        given.push("colorspace=bt2020nc".to_owned());
    }
    if colour.primaries.is_empty() {
        given.push("color_primaries=bt2020".to_owned());
    }
    if colour.range.is_empty() {
        given.push("range=tv".to_owned());
    }
    if colour.transfer.is_empty() && !transfer.is_empty() {
        given.push(format!("color_trc={transfer}"));
    }
    if !given.is_empty() {
        picture
            .filters
            .push(format!("setparams={}", given.join(":")));
    }
}

pub(super) fn needs(task: &Task<'_>, filters: &[&str]) -> Result<(), Failure> {
    match filters.iter().find(|name| !task.build.has_filter(name)) {
        None => Ok(()),
        Some(missing) => Err(Failure::input(format!(
            "its colours cannot be made SDR here, for this worker's ffmpeg has no filter {missing}: \
             choose --hdr keep, or a worker whose ffmpeg has it"
        ))),
    }
}

/// The pixel format of the output. Where ffmpeg chooses, it is that of the film if the encoder takes it.
pub(super) fn output<'a>(task: &'a Task<'_>, picture: &'a Picture) -> &'a str {
    let source = task.film.pixel_format.as_str();
    picture.pixel_format.as_deref().unwrap_or(source)
}

/// A planar format that loses nothing before the conversion to the encoded format.
pub(super) fn intermediate(task: &Task<'_>, picture: &Picture) -> String {
    let to = output(task, picture);
    if to.starts_with("yuva") {
        return to.to_owned();
    }
    let depth = bit_depth(to);
    match pixel_format::chroma(to) {
        chroma @ ("422" | "444") => pixel_format::planar(chroma, depth),
        _ => pixel_format::planar("420", depth),
    }
}

/// The formats in which a picture and what is laid over it meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Meeting {
    /// The picture's, as the filter `overlay` calls it.
    pub(super) picture: &'static str,
    /// The pixel format of what is laid over it.
    pub(super) over: &'static str,
}

/// The first of these pixel formats in which this ffmpeg lays something over the picture.
///
/// # Errors
/// If it can do so in none of them; the input is at fault.
pub(super) fn meeting(
    task: &Task<'_>,
    picture: &Picture,
    formats: &[&str],
) -> Result<Meeting, Failure> {
    let of = |format: &&str| overlaid(task, picture.is_rgb, format);
    formats.iter().find_map(of).ok_or_else(|| {
        let what = if picture.is_rgb { "RGB" } else { "4:4:4" };
        Failure::input(format!(
            "video track {} is {what} of more than 8 bits, and this worker's ffmpeg lays nothing over that without a loss: \
             choose --bit-depth 8 or --chroma 420, or leave out --burn-in and --watermark",
            task.film.index
        ))
    })
}

fn overlaid(task: &Task<'_>, is_rgb: bool, format: &str) -> Option<Meeting> {
    let is_deep = bit_depth(format) > 8;
    let (picture, over) = match (pixel_format::chroma(format), is_deep) {
        _ if is_rgb && is_deep => return None,
        _ if is_rgb => ("gbrp", "gbrap"),
        ("444", true) if !task.build.overlays_deep_444() => return None,
        ("444", true) => ("yuv444p10", "yuva444p10le"),
        ("444", false) => ("yuv444", "yuva444p"),
        ("422", true) => ("yuv422p10", "yuva422p10le"),
        ("422", false) => ("yuv422", "yuva422p"),
        (_, true) => ("yuv420p10", "yuva420p10le"),
        (_, false) => ("yuv420", "yuva420p"),
    };
    Some(Meeting { picture, over })
}

/// The share of the signal that white of SDR gets on a film: in HDR, white is as bright as paper (203 cd/m², BT.2408),
/// and not as the sun.
pub(super) fn white_on(film: &Stream) -> f64 {
    match &film.colour {
        colour if colour.is_pq() => 0.58,
        colour if colour.is_hlg() => 0.75,
        _ => 1.0,
    }
}
