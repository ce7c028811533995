//! The pixel format in which a film is encoded.

use common::farm::card::bit_depth;
use common::job::changes::{Change, Kind};
use common::job::failure::Failure;
use common::recipe::Chroma;

use super::pixel_format::{chroma, is_rgb};
use super::{Picture, Task, alpha};

/// Chooses the pixel format, or leaves the choice to ffmpeg if the encoder can take the source's format unchanged.
///
/// # Errors
/// If the encoder does not support the required bit depth or 4:2:0; the input is at fault.
pub(super) fn choose(task: &Task<'_>, picture: &mut Picture) -> Result<(), Failure> {
    let Task { film, video, .. } = task;
    let has_pix_fmt = video
        .arguments
        .iter()
        .any(|argument| argument.option() == "pix_fmt");
    let asks = video.bit_depth.is_some() || video.chroma != Chroma::Keep;
    if has_pix_fmt || (film.pixel_format.is_empty() && !asks) {
        return Ok(());
    }
    picture.pixel_format = match alpha::format(task) {
        Some(format) => format,
        None => opaque(task, asks)?.map(str::to_owned),
    };
    if let Some(to) = &picture.pixel_format {
        report(task, to, &mut picture.changes);
    }
    Ok(())
}

/// The format of pictures without transparency.
fn opaque<'a>(task: &'a Task<'_>, asks: bool) -> Result<Option<&'a str>, Failure> {
    let Task {
        film,
        video,
        encoder,
        proof,
        ..
    } = task;
    let depth = video.bit_depth.map_or(film.depth(), u8::from);
    let depths = || proof.pixel_formats.iter().map(|format| bit_depth(format));
    // A greater depth than the source's loses nothing. ProRes, for example, has no 8 bits.
    let output_depth = if video.bit_depth.is_some() {
        depths().find(|output_depth| *output_depth == depth)
    } else {
        let enough = depths().filter(|output_depth| *output_depth >= depth).min();
        // Nearly no encoder supports 12 bits or more. On any screen, 10 bits look the same.
        enough.or_else(|| depths().max().filter(|most| depth > 10 && *most >= 10))
    };
    let Some(output_depth) = output_depth else {
        let most = depths().max().unwrap_or(8);
        let whose = if video.bit_depth.is_some() {
            "asked for"
        } else {
            "as in the source"
        };
        return Err(Failure::input(format!(
            "{encoder} here makes no {depth}-bit pictures, {whose}: choose --bit-depth {most} or another encoder"
        )));
    };
    if !encoder.kind().is_hardware() && !asks && output_depth >= depth {
        return Ok(None);
    }
    let wanted = match video.chroma {
        Chroma::Keep => chroma(&film.pixel_format),
        Chroma::Yuv420 => "420",
    };
    let formats = || {
        proof
            .pixel_formats
            .iter()
            .map(String::as_str)
            .filter(|format| bit_depth(format) == output_depth)
    };
    let found = formats().find(|format| chroma(format) == wanted);
    if found.is_none() && video.chroma == Chroma::Yuv420 {
        return Err(Failure::input(format!(
            "{encoder} here makes no 4:2:0 pictures: choose --chroma keep or another encoder"
        )));
    }
    Ok(found.or_else(|| formats().next()))
}

/// Reports a smaller bit depth or coarser chroma.
fn report(task: &Task<'_>, to: &str, changes: &mut Vec<Change>) {
    let Task {
        film,
        video,
        encoder,
        ..
    } = task;
    let from = film.pixel_format.as_str();
    // A larger number keeps more chroma samples.
    let fineness = |format: &str| match chroma(format) {
        "444" => 3,
        "422" => 2,
        "440" => 2,
        _ => 1,
    };
    let is_shallower = bit_depth(to) < bit_depth(from);
    if !is_shallower && fineness(to) >= fineness(from) {
        return;
    }
    let is_asked = video.bit_depth.is_some() || video.chroma != Chroma::Keep;
    let mut why = if is_asked {
        "the recipe asks for it".to_owned()
    } else {
        format!("it is the nearest that {encoder} makes with this ffmpeg")
    };
    if is_shallower && task.stays_hdr() {
        why.push_str("; HDR of 8 bits shows bands: --hdr sdr maps it to what every screen shows");
    }
    let change = Change::converted(Kind::Colour, film.index, describe(from), describe(to), why);
    // A recipe that asks for 8 bits does not ask for banding.
    let is_wanted = is_asked && !(is_shallower && task.stays_hdr());
    changes.push(if is_wanted { change.wanted() } else { change });
}

/// For example `10 bit 4:2:0`.
fn describe(format: &str) -> String {
    let sampling = if is_rgb(format) {
        "RGB".to_owned()
    } else {
        let digits: Vec<String> = chroma(format).chars().map(String::from).collect();
        digits.join(":")
    };
    format!("{} bit {sampling}", bit_depth(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_described_by_depth_and_chroma() {
        for (format, sampling) in [
            ("yuv420p", "420"),
            ("p010le", "420"),
            ("nv12", "420"),
            ("yuv444p10le", "444"),
            ("p410le", "444"),
            ("p210le", "422"),
            ("gbrp", "444"),
            ("rgba64be", "444"),
            ("yuva422p", "422"),
            ("yuv411p", "411"),
        ] {
            assert_eq!(chroma(format), sampling, "{format}");
        }
        assert_eq!(describe("yuv422p10le"), "10 bit 4:2:2");
        assert_eq!(describe("gbrp"), "8 bit RGB");
    }
}
