//! What a HandBrake preset does to the picture.

use common::recipe::{
    Crop, Deinterlace, Denoise, DenoiseFilter, Filters, Hdr, Pad, Rotate, Scale, Strength,
    VideoEncode,
};

use super::LeftOut;
use super::fields::Fields;

/// Crop modes by number.
const AUTO: f64 = 0.0;
const LOOSE: f64 = 1.0;
const NONE: f64 = 2.0;

pub(super) fn read(fields: &mut Fields<'_>, encode: &mut VideoEncode, left_out: &mut LeftOut) {
    encode.crop = crop(fields);
    size(fields, encode, left_out);
    encode.rotate = rotate(fields, left_out);
    encode.deinterlace = deinterlace(fields, left_out);
    encode.detelecine = fields.word("PictureDetelecine").is_some();
    custom(
        fields,
        "PictureDetelecineCustom",
        encode.detelecine,
        left_out,
    );
    encode.denoise = denoise(fields, left_out);
    encode.sharpen = sharpen(fields, left_out);
    encode.deband = fields.word("PictureDebandPreset").is_some();
    custom(fields, "PictureDebandCustom", encode.deband, left_out);
    match fields.word("PictureColorspacePreset") {
        None => {}
        Some("bt709") => encode.hdr = Hdr::Sdr,
        Some(other) => left_out.add(
            format!("PictureColorspacePreset {other}"),
            "colours become BT.709 or stay as they are",
        ),
    }
    custom(
        fields,
        "PictureColorspaceCustom",
        encode.hdr == Hdr::Sdr,
        left_out,
    );
    for (preset, custom, tune) in [
        (
            "PictureDeblockPreset",
            "PictureDeblockCustom",
            "PictureDeblockTune",
        ),
        (
            "PictureChromaSmoothPreset",
            "PictureChromaSmoothCustom",
            "PictureChromaSmoothTune",
        ),
    ] {
        if let Some(word) = fields.word(preset) {
            left_out.add(
                format!("{preset} {word}"),
                "there is no such filter here: see --filter",
            );
        }
        fields.text(custom);
        fields.text(tune);
    }
    if fields.flag(&["VideoGrayScale"]) {
        encode.filters = "hue=s=0".parse::<Filters>().ok();
    }
}

/// Notes options of a filter that HandBrake writes in its own form.
fn custom(fields: &mut Fields<'_>, name: &'static str, is_used: bool, left_out: &mut LeftOut) {
    let text = fields.text(name);
    if is_used && !text.is_empty() {
        left_out.add(
            format!("{name} {text}"),
            "the strength of the preset is used",
        );
    }
}

fn crop(fields: &mut Fields<'_>) -> Crop {
    let mut side = |name| fields.number(name).unwrap_or(0.0) as u32;
    let [top, bottom, left, right] = [
        "PictureTopCrop",
        "PictureBottomCrop",
        "PictureLeftCrop",
        "PictureRightCrop",
    ]
    .map(&mut side);
    let is_auto = fields.flag(&["PictureAutoCrop"]);
    match fields.number("PictureCropMode") {
        Some(AUTO) => Crop::Auto,
        Some(LOOSE) => Crop::Loose,
        Some(NONE) => Crop::None,
        None if is_auto => Crop::Auto,
        _ => format!("{top}:{bottom}:{left}:{right}")
            .parse()
            .unwrap_or_default(),
    }
}

fn size(fields: &mut Fields<'_>, encode: &mut VideoEncode, left_out: &mut LeftOut) {
    let mut side = |name| fields.number(name).unwrap_or(0.0).max(0.0) as u32 / 2 * 2;
    let most = [side("PictureWidth"), side("PictureHeight")];
    let forced = [side("PictureForceWidth"), side("PictureForceHeight")];
    let may_enlarge = fields.flag(&["PictureAllowUpscaling"]);
    fields.flag(&["PictureUseMaximumSize"]);
    encode.scale = match (forced, most) {
        ([width, height], _) if width > 0 && height > 0 => Some(Scale::Exact(width, height)),
        ([0, 0], [0, 0]) => None,
        ([0, 0], [width, 0]) => Some(Scale::Width(width)),
        ([0, 0], [0, height]) => Some(Scale::Height(height)),
        ([0, 0], [width, height]) => {
            left_out.add(
                format!("PictureHeight {height}"),
                &format!(
                    "the width is limited to {width}: pictures of another shape than {width}:{height} may be higher"
                ),
            );
            Some(Scale::Width(width))
        }
        ([width, 0], _) => Some(Scale::Width(width)),
        ([_, height], _) => Some(Scale::Height(height)),
    };
    encode.scale_up = may_enlarge && encode.scale.is_some();
    match fields.text("PicturePAR") {
        "" | "auto" | "loose" | "strict" => {}
        other => left_out.add(format!("PicturePAR {other}"), "pixels keep their shape"),
    }
    if fields
        .number("PictureModulus")
        .is_some_and(|modulus| modulus > 2.0)
    {
        left_out.add("PictureModulus", "sides are multiples of 2");
    }
    match fields.word("PicturePadMode") {
        None => {}
        Some("custom") => left_out.add(
            "PicturePadMode custom",
            "borders of single sides: see --pad",
        ),
        Some(mode) => match most {
            [width, height] if width > 0 && height > 0 => {
                encode.pad = Some(Pad::Size(width, height))
            }
            _ => left_out.add(
                format!("PicturePadMode {mode}"),
                "it needs a width and a height",
            ),
        },
    }
    if encode.pad.is_some()
        && fields
            .word("PicturePadColor")
            .is_some_and(|colour| colour != "black")
    {
        left_out.add("PicturePadColor", "borders are black");
    }
    for name in [
        "PicturePadColor",
        "PicturePadTop",
        "PicturePadBottom",
        "PicturePadLeft",
        "PicturePadRight",
    ] {
        fields.text(name);
    }
}

