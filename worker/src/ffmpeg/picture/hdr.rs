//! Metadata of high dynamic range: HDR10, HDR10+ and Dolby Vision.

use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::encoder::Encoder;
use common::recipe::{Container, Hdr};

use super::{Picture, Task};
use crate::ffmpeg::probe::media::{ContentLight, DolbyVision, Hdr10, MasteringDisplay};

/// Lets ffmpeg write Dolby Vision, which the containers' standards do not define.
pub(in crate::ffmpeg) const UNOFFICIAL: &str = "-strict unofficial";

/// Refuses a film of high dynamic range if the recipe says so.
///
/// # Errors
/// The input is at fault.
pub(super) fn refuse(task: &Task<'_>) -> Result<(), Failure> {
    let Task { film, video, .. } = task;
    if video.hdr != Hdr::Refuse {
        return Ok(());
    }
    let kinds = [
        (film.colour.is_pq() || !film.hdr10.is_empty(), "HDR10 (PQ)"),
        (film.colour.is_hlg(), "HLG"),
        (film.has_hdr10plus, "HDR10+"),
        (film.dolby_vision.is_some(), "Dolby Vision"),
    ];
    let kinds = kinds.iter().filter(|(is_there, _)| *is_there);
    let kinds: Vec<&str> = kinds.map(|(_, name)| *name).collect();
    if kinds.is_empty() {
        return Ok(());
    }
    Err(Failure::input(format!(
        "video track {} has high dynamic range ({}), which the recipe refuses: choose --hdr keep or --hdr sdr",
        film.index,
        kinds.join(", ")
    )))
}

/// # Errors
/// If the picture needs its Dolby Vision metadata for correct colours and the encode would lose the metadata; the
/// input is at fault.
pub(super) fn keep(task: &Task<'_>, picture: &mut Picture) -> Result<(), Failure> {
    let film = task.film;
    let is_kept = task.stays_hdr();
    let mut lose = |kind, from: &str, why: &str| {
        picture.changes.push(lost(task, kind, from, why));
    };
    let encoder = task.encoder;
    if !film.hdr10.is_empty() {
        if !is_kept {
            lose(Kind::Hdr10, "HDR10", "SDR has none");
        } else if let Some(params) = params(task, &film.hdr10) {
            picture.params.extend(params);
        } else if !task.build.hands_frame_data_on() {
            let why = format!("{encoder} of this ffmpeg writes none");
            lose(Kind::Hdr10, "HDR10", &why);
        }
    }
    let mut lose = |kind, from: &str, why: &str| {
        picture.changes.push(lost(task, kind, from, why));
    };
    if film.has_hdr10plus {
        let in_matroska = matches!(task.container, Container::Mkv | Container::Webm)
            && matches!(encoder.as_str(), "libvpx-vp9" | "libaom-av1")
            && task.build.hands_frame_data_on();
        if !is_kept {
            lose(Kind::Hdr10plus, "HDR10+", "SDR has none");
        } else if !in_matroska {
            let why = format!("ffmpeg writes none with {encoder} in {}", task.container);
            lose(Kind::Hdr10plus, "HDR10+", &why);
        }
    }
    if let Some(vision) = film.dolby_vision {
        dolby_vision(task, vision, picture)?;
    }
    Ok(())
}

