use clap::Parser;

use super::*;
use common::recipe::{Audio, BitDepth, Rate, Scale};

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    recipe: RecipeOptions,
}

fn read(line: &[&str]) -> Result<Recipe, String> {
    let options = Line::try_parse_from([&["test"], line].concat())
        .map_err(|error| error.to_string())?
        .recipe;
    tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime")
        .block_on(options.recipe(PresetSource::BuiltIn, None))
        .map_err(|error| error.to_string())
}

#[test]
fn options_become_the_recipe_that_they_say() {
    let recipe = read(&[
        "--encoder",
        "libx265",
        "--crf",
        "20",
        "--scale",
        "-2x720",
        "--audio",
        "opus:96k",
        "--argument",
        "g=240",
        "--container",
        "mp4",
        "--bit-depth",
        "10",
    ])
    .expect("sound");
    let encode = recipe.video_encode().expect("encodes");
    assert_eq!(encode.rate, Rate::Crf(20.0));
    assert_eq!(encode.bit_depth, Some(BitDepth::Ten));
    assert_eq!(encode.scale, Some(Scale::Height(720)));
    assert_eq!(encode.arguments[0].to_string(), "g=240");
    assert_eq!(recipe.container, Container::Mp4);
    assert!(matches!(recipe.audio, Audio::Encode { .. }));
}

#[test]
fn what_does_not_fit_together_is_refused_with_its_reason() {
    for (line, words) in [
        (&["--crf", "20"][..], "--encoder NAME"),
        (
            &["--encoder", "h264_nvenc", "--bit-depth", "10"],
            "--bit-depth 8",
        ),
        (
            &["--encoder", "h264_nvenc", "--bitrate", "2M", "--two-pass"],
            "leave --two-pass out",
        ),
        (
            &["--encoder", "libx264", "--two-pass"],
            "--bitrate or --target-size",
        ),
        (
            &["--encoder", "libx264", "--codec", "h264"],
            "cannot be used with",
        ),
        (
            &["--codec", "h264", "--crf", "20", "--bitrate", "4M"],
            "cannot be used with",
        ),
        (&["--codec", "h264", "--bitrate", "abc"], "no bitrate"),
        (&["--codec", "h264", "--crf", "NaN"], "not a quality"),
        (&["--codec", "h264", "--quality", "0"], "1 (smallest)"),
        (&["--codec", "h246"], "unknown codec"),
        (&["--video", "copy", "--crf", "20"], "--crf has no effect"),
        (&["--encoder", "libx264", "--crf", "99"], "0 (best) to 51"),
        (
            &["--encoder", "libx265", "--encoder-preset", "slwo"],
            "libx265 has no preset 'slwo'",
        ),
        (
            &["--codec", "h264", "--container", "webm"],
            "webm cannot hold h264",
        ),
        (
            &["--codec", "h264", "--filter", "movie=/etc/passwd"],
            "not allowed",
        ),
        (
            &["--codec", "h264", "--argument", "passlogfile=x"],
            "not allowed",
        ),
        (
            &["--codec", "h264", "--downmix", "stereo"],
            "--downmix changes encoded audio only",
        ),
        (
            &["--codec", "h264", "--ensure-audio", "aac:3"],
            "1, 2 or 6 channels",
        ),
        (
            &["--codec", "h264", "--watermark-place", "center"],
            "--watermark FILE",
        ),
        (
            &["--video", "copy", "--watermark-opacity", "50"],
            "--watermark-opacity has no effect",
        ),
        (
            &["--codec", "h264", "--crf", "20", "--max-percent", "60"],
            "give a --target",
        ),
        (
            &["--video", "copy", "--max-percent", "60"],
            "--max-percent has no effect",
        ),
        (&["--preset", "missing.toml"], "preset missing.toml"),
        (
            &["--preset", "our"],
            "there is no preset 'our': there are 4k-hdr-hevc, anime-hevc, ",
        ),
        (&["--preset", "web-1080"], "did you mean web-1080p?"),
        (
            &["--preset", "dvd", "--set", "crop=x"],
            "--set crop=x: 'x' is no crop",
        ),
        (&["--preset", "web-ladder"], "several renditions"),
    ] {
        let error = read(line).expect_err("refused");
        assert!(error.contains(words), "{line:?}: {error}");
    }
}

#[test]
fn options_override_a_preset_field_by_field() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("archive.toml");
    let text = "container = \"mp4\"\n[video.encode]\nwith = { encoder = \"libx265\" }\nrate = { crf = 18 }\narguments = [\"g=240\"]\n";
    std::fs::write(&file, text).expect("written");
    let file = file.to_str().expect("text");
    let recipe = read(&["--preset", file, "--crf", "30", "--argument", "g=60"]).expect("sound");
    let encode = recipe.video_encode().expect("encodes");
    assert_eq!(encode.with.to_string(), "libx265");
    assert_eq!(encode.rate, Rate::Crf(30.0));
    assert_eq!(encode.arguments.len(), 1);
    assert_eq!(recipe.container, Container::Mp4);
    let text = "[video.encode]\nwith = { encoder = \"libx265\" }\nrate = { target = { score = \"vmaf=95\", max_percent = 60 } }\n";
    let target = folder.path().join("target.toml");
    std::fs::write(&target, text).expect("written");
    let target = target.to_str().expect("text");
    for (options, score, percent) in [
        (&["--target", "vmaf=93"][..], "vmaf=93", 60),
        (&["--max-percent", "50"], "vmaf=95", 50),
        (
            &["--target", "vmaf=93", "--max-percent", "50"],
            "vmaf=93",
            50,
        ),
    ] {
        let recipe = read(&[&["--preset", target], options].concat()).expect("sound");
        let rate = recipe.video_encode().expect("encodes").rate;
        let found = rate.target().expect("a target");
        assert_eq!(
            (found.score.to_string().as_str(), found.max_percent),
            (score, percent)
        );
    }
    let built_in = read(&["--preset", "small-av1", "--container", "webm"]).expect("sound");
    let words = "any av1 encoder, quality 50, libopus 128 kbit/s, webm";
    assert_eq!(built_in.to_string(), words);
    let set = ["--set", "denoise=light", "--set", "rate="];
    let changed = read(&[&["--preset", "small-av1"][..], &set].concat()).expect("sound");
    let words = "any av1 encoder, denoise hqdn3d:light, libopus 128 kbit/s, mkv";
    assert_eq!(changed.to_string(), words);
    assert_eq!(
        read(&["--preset", file, "--video", "copy"])
            .expect("sound")
            .video,
        Video::Copy
    );
}
