//! What is done to pictures before they are encoded: filters, size, pixel format.

use common::card::{Proof, bit_depth};
use common::encoder::Encoder;
use common::failure::Failure;
use common::recipe::{Scale, VideoEncode};

use super::media::Stream;
use super::rate;

/// The chain of filters; empty where nothing is to be done to pictures.
pub(super) fn filters(
    film: &Stream,
    video: &VideoEncode,
    encoder: &Encoder,
    upload: Option<&str>,
) -> String {
    let mut chain = Vec::new();
    if let Some(filters) = &video.filters {
        chain.push(filters.to_string());
    }
    match video.scale {
        Some(Scale { width, height }) => {
            let side =
                |pixels: Option<u32>| pixels.map_or("-2".to_owned(), |pixels| pixels.to_string());
            chain.push(format!("scale={}:{}", side(width), side(height)));
        }
        // Sizes after filters are not known, and a crop to the same size costs nothing.
        None => {
            let odd = film.width % 2 == 1 || film.height % 2 == 1 || video.filters.is_some();
            if odd && rate::needs_even_size(encoder) {
                chain.push("crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0".to_owned());
            }
        }
    }
    if let Some(format) = upload {
        chain.push(format!("format={format},hwupload"));
    }
    chain.join(",")
}

/// The pixel format to ask for; `None` leaves it to ffmpeg, which keeps the
/// source's as far as the encoder knows it.
pub(super) fn pixel_format<'a>(
    film: &Stream,
    video: &VideoEncode,
    encoder: &Encoder,
    proof: &'a Proof,
) -> Result<Option<&'a str>, Failure> {
    let told = video
        .arguments
        .iter()
        .any(|argument| argument.option() == "pix_fmt");
    if told || (film.pixel_format.is_empty() && video.bit_depth.is_none()) {
        return Ok(None);
    }
    let depth = video.bit_depth.map_or(film.depth(), u8::from);
    let depths = || proof.pixel_formats.iter().map(|format| bit_depth(format));
    // What makes only deeper pictures (ProRes) loses nothing of shallower ones.
    let made = if video.bit_depth.is_some() {
        depths().find(|made| *made == depth)
    } else {
        depths().filter(|made| *made >= depth).min()
    };
    let Some(made) = made else {
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
    if !encoder.kind().is_hardware() && video.bit_depth.is_none() {
        return Ok(None);
    }
    let formats = || {
        proof
            .pixel_formats
            .iter()
            .map(String::as_str)
            .filter(|format| bit_depth(format) == made)
    };
    let wanted = chroma(&film.pixel_format);
    Ok(formats()
        .find(|format| chroma(format) == wanted)
        .or_else(|| formats().next()))
}

/// How a pixel format samples colour, in the usual notation.
fn chroma(format: &str) -> &'static str {
    ["444", "422", "440", "411", "410"]
        .into_iter()
        .find(|kind| format.contains(kind))
        .unwrap_or("420")
}
