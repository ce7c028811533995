//! What pictures hold: their shape, colours, HDR, fields, transparency, captions and times.

use common::job::changes::{Change, Fate, Kind};

use crate::attempt::changes::{Pair, asked};
use crate::ffmpeg::probe::media::{DolbyVision, Hdr10, Media, Stream, StreamKind};
use crate::ffmpeg::tracks::{Means, Track};

/// Parts of a shape by which it may differ: sizes are rounded to whole and to even pixels.
const SHAPE: f64 = 0.015;
/// Parts of a frame rate by which it may differ: containers round times.
const RATE: f64 = 0.01;
/// Pixels down from which players that are told nothing take a picture for HDTV.
const HDTV: u32 = 720;

/// Compares what pictures hold.
pub(crate) fn compare(list: &mut Vec<Change>, pair: &Pair<'_>, output: &Media, tracks: &[Track]) {
    let mut told = Vec::new();
    told.extend(rotation(pair));
    told.extend(aspect(pair));
    told.extend(colours(pair));
    told.extend(hdr10(pair));
    told.extend(presence(
        pair,
        Kind::Hdr10plus,
        |film| film.has_hdr10plus,
        "dynamic metadata",
    ));
    told.extend(dolby_vision(pair));
    told.extend(presence(
        pair,
        Kind::Hlg,
        |film| film.colour.is_hlg(),
        "HLG",
    ));
    told.extend(interlacing(pair));
    told.extend(presence(
        pair,
        Kind::Alpha,
        |film| film.has_alpha,
        "transparency",
    ));
    told.extend(captions(pair, output, tracks));
    told.extend(timing(pair));
    for mut change in told {
        if change.fate != Fate::Kept && asked::changes(pair.recipe, change.kind) {
            change = change.wanted();
            change.why = Some("by what the recipe asks for".to_owned());
        }
        list.push(change);
    }
}

/// A thing that is there, or not.
fn presence(
    pair: &Pair<'_>,
    kind: Kind,
    has: impl Fn(&Stream) -> bool,
    name: &str,
) -> Option<Change> {
    let index = pair.source.index;
    has(pair.source).then(|| {
        if has(pair.made) {
            Change::kept(kind, index, name)
        } else {
            Change::lost(kind, index, name, pair.wrote_none())
        }
    })
}

fn rotation(pair: &Pair<'_>) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let text = |film: &Stream| match (film.rotation, film.is_mirrored) {
        (0, true) => "mirrored".to_owned(),
        (degrees, true) => format!("{degrees}° and mirrored"),
        (degrees, false) => format!("{degrees}°"),
    };
    let is_turned = |film: &Stream| film.rotation != 0 || film.is_mirrored;
    if !is_turned(source) {
        return None;
    }
    let (index, from) = (source.index, text(source));
    Some(
        if (made.rotation, made.is_mirrored) == (source.rotation, source.is_mirrored) {
            Change::kept(Kind::Rotation, index, from)
        } else if pair.by == Means::Video && !is_turned(made) {
            let why = "the pictures themselves were turned";
            Change::converted(Kind::Rotation, index, from, "upright pictures", why)
        } else {
            Change::lost(Kind::Rotation, index, from, pair.wrote_none())
        },
    )
}

/// Told where pixels are not square, or the shape has changed.
fn aspect(pair: &Pair<'_>) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let pixel = |film: &Stream| film.sample_aspect.map_or(1.0, |ratio| ratio.value());
    let shape = |film: &Stream| {
        let shape = f64::from(film.width) * pixel(film) / f64::from(film.height.max(1));
        if film.rotation.is_multiple_of(180) {
            shape
        } else {
            1.0 / shape
        }
    };
    if source.width == 0 || made.width == 0 {
        return None;
    }
    let text = |film: &Stream| {
        let (width, height) = film.shown();
        match film.sample_aspect.filter(|ratio| ratio.value() != 1.0) {
            Some(ratio) => format!(
                "{width}x{height}, pixels {}:{}",
                ratio.numerator, ratio.denominator
            ),
            None => format!("{width}x{height}"),
        }
    };
    let (before, after) = (shape(source), shape(made));
    // Of small pictures, a pixel more or less is much.
    let least = f64::from(made.width.min(made.height)).max(1.0);
    let is_same = (before - after).abs() / before <= SHAPE.max(2.0 / least);
    if is_same && pixel(source) == 1.0 {
        return None;
    }
    let index = source.index;
    Some(if is_same && (pixel(made) - pixel(source)).abs() < SHAPE {
        Change::kept(Kind::Aspect, index, text(source))
    } else if is_same {
        let why = "the same shape of other pixels";
        Change::converted(Kind::Aspect, index, text(source), text(made), why)
    } else {
        let why = "the picture is shown in another shape";
        let change = Change::lost(Kind::Aspect, index, text(source), why);
        Change {
            to: Some(text(made)),
            ..change
        }
    })
}

