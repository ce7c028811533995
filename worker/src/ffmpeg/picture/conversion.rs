//! What the conversions of colours have in common.

use common::farm::card::bit_depth;
use common::job::failure::Failure;

use super::{Picture, Task, pixel_format};

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

/// A planar format that loses nothing before the conversion to the encoded format.
pub(super) fn intermediate(task: &Task<'_>, picture: &Picture) -> String {
    let source = task.film.pixel_format.as_str();
    let to = picture.pixel_format.as_deref().unwrap_or(source);
    if to.starts_with("yuva") {
        return to.to_owned();
    }
    let depth = bit_depth(to);
    match pixel_format::chroma(to) {
        chroma @ ("422" | "444") => pixel_format::planar(chroma, depth),
        _ => pixel_format::planar("420", depth),
    }
}
