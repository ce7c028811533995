use serde_json::json;

use super::*;

/// A preset with HandBrake's usual fields, changed by others.
fn preset(changes: &Value) -> Value {
    let text = include_str!("preset.json");
    let mut preset: Value = serde_json::from_str(text).expect("JSON");
    for (name, value) in changes.as_object().expect("fields") {
        preset[name] = value.clone();
    }
    preset
}

fn imported(changes: &Value) -> (String, Vec<String>) {
    let text = json!({ "PresetList": [preset(changes)], "VersionMajor": 60 }).to_string();
    let mut all = read(&text).expect("presets");
    let one = all.pop().expect("one preset");
    let one = one.unwrap_or_else(|error| panic!("{changes}: {error}"));
    assert_eq!(one.preset.note.as_deref(), Some("For the living room."));
    (one.preset.recipe.to_string(), one.left_out)
}

#[test]
fn presets_become_the_recipes_that_they_say() {
    let plain =
        "libx265, CRF 21.5, preset slow, 10 bits, 4:2:0, aac 160 kbit/s, downmix stereo, mkv";
    let with = |part: &str| plain.replace("4:2:0", &format!("4:2:0, {part}"));
    let of = |codec: &str| plain.replace("libx265, CRF 21.5, preset slow, 10 bits", codec);
    let sound = |part: &str| plain.replace("aac 160 kbit/s, downmix stereo", part);
    for (changes, words) in [
        (json!({}), plain.to_owned()),
        (json!({ "PictureCropMode": 0 }), with("crop auto")),
        (json!({ "PictureCropMode": 1 }), with("crop loose")),
        (
            json!({ "PictureCropMode": 3, "PictureTopCrop": 140, "PictureBottomCrop": 138 }),
            with("crop 140:138:0:0"),
        ),
        (json!({ "PictureWidth": 1920 }), with("1920x-2")),
        (
            json!({ "PictureDeinterlaceFilter": "decomb", "PictureCombDetectPreset": "default" }),
            with("deinterlaced if combed"),
        ),
        (
            json!({ "PictureDeinterlaceFilter": "yadif" }),
            with("deinterlaced"),
        ),
        (
            json!({ "PictureDetelecine": "default" }),
            with("detelecined"),
        ),
        (
            json!({ "PictureDenoiseFilter": "nlmeans", "PictureDenoisePreset": "ultralight" }),
            with("denoise nlmeans:ultralight"),
        ),
        (
            json!({ "PictureRotate": "angle=90:hflip=1" }),
            with("rotated 90:hflip"),
        ),
        (
            json!({ "VideoFramerate": "30", "VideoFramerateMode": "pfr" }),
            with("frame rate peak:30"),
        ),
        (
            json!({ "VideoFramerate": "23.976", "VideoFramerateMode": "cfr" }),
            with("frame rate 24000/1001"),
        ),
        (json!({ "VideoTune": "grain" }), with("tune=grain")),
        (
            json!({ "VideoOptionExtra": "aq-mode=1:rd=4" }),
            with("x265-params=aq-mode=1:rd=4"),
        ),
        (
            json!({ "VideoEncoder": "x264", "VideoProfile": "high", "VideoLevel": "4.0" }),
            of("libx264, CRF 21.5, preset slow, 8 bits")
                .replace("4:2:0", "4:2:0, profile=high, level=4.0"),
        ),
        (
            json!({ "VideoEncoder": "svt_av1_10bit", "VideoPreset": "6", "VideoQualitySlider": 30 }),
            of("libsvtav1, CRF 30, preset 6, 10 bits"),
        ),
        (
            json!({ "VideoEncoder": "nvenc_h265", "VideoQualitySlider": 27, "VideoProfile": "auto" }),
            of("hevc_nvenc, CRF 27, speed slow, 8 bits"),
        ),
        (
            json!({ "VideoQualityType": 1, "VideoTwoPass": true }),
            of("libx265, 6 Mbit/s, two passes, preset slow, 10 bits"),
        ),
        (
            json!({ "AudioList": [{ "AudioEncoder": "copy" }] }),
            sound("aac, 1 audio rule"),
        ),
        (
            json!({ "AudioEncoderFallback": "ac3", "AudioList": [
                { "AudioEncoder": "copy", "AudioBitrate": 640, "AudioMixdown": "5point1" }] }),
            sound("ac3 640 kbit/s, downmix 5.1, 1 audio rule"),
        ),
        (
            json!({ "SubtitleTrackSelectionBehavior": "none", "SubtitleBurnBehavior": "first" }),
            plain.replace("downmix stereo", "no subtitles, downmix stereo"),
        ),
        (json!({ "AudioList": [] }), sound("no audio")),
        (
            json!({ "AudioLanguageList": ["deu", "eng"] }),
            sound("aac 160 kbit/s, audio in deu and eng, downmix stereo"),
        ),
        (
            json!({ "SubtitleTrackSelectionBehavior": "none", "SubtitleAddForeignAudioSearch": true,
                "SubtitleBurnBehavior": "foreign" }),
            with("subtitles foreign burnt in")
                .replace("downmix stereo", "no subtitles, downmix stereo"),
        ),
    ] {
        let (recipe, left_out) = imported(&changes);
        let sorted = |text: &str| {
            let mut parts: Vec<String> = text.split(", ").map(str::to_owned).collect();
            parts.sort();
            parts
        };
        assert_eq!(sorted(&recipe), sorted(&words), "{changes}: {recipe}");
        assert_eq!(left_out, [""; 0], "{changes}");
    }
}