fn rotate(fields: &mut Fields<'_>, left_out: &mut LeftOut) -> Option<Rotate> {
    let text = fields.text("PictureRotate");
    let value = |name: &str| {
        let mut pairs = text.split(':').filter_map(|pair| pair.split_once('='));
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    };
    if value("disable") == Some("1") {
        return None;
    }
    let turn = match (value("angle").unwrap_or("0"), value("hflip") == Some("1")) {
        ("0", false) => return None,
        ("0", true) => "hflip".to_owned(),
        (angle, true) => format!("{angle}:hflip"),
        (angle, false) => angle.to_owned(),
    };
    turn.parse()
        .map_err(|_| left_out.add(format!("PictureRotate {text}"), "the turn is unknown here"))
        .ok()
}

fn deinterlace(fields: &mut Fields<'_>, left_out: &mut LeftOut) -> Deinterlace {
    let detects = fields.word("PictureCombDetectPreset").is_some();
    custom(fields, "PictureCombDetectCustom", detects, left_out);
    let filter = fields.word("PictureDeinterlaceFilter");
    let preset = fields.text("PictureDeinterlacePreset");
    let is_custom = filter.is_some() && preset == "custom";
    custom(fields, "PictureDeinterlaceCustom", is_custom, left_out);
    if filter.is_none() {
        return Deinterlace::Off;
    }
    if preset.contains("bob") {
        left_out.add(
            format!("PictureDeinterlacePreset {preset}"),
            "each pair of fields becomes one frame, and not two",
        );
    }
    match detects {
        true => Deinterlace::Auto,
        false => Deinterlace::Always,
    }
}

fn strength(word: &str) -> Option<Strength> {
    Some(match word {
        "verystrong" | "stronger" => Strength::Strong,
        "weak" => Strength::Light,
        word => word.parse().ok()?,
    })
}

fn denoise(fields: &mut Fields<'_>, left_out: &mut LeftOut) -> Option<Denoise> {
    let filter = fields.word("PictureDenoiseFilter");
    let preset = fields.text("PictureDenoisePreset");
    let tune = fields.word("PictureDenoiseTune");
    custom(
        fields,
        "PictureDenoiseCustom",
        filter.is_some() && preset == "custom",
        left_out,
    );
    let word = filter?;
    let filter = match word {
        "hqdn3d" => DenoiseFilter::Hqdn3d,
        "nlmeans" => DenoiseFilter::Nlmeans,
        other => {
            left_out.add(
                format!("PictureDenoiseFilter {other}"),
                "hqdn3d and nlmeans are known here",
            );
            return None;
        }
    };
    if let Some(tune) = tune {
        left_out.add(
            format!("PictureDenoiseTune {tune}"),
            "the filter has no tune here",
        );
    }
    Some(Denoise {
        filter,
        strength: strength(preset).unwrap_or(Strength::Medium),
    })
}

fn sharpen(fields: &mut Fields<'_>, left_out: &mut LeftOut) -> Option<Strength> {
    let filter = fields.word("PictureSharpenFilter");
    let preset = fields.text("PictureSharpenPreset");
    let tune = fields.word("PictureSharpenTune");
    custom(
        fields,
        "PictureSharpenCustom",
        filter.is_some() && preset == "custom",
        left_out,
    );
    let filter = filter?;
    if filter != "unsharp" {
        left_out.add(
            format!("PictureSharpenFilter {filter}"),
            "unsharp sharpens here",
        );
    }
    if let Some(tune) = tune {
        left_out.add(
            format!("PictureSharpenTune {tune}"),
            "the filter has no tune here",
        );
    }
    Some(strength(preset).unwrap_or(Strength::Medium))
}