/// What colours mean and how finely they are sampled. Told as kept only where the source says what they mean.
fn colours(pair: &Pair<'_>) -> Vec<Change> {
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
            asked::lessens_depth(pair.recipe, source),
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
    let mut said = false;
    for (name, from, to, taken) in [
        ("primaries", &before.primaries, &after.primaries, "bt709"),
        ("transfer", &before.transfer, &after.transfer, "bt709"),
        ("matrix", &before.matrix, &after.matrix, "bt709"),
    ] {
        if from.is_empty() || (name == "matrix" && from == "gbr") {
            continue;
        }
        said = true;
        // What HDTV has is taken for granted where nothing is said.
        let is_taken = to.is_empty() && from == taken && made.height >= HDTV;
        let to_text = if to.is_empty() {
            String::new()
        } else {
            format!("{name} {to}")
        };
        let is_same = from == to || is_taken;
        compare(
            format!("{name} {from}"),
            to_text,
            is_same,
            false,
            "the pictures were converted",
        );
    }
    if said && !kept.is_empty() {
        changes.push(Change::kept(Kind::Colour, index, kept.join(", ")));
    }
    changes
}

/// How colour is sampled against brightness.
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

/// Order of what a sampling can hold.
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

fn hdr10(pair: &Pair<'_>) -> Option<Change> {
    let (before, after) = (&pair.source.hdr10, &pair.made.hdr10);
    let index = pair.source.index;
    if before.is_empty() {
        return None;
    }
    let lost = Hdr10 {
        mastering: before.mastering.filter(|_| after.mastering.is_none()),
        light: before.light.filter(|_| after.light.is_none()),
    };
    Some(if !lost.is_empty() {
        Change::lost(Kind::Hdr10, index, hdr10_text(&lost), pair.wrote_none())
    } else if is_same_light(before, after) {
        Change::kept(Kind::Hdr10, index, hdr10_text(before))
    } else {
        let why = "the output says other figures";
        Change::converted(
            Kind::Hdr10,
            index,
            hdr10_text(before),
            hdr10_text(after),
            why,
        )
    })
}

fn hdr10_text(hdr10: &Hdr10) -> String {
    let mastering = hdr10.mastering.map(|mastering| match mastering.luminance {
        Some((_, most)) => format!("mastering display of {} cd/m²", most / 10_000),
        None => "mastering display".to_owned(),
    });
    let light = hdr10
        .light
        .map(|light| format!("content light {}/{}", light.max, light.average));
    let parts: Vec<String> = mastering.into_iter().chain(light).collect();
    parts.join(", ")
}

/// Whether two descriptions are the same but for rounding.
fn is_same_light(before: &Hdr10, after: &Hdr10) -> bool {
    let near = |one: u32, other: u32, by: u32| one.abs_diff(other) <= by;
    let mastering = match (before.mastering, after.mastering) {
        (Some(before), Some(after)) => {
            let points = match (before.chromaticities, after.chromaticities) {
                (Some(before), Some(after)) => before
                    .iter()
                    .zip(after)
                    .all(|(one, other)| near(one.0, other.0, 5) && near(one.1, other.1, 5)),
                (None, _) => true,
                (Some(_), None) => false,
            };
            let luminance = match (before.luminance, after.luminance) {
                (Some(before), Some(after)) => {
                    near(before.0, after.0, 5) && near(before.1, after.1, before.1 / 1000)
                }
                (None, _) => true,
                (Some(_), None) => false,
            };
            points && luminance
        }
        _ => true,
    };
    mastering && (before.light.is_none() || before.light == after.light)
}

