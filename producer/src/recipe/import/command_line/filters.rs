//! `-vf`: the filters of a picture.

use common::recipe::{BitDepth, Chroma, Filters, Scale, VideoEncode};

use super::super::LeftOut;

/// Takes over a chain. Filters for which a recipe has a field of its own become that field if they are alone in what
/// they do; the others stay a chain.
pub(super) fn read(encode: &mut VideoEncode, chain: &str, left_out: &mut LeftOut) {
    let mut rest = Vec::new();
    let filters = split(chain);
    for filter in filters.iter().map(|filter| filter.trim()) {
        if field(encode, filter) {
            continue;
        }
        let (name, _) = filter.split_once('=').unwrap_or((filter, ""));
        match (filter.parse::<Filters>(), name) {
            (Ok(_), _) => rest.push(filter),
            (_, "subtitles" | "ass") => left_out.add(filter, "subtitles are drawn by --burn-in"),
            (_, "lut3d") => left_out.add(filter, "a colour table is named by --lut"),
            (_, "overlay" | "movie") => {
                left_out.add(filter, "a picture is laid over by --watermark")
            }
            _ => left_out.add(filter, "the filter is not allowed here"),
        }
    }
    if rest.is_empty() {
        return;
    }
    let chain = rest.join(",");
    match chain.parse() {
        Ok(filters) => encode.filters = Some(filters),
        Err(error) => left_out.add(chain, &format!("{error}")),
    }
}

/// The filters of a chain; commas in quotes or behind a backslash are none of its ends.
fn split(chain: &str) -> Vec<String> {
    let mut filters = vec![String::new()];
    let (mut is_quoted, mut is_escaped) = (false, false);
    for c in chain.chars() {
        match c {
            ',' if !is_quoted && !is_escaped => filters.push(String::new()),
            _ => {
                is_quoted ^= c == '\'' && !is_escaped;
                is_escaped = c == '\\' && !is_escaped;
                if let Some(last) = filters.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    filters.retain(|filter| !filter.trim().is_empty());
    filters
}

/// Whether the filter became a field.
fn field(encode: &mut VideoEncode, filter: &str) -> bool {
    let (name, options) = filter.split_once('=').unwrap_or((filter, ""));
    match name {
        "scale" => {
            let (sides, others): (Vec<&str>, Vec<&str>) = options.split(':').partition(|option| {
                !option.contains('=') || option.starts_with("w=") || option.starts_with("h=")
            });
            let side = |place: usize| {
                let text = sides.get(place)?;
                let text = text.trim_start_matches("w=").trim_start_matches("h=");
                Some(if text == "-1" { "-2" } else { text })
            };
            let is_plain = others.iter().all(|option| option.starts_with("flags="));
            let scale = side(0).zip(side(1));
            let scale = scale.and_then(|(width, height)| format!("{width}x{height}").parse().ok());
            let scale = scale.filter(|_| is_plain && sides.len() == 2 && encode.scale.is_none());
            if let Some(scale) = scale {
                encode.scale = Some(scale);
                // `-2:720` enlarges with ffmpeg, too.
                encode.scale_up = !matches!(scale, Scale::Exact(..));
            }
            scale.is_some()
        }
        "fps" => match options.trim_start_matches("fps=").parse() {
            Ok(rate) if !options.contains(':') => {
                encode.frame_rate = rate;
                true
            }
            _ => false,
        },
        "format" => match options.trim_start_matches("pix_fmts=") {
            "yuv420p" => {
                (encode.bit_depth, encode.chroma) = (Some(BitDepth::Eight), Chroma::Yuv420);
                true
            }
            "yuv420p10le" | "yuv420p10" | "p010le" => {
                (encode.bit_depth, encode.chroma) = (Some(BitDepth::Ten), Chroma::Yuv420);
                true
            }
            _ => false,
        },
        _ => false,
    }
}
