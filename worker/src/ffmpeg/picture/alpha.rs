//! Transparency: kept, or composed onto black.

use common::job::changes::{Change, Kind};
use common::recipe::{BitDepth, Chroma, Container};

use super::{Picture, Task, pixel_format};

/// The pixel format that keeps the transparency. `Some(None)` lets ffmpeg choose the format. `None` means that the
/// film has no transparency, or that the encoder cannot keep it.
pub(super) fn format(task: &Task<'_>) -> Option<Option<String>> {
    let Task {
        film,
        video,
        container,
        ..
    } = task;
    if !film.has_alpha || !is_seen(task) {
        return None;
    }
    let is_deep = video
        .bit_depth
        .map_or(film.depth() > 8, |depth| depth == BitDepth::Ten);
    let is_profile = |names: &[&str]| {
        video
            .preset
            .as_ref()
            .is_none_or(|preset| names.contains(&preset.as_str()))
    };
    match task.encoder.as_str() {
        // Only Matroska can hold this encoder's transparency: in additional data beside the picture.
        "libvpx-vp9" | "libvpx" if matches!(container, Container::Mkv | Container::Webm) => {
            Some(Some("yuva420p".to_owned()))
        }
        "prores_ks" if is_profile(&["4444", "4444xq", "auto"]) => {
            Some(Some("yuva444p10le".to_owned()))
        }
        "ffv1" if video.bit_depth.is_none() && video.chroma == Chroma::Keep => Some(None),
        "ffv1" => {
            let chroma = match video.chroma {
                Chroma::Yuv420 => "420",
                Chroma::Keep => pixel_format::chroma(&film.pixel_format),
            };
            let depth = if is_deep { "10le" } else { "" };
            Some(Some(format!("yuva{chroma}p{depth}")))
        }
        // The encoder is unknown, so the choice is left to ffmpeg.
        _ if task.encoder.codec().is_none() => Some(None),
        _ => None,
    }
}

/// Keeps the transparency, or composes the picture onto black. The colours of transparent pixels are not meant to be
/// seen.
pub(super) fn keep(task: &Task<'_>, picture: &mut Picture) {
    let Task { film, encoder, .. } = task;
    if !film.has_alpha {
        return;
    }
    picture.decoder = decoder(task);
    let is_kept = format(task).is_some();
    let in_matroska = matches!(encoder.as_str(), "libvpx-vp9" | "libvpx");
    // The tag says that Matroska holds the transparency beside the picture.
    if !(is_kept && in_matroska) {
        let tags = film.tags.keys();
        let tags = tags.filter(|tag| tag.eq_ignore_ascii_case("alpha_mode"));
        picture.cleared.extend(tags.cloned());
    }
    if is_kept {
        if encoder.as_str() == "libvpx" {
            picture.option("auto-alt-ref", "0");
        }
        return;
    }
    if is_seen(task) {
        let (with, without) = if pixel_format::is_rgb(&film.pixel_format) {
            ("gbrap", "gbrp".to_owned())
        } else {
            let without =
                pixel_format::planar(pixel_format::chroma(&film.pixel_format), film.depth());
            let is_deep = film.depth() > 8;
            let with = if is_deep { "yuva444p10le" } else { "yuva444p" };
            (with, without)
        };
        picture.filters.push(format!(
            "format={with},premultiply=inplace=1,format={without}"
        ));
    }
    let why = if is_seen(task) {
        format!("{encoder} in {} has none: it lies on black", task.container)
    } else {
        "this ffmpeg does not decode it".to_owned()
    };
    picture
        .changes
        .push(Change::lost(Kind::Alpha, film.index, "transparency", why));
}

/// The library that decodes transparency where ffmpeg's own decoder does not.
fn decoder(task: &Task<'_>) -> Option<&'static str> {
    let library = match task.film.codec.as_str() {
        "vp9" => "libvpx-vp9",
        "vp8" => "libvpx",
        _ => return None,
    };
    task.build.has_library(library).then_some(library)
}

/// Whether the decoder outputs the transparency.
fn is_seen(task: &Task<'_>) -> bool {
    !matches!(task.film.codec.as_str(), "vp9" | "vp8") || decoder(task).is_some()
}