#[test]
fn several_encodes_of_a_track_become_rules() {
    let list = json!({ "AudioList": [
        { "AudioEncoder": "av_aac", "AudioBitrate": 160, "AudioMixdown": "stereo" },
        { "AudioEncoder": "copy:ac3", "AudioBitrate": 640, "AudioMixdown": "none" },
    ], "AudioEncoderFallback": "ac3" });
    let text = preset(&list).to_string();
    let one = read(&text)
        .expect("a preset")
        .pop()
        .expect("one")
        .expect("sound");
    let rules = serde_json::to_value(&one.preset.recipe.audio_tracks.rules).expect("plain data");
    let stereo = json!({ "encode": { "encoder": "aac", "bitrate": "160k", "downmix": "stereo" } });
    let surround = json!({ "encode": { "encoder": "ac3", "bitrate": "640k" } });
    assert_eq!(
        rules,
        json!([
            { "codecs": ["ac3"], "outputs": [stereo, "copy"] },
            { "outputs": [stereo, surround] },
        ])
    );
}

#[test]
fn what_cannot_be_carried_over_is_named() {
    for (changes, left) in [
        (
            json!({ "PictureWidth": 1920, "PictureHeight": 1080 }),
            "PictureHeight 1080",
        ),
        (
            json!({ "PictureDeblockPreset": "medium" }),
            "PictureDeblockPreset medium",
        ),
        (
            json!({ "PictureSharpenFilter": "lapsharp" }),
            "PictureSharpenFilter lapsharp",
        ),
        (
            json!({ "VideoOptionExtra": "csv=x:aq-mode=1" }),
            "VideoOptionExtra csv=x",
        ),
        (
            json!({ "VideoFramerateMode": "cfr" }),
            "VideoFramerateMode cfr",
        ),
        (json!({ "AlignAVStart": true }), "AlignAVStart"),
        (
            json!({ "AudioTrackSelectionBehavior": "first" }),
            "AudioTrackSelectionBehavior first",
        ),
        (
            json!({ "AudioList": [{ "AudioEncoder": "av_aac", "AudioTrackGainSlider": 3.0 }] }),
            "AudioTrackGainSlider",
        ),
        (
            json!({ "AudioList": [{ "AudioEncoder": "av_aac", "AudioMixdown": "dpl2" }] }),
            "AudioMixdown dpl2",
        ),
        (
            json!({ "AudioList": [{ "AudioEncoder": "flac24", "AudioCompressionLevel": 8 }] }),
            "AudioCompressionLevel",
        ),
        (
            json!({ "AudioList": [{ "AudioEncoder": "flac16", "AudioDitherMethod": "triangular" }] }),
            "AudioDitherMethod triangular",
        ),
        (
            json!({ "AudioList": [{ "AudioEncoder": "av_aac", "AudioOfTheFuture": 1 }] }),
            "AudioOfTheFuture of AudioList",
        ),
        (
            json!({ "SubtitleBurnBehavior": "first" }),
            "SubtitleBurnBehavior first",
        ),
        (
            json!({ "AudioTrackNamePassthru": false, "SubtitleTrackSelectionBehavior": "none" }),
            "AudioTrackNamePassthru",
        ),
        (json!({ "ChapterMarkers": false }), "ChapterMarkers"),
        (
            json!({ "FieldOfTheFuture": 1 }),
            "FieldOfTheFuture: the field is unknown here",
        ),
    ] {
        let (_, left_out) = imported(&changes);
        assert!(
            left_out.iter().any(|one| one.contains(left)),
            "{changes}: {left_out:?}"
        );
    }
}

#[test]
fn lists_folders_and_single_presets_are_read_and_others_are_refused() {
    let two = json!([{ "Folder": true, "PresetName": "General", "ChildrenArray": [preset(&json!({})), preset(&json!({}))] }]);
    assert_eq!(read(&two.to_string()).expect("presets").len(), 2);
    let theora = preset(&json!({ "VideoEncoder": "theora" })).to_string();
    let error = read(&theora)
        .expect("a preset")
        .pop()
        .expect("one")
        .map(|one| one.name);
    assert!(
        error
            .expect_err("no such encoder")
            .contains("'theora' has no counterpart")
    );
    for (text, why) in [
        ("{", "no JSON"),
        ("{}", "no preset"),
        ("[1, {\"a\": []}]", "no preset"),
    ] {
        let error = read(text).map(|all| all.len()).expect_err(text);
        assert!(error.contains(why), "{error}");
    }
}