/// HDR10 as parameters of the encoder. `None` if the encoder has no such parameters.
fn params(task: &Task<'_>, hdr10: &Hdr10) -> Option<Vec<String>> {
    let whole = |display: &MasteringDisplay| {
        let [red, green, blue, white] = display.chromaticities.unwrap_or_default();
        let point = |(x, y): (u32, u32)| format!("({x},{y})");
        let (least, most) = display.luminance.unwrap_or_default();
        format!(
            "G{}B{}R{}WP{}L({most},{least})",
            point(green),
            point(blue),
            point(red),
            point(white)
        )
    };
    let decimal = |display: &MasteringDisplay| {
        let [red, green, blue, white] = display.chromaticities.unwrap_or_default();
        let share = |value: u32| f64::from(value) / 50_000.0;
        let point = |(x, y): (u32, u32)| format!("({},{})", share(x), share(y));
        let (least, most) = display.luminance.unwrap_or_default();
        let candela = |value: u32| f64::from(value) / 10_000.0;
        format!(
            "G{}B{}R{}WP{}L({},{})",
            point(green),
            point(blue),
            point(red),
            point(white),
            candela(most),
            candela(least)
        )
    };
    let light = |light: &ContentLight| format!("{},{}", light.max, light.average);
    let mastering = hdr10.mastering.as_ref();
    let mut params = Vec::new();
    let (display, level) = match task.encoder.as_str() {
        "libx265" => {
            params.extend(["hdr10=1".to_owned(), "repeat-headers=1".to_owned()]);
            (
                mastering
                    .map(whole)
                    .map(|value| format!("master-display={value}")),
                "max-cll",
            )
        }
        "libx264" => (
            mastering
                .map(whole)
                .map(|value| format!("mastering-display={value}")),
            "cll",
        ),
        "libsvtav1" => (
            mastering
                .map(decimal)
                .map(|value| format!("mastering-display={value}")),
            "content-light",
        ),
        _ => return None,
    };
    params.extend(display);
    params.extend(
        hdr10
            .light
            .as_ref()
            .map(light)
            .map(|value| format!("{level}={value}")),
    );
    Some(params)
}

/// Keeps Dolby Vision if the encoder can write it and the picture stays as it was graded.
fn dolby_vision(
    task: &Task<'_>,
    vision: DolbyVision,
    picture: &mut Picture,
) -> Result<(), Failure> {
    let Task { video, encoder, .. } = task;
    let name = format!("Dolby Vision profile {}", vision.profile);
    let knows = matches!(encoder.as_str(), "libx265" | "libsvtav1")
        && task.build.hands_frame_data_on()
        && matches!(vision.profile, 5 | 8)
        && !vision.has_enhancement_layer;
    let is_deep = video.bit_depth.is_none_or(|depth| u8::from(depth) == 10);
    let why = if !task.stays_hdr() {
        "SDR has none".to_owned()
    } else if !knows {
        layers(vision, encoder)
    } else if task.is_altered() || !is_deep {
        "it was made for the picture as it was before the recipe changed it".to_owned()
    } else {
        picture.option("dolbyvision", "1");
        picture.has_dolby_vision = true;
        if encoder.as_str() == "libx265" {
            // x265 requires a rate limit here. This one is never reached.
            picture.params.extend([
                "vbv-maxrate=160000".to_owned(),
                "vbv-bufsize=160000".to_owned(),
            ]);
        }
        return Ok(());
    };
    // The base layer of profile 5 has colours that only Dolby Vision players can show.
    if vision.profile == 5 {
        return Err(Failure::input(format!(
            "{name} shows false colours without its metadata, which would be lost ({why}): choose --video copy"
        )));
    }
    picture
        .changes
        .push(lost(task, Kind::DolbyVision, &name, &why));
    Ok(())
}

/// A loss of HDR data. A recipe for SDR asks for it.
fn lost(task: &Task<'_>, kind: Kind, from: &str, why: &str) -> Change {
    let change = Change::lost(kind, task.film.index, from, why);
    if task.video.hdr == Hdr::Sdr {
        change.wanted()
    } else {
        change
    }
}

/// Why Dolby Vision of this profile is lost.
fn layers(vision: DolbyVision, encoder: &Encoder) -> String {
    let rest = match vision.compatibility {
        1 | 6 => "; what is left is its base layer, which is HDR10",
        2 => "; what is left is its base layer, which is SDR",
        4 => "; what is left is its base layer, which is HLG",
        _ => "",
    };
    if vision.has_enhancement_layer {
        format!("ffmpeg reads no enhancement layer, and does not convert this profile to 8.1{rest}")
    } else {
        format!("ffmpeg writes none of this profile with {encoder} here{rest}")
    }
}
