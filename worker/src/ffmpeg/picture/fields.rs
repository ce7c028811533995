//! Interlaced films. They are encoded interlaced if the encoder can do that, and deinterlaced otherwise, because
//! fields that are encoded as progressive frames show combs.

use common::job::changes::{Change, Kind};

use super::{Picture, Task, pixel_format};

/// Makes one frame of every two fields. Frames that are already progressive pass unchanged.
const DEINTERLACE: &str = "bwdif=mode=send_frame:deint=interlaced";

/// The options that make an encoder keep fields.
struct Coding {
    /// Values of ffmpeg's option `flags`.
    flags: &'static str,
    /// Entries of the encoder's own parameter list.
    params: &'static [&'static str],
}

pub(super) fn keep(task: &Task<'_>, picture: &mut Picture) {
    let Task {
        film,
        video,
        encoder,
        ..
    } = task;
    let has_field_filters = video
        .filters
        .as_ref()
        .is_some_and(|filters| filters.touch_fields());
    // Nothing is known of an encoder outside the catalogue.
    if !film.is_interlaced || has_field_filters || encoder.codec().is_none() {
        return;
    }
    let why = match coding(task) {
        Some(_) if task.is_scaled() => "fields cannot be scaled".to_owned(),
        Some(coding) => {
            if !coding.flags.is_empty() {
                picture.option("flags", coding.flags);
            }
            picture
                .params
                .extend(coding.params.iter().map(ToString::to_string));
            return;
        }
        None => format!("{encoder} codes no fields of this picture"),
    };
    picture.filters.push(DEINTERLACE.to_owned());
    let order = if film.is_bottom_first {
        "fields, bottom first"
    } else {
        "fields, top first"
    };
    picture.changes.push(Change::converted(
        Kind::Interlacing,
        film.index,
        order,
        "whole frames",
        why,
    ));
}

fn coding(task: &Task<'_>) -> Option<Coding> {
    let film = task.film;
    let (_, height) = task.shown();
    let both = "+ildct+ilme";
    let coding = |flags, params| Some(Coding { flags, params });
    match task.encoder.as_str() {
        // libx264 takes fields of 4:2:0 only if each field has an even number of lines.
        "libx264"
            if !height.is_multiple_of(4) && pixel_format::chroma(&film.pixel_format) == "420" =>
        {
            None
        }
        // Each frame says which field comes first, but mp4 and mov take the order from these parameters.
        "libx264" if film.is_bottom_first => coding(both, &["bff=1"]),
        "libx264" => coding(both, &["tff=1"]),
        "mpeg2video" | "mpeg4" => coding(both, &[]),
        "prores_ks" | "prores" | "prores_aw" => coding("+ildct", &[]),
        "ffv1" => coding("", &[]),
        _ => None,
    }
}
