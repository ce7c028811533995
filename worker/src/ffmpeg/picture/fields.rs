//! Films of fields: coded as fields where the encoder can, else made whole frames, for fields that are coded as frames
//! show combs.

use common::job::changes::{Change, Kind};

use super::{Picture, Task, pixel_format};

/// One frame of each two fields, where a frame is of fields at all.
const DEINTERLACE: &str = "bwdif=mode=send_frame:deint=interlaced";

/// How an encoder codes fields.
struct Coding {
    /// Values of ffmpeg's `flags`.
    flags: &'static str,
    /// Of the encoder's own list.
    params: &'static [&'static str],
}

pub(super) fn keep(task: &Task<'_>, picture: &mut Picture) {
    let Task {
        film,
        video,
        encoder,
        ..
    } = task;
    let is_told = video
        .filters
        .as_ref()
        .is_some_and(|filters| filters.touch_fields());
    // An encoder outside the catalogue is not known.
    if !film.is_interlaced || is_told || encoder.codec().is_none() {
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
    let both = "+ildct+ilme";
    let coding = |flags, params| Some(Coding { flags, params });
    match task.encoder.as_str() {
        // It takes fields of 4:2:0 with an even number of lines only.
        "libx264"
            if !film.height.is_multiple_of(4)
                && pixel_format::chroma(&film.pixel_format) == "420" =>
        {
            None
        }
        // The frames say which field comes first, but mp4 and mov say what these do.
        "libx264" if film.is_bottom_first => coding(both, &["bff=1"]),
        "libx264" => coding(both, &["tff=1"]),
        "mpeg2video" | "mpeg4" => coding(both, &[]),
        "prores_ks" | "prores" | "prores_aw" => coding("+ildct", &[]),
        "ffv1" => coding("", &[]),
        _ => None,
    }
}
