//! Compares the colour description, bit depth, chroma subsampling and range.

use common::job::changes::{Change, Kind};

use crate::attempt::changes::{Pair, wanted};
use crate::ffmpeg::probe::media::Stream;

/// From this height on, players assume the colours of HDTV for a picture without a colour description.
const HDTV: u32 = 720;

/// Compares the colours of a pair. Lists them as kept only if the source has a colour description.
pub(super) fn colours(pair: &Pair<'_>) -> Vec<Change> {
    let Pair { source, made, .. } = *pair;
    let index = source.index;
    let (mut changes, mut kept) = (Vec::new(), Vec::new());
    let mut compare = |from: String, to: String, is_same: bool, is_wanted: bool, why: &str| {
        if is_same {
            kept.push(from);
            return;
        }
        let change = if to.is_empty() {
            Change::lost(Kind::Colour, index, from, pair.wrote_none())
        } else {
            Change::converted(Kind::Colour, index, from, to, why)
        };
        changes.push(if is_wanted {
            Change {
                why: Some("as asked for".to_owned()),
                ..change.wanted()
            }
        } else {
            change
        });
    };
    let depth = |film: &Stream| format!("{} bits", film.depth());
    if !source.pixel_format.is_empty() && !made.pixel_format.is_empty() {
        compare(
            depth(source),
            depth(made),
            made.depth() >= source.depth(),
            wanted::lessens_depth(pair.recipe, source),
            "the encoder writes no more",
        );
        let (from, to) = (sampling(source), sampling(made));
        let is_same = fineness(to) >= fineness(from);
        let why = "the encoder does not write what the source has";
        compare(from.to_owned(), to.to_owned(), is_same, false, why);
    }
    let (from, to) = (range(source), range(made));
    if !source.pixel_format.is_empty() && sampling(source) != "RGB" {
        let is_same = from == to;
        compare(
            from.to_owned(),
            to.to_owned(),
            is_same,
            false,
            "ffmpeg has changed the range",
        );
    }
    let (before, after) = (&source.colour, &made.colour);
    let mut is_described = false;
    for (name, from, to, usual) in [
        ("primaries", &before.primaries, &after.primaries, "bt709"),
        ("transfer", &before.transfer, &after.transfer, "bt709"),
        ("matrix", &before.matrix, &after.matrix, "bt709"),
    ] {
        if from.is_empty() || (name == "matrix" && from == "gbr") {
            continue;
        }
        is_described = true;
        // The description of HDTV may be missing, because players assume it.
        let is_implied = to.is_empty() && from == usual && made.height >= HDTV;
        let to_text = if to.is_empty() {
            String::new()
        } else {
            format!("{name} {to}")
        };
        let is_same = from == to || is_implied;
        compare(
            format!("{name} {from}"),
            to_text,
            is_same,
            false,
            "the pictures were converted",
        );
    }
    if is_described && !kept.is_empty() {
        changes.push(Change::kept(Kind::Colour, index, kept.join(", ")));
    }
    changes
}

/// The chroma subsampling of a pixel format.
fn sampling(film: &Stream) -> &'static str {
    let format = film.pixel_format.as_str();
    let is_rgb = [
        "rgb", "bgr", "gbr", "argb", "abgr", "0rgb", "0bgr", "pal8", "x2rgb",
    ]
    .iter()
    .any(|beginning| format.starts_with(beginning));
    if is_rgb {
        return "RGB";
    }
    if format.starts_with("gray") || format.starts_with("mono") || format.starts_with("ya") {
        return "grey";
    }
    ["4:4:4", "4:2:2", "4:4:0", "4:1:1", "4:1:0"]
        .into_iter()
        .find(|sampling| format.contains(&sampling.replace(':', "")))
        .unwrap_or(match format {
            format
                if ["yuyv", "uyvy", "yvyu", "nv16", "nv20", "p210", "y210"]
                    .iter()
                    .any(|name| format.starts_with(name)) =>
            {
                "4:2:2"
            }
            format
                if ["nv24", "nv42", "ayuv", "vuy", "xv30", "xv36", "p410"]
                    .iter()
                    .any(|name| format.starts_with(name)) =>
            {
                "4:4:4"
            }
            _ => "4:2:0",
        })
}

/// Orders subsamplings by how much colour they can hold.
fn fineness(sampling: &str) -> u8 {
    match sampling {
        "RGB" => 6,
        "4:4:4" => 5,
        "4:2:2" | "4:4:0" => 4,
        "4:2:0" | "4:1:1" => 3,
        "4:1:0" => 2,
        _ => 1,
    }
}

fn range(film: &Stream) -> &'static str {
    if film.colour.range == "pc" || film.pixel_format.starts_with("yuvj") {
        "full range"
    } else {
        "limited range"
    }
}