fn dolby_vision(pair: &Pair<'_>) -> Option<Change> {
    let text = |record: DolbyVision| {
        let layer = if record.has_enhancement_layer {
            " with enhancement layer"
        } else {
            ""
        };
        match (record.profile, record.compatibility) {
            (0, _) => format!("RPU{layer}"),
            (profile, 0) => format!("profile {profile}{layer}"),
            (profile, compatibility) => format!("profile {profile}.{compatibility}{layer}"),
        }
    };
    let before = pair.source.dolby_vision?;
    let (index, from) = (pair.source.index, text(before));
    Some(match pair.made.dolby_vision {
        Some(after) if text(after) == from => Change::kept(Kind::DolbyVision, index, from),
        Some(after) => {
            let why = "the output is of another profile";
            Change::converted(Kind::DolbyVision, index, from, text(after), why)
        }
        None => Change::lost(Kind::DolbyVision, index, from, pair.wrote_none()),
    })
}

fn interlacing(pair: &Pair<'_>) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let order = match source.field_order.as_str() {
        "tt" | "tb" => "top field first",
        "bb" | "bt" => "bottom field first",
        _ => "fields",
    };
    source.is_interlaced.then(|| {
        if made.is_interlaced {
            Change::kept(Kind::Interlacing, source.index, order)
        } else {
            let why = "the output is coded as whole frames";
            Change::lost(Kind::Interlacing, source.index, order, why)
        }
    })
}

fn captions(pair: &Pair<'_>, output: &Media, tracks: &[Track]) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let index = source.index;
    let from = "closed captions";
    let extracted = || {
        let mut subtitles = output.streams.iter();
        tracks
            .iter()
            .any(|track| matches!(track.by, Means::Captions(_)))
            && subtitles.any(|stream| stream.kind == StreamKind::Subtitle)
    };
    source.has_captions.then(|| {
        if made.has_captions {
            Change::kept(Kind::Captions, index, from)
        } else if extracted() {
            let change =
                Change::converted(Kind::Captions, index, from, "subtitles", "as asked for");
            change.wanted()
        } else {
            Change::lost(Kind::Captions, index, from, pair.wrote_none())
        }
    })
}

/// Whether frames still come at one rate, and at the same.
fn timing(pair: &Pair<'_>) -> Option<Change> {
    let Pair { source, made, .. } = *pair;
    let mean = |film: &Stream| film.mean_rate.map(|rate| rate.value());
    let (before, after) = (mean(source)?, mean(made)?);
    let text = |film: &Stream, mean: f64| {
        let rate = format!("{}", (mean * 1000.0).round() / 1000.0);
        if is_constant(film) {
            format!("{rate} fps")
        } else {
            format!("variable rate of {rate} fps")
        }
    };
    let (index, from, to) = (source.index, text(source, before), text(made, after));
    let is_even = !is_constant(source) || is_constant(made);
    let keeps_frames = pair
        .recipe
        .video_encode()
        .is_none_or(|video| video.keeps_frames());
    Some(if !is_even {
        let why = "the output's frames come at uneven times";
        Change::converted(Kind::Timing, index, from, to, why)
    } else if !keeps_frames && (before - after).abs() > RATE * before {
        Change::converted(Kind::Timing, index, from, to, "the recipe changes frames")
    } else {
        Change::kept(Kind::Timing, index, from)
    })
}

/// Whether all frames are shown equally long, as far as the container tells: of fields, there are two a frame.
fn is_constant(film: &Stream) -> bool {
    let rates = film.base_rate.zip(film.mean_rate);
    rates.is_none_or(|(base, mean)| {
        let times = base.value() / mean.value();
        (times - 1.0).abs() < RATE || (times - 2.0).abs() < 2.0 * RATE
    })
}
