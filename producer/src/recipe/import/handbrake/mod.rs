//! HandBrake's presets (1.6 to 1.10): one, a folder of them, or an export with its list.

mod fields;
mod picture;
mod tracks;
mod video;

#[cfg(test)]
mod tests;

use common::recipe::{Audio, Container, RecipeDraft, Subtitles, Video};
use serde_json::{Map, Value};

use self::fields::Fields;
use super::{Imported, LeftOut, finish};

/// Fields that say something about HandBrake's window, or nothing that an output shows.
const WITHOUT_EFFECT: &[&str] = &[
    "AudioAutomaticNamingBehavior",
    "ChildrenArray",
    "Default",
    "Folder",
    "FolderOpen",
    "PictureDARWidth",
    "PictureItuPAR",
    "PictureKeepRatio",
    "PicturePARHeight",
    "PicturePARWidth",
    "PresetDisabled",
    "Type",
    "UsesPictureFilters",
    "VideoHWDecode",
    "VideoQSVAsyncDepth",
    "VideoQSVDecode",
    "VideoTurboMultiPass",
    "VideoTurboTwoPass",
    "x264UseAdvancedOptions",
];

/// Reads HandBrake's presets.
///
/// # Errors
/// The text is no JSON, or holds no preset.
pub(crate) fn read(text: &str) -> Result<Vec<Result<Imported, String>>, String> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
    let mut presets = Vec::new();
    collect(&value, &mut presets);
    if presets.is_empty() {
        return Err(
            "it holds no preset of HandBrake: expected an object with PresetName and VideoEncoder, or a PresetList"
                .to_owned(),
        );
    }
    Ok(presets.into_iter().map(preset).collect())
}

/// The presets in lists and folders.
fn collect<'a>(value: &'a Value, presets: &mut Vec<&'a Map<String, Value>>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, presets)),
        Value::Object(fields) => {
            for list in ["PresetList", "ChildrenArray"] {
                if let Some(list) = fields.get(list) {
                    collect(list, presets);
                }
            }
            let is_preset = fields.contains_key("VideoEncoder");
            if is_preset && fields.get("Folder") != Some(&Value::Bool(true)) {
                presets.push(fields);
            }
        }
        _ => {}
    }
}

fn preset(all: &Map<String, Value>) -> Result<Imported, String> {
    let mut fields = Fields::new(all);
    let mut left_out = LeftOut::default();
    let name = match fields.text("PresetName") {
        "" => "preset",
        name => name,
    };
    let note = fields.text("PresetDescription");
    let mut encode =
        video::encode(&mut fields, &mut left_out).map_err(|error| format!("{name}: {error}"))?;
    picture::read(&mut fields, &mut encode, &mut left_out);
    let burn_in = tracks::burn_in(&mut fields, &mut left_out);
    encode.burn_in = burn_in;
    let mut draft = RecipeDraft::new(Video::Encode(Box::new(encode)));
    draft.container = container(&mut fields, &mut left_out);
    tracks::audio(&mut fields, &mut draft, &mut left_out);
    tracks::subtitles(&mut fields, &mut draft, &mut left_out);
    others(&mut fields, &draft, &mut left_out);
    finish(name, note, draft, left_out)
}

fn container(fields: &mut Fields<'_>, left_out: &mut LeftOut) -> Container {
    match fields.text("FileFormat") {
        "av_mp4" | "mp4" | "m4v" => Container::Mp4,
        "av_webm" | "webm" => Container::Webm,
        "av_mkv" | "mkv" => Container::Mkv,
        other => {
            left_out.add(
                format!("FileFormat {other}"),
                "the container is unknown here; mkv is used",
            );
            Container::Mkv
        }
    }
}

/// What concerns the whole file.
fn others(fields: &mut Fields<'_>, draft: &RecipeDraft, left_out: &mut LeftOut) {
    // MP4 always starts while it loads.
    fields.flag(&["Optimize", "Mp4HttpOptimize"]);
    if fields.has("ChapterMarkers") && !fields.flag(&["ChapterMarkers"]) {
        left_out.add("ChapterMarkers", "chapters are always kept");
    }
    let metadata = ["MetadataPassthru", "MetadataPassthrough"];
    if metadata.iter().any(|name| fields.has(name)) && !fields.flag(&metadata) {
        left_out.add("MetadataPassthru", "tags are always kept");
    }
    if fields.flag(&["AlignAVStart"]) {
        left_out.add(
            "AlignAVStart",
            "no silence is put in front: each track starts at its own time",
        );
    }
    for (name, why) in [
        (
            "InlineParameterSets",
            "parameter sets are written as the container wants them",
        ),
        ("Mp4iPodCompatible", "no atom for old iPods is written"),
    ] {
        if fields.flag(&[name]) {
            left_out.add(name, why);
        }
    }
    for (name, has_tracks) in [
        ("AudioTrackNamePassthru", draft.audio != Audio::None),
        (
            "SubtitleTrackNamePassthru",
            draft.subtitles != Subtitles::None,
        ),
    ] {
        if fields.has(name) && !fields.flag(&[name]) && has_tracks {
            left_out.add(name, "titles of tracks are always kept");
        }
    }
    let unread: Vec<&str> = fields.unread().collect();
    for name in unread {
        if !WITHOUT_EFFECT.contains(&name) {
            left_out.add(name, "the field is unknown here");
        }
    }
}
