//! Recipe files: written, read, imported, described by a schema, and shown as ffmpeg's commands.

use std::path::Path;

use harness::farm::Farm;
use harness::process::Ran;
use harness::{paths, programs};
use serde_json::Value;

/// Runs the producer without a farm.
async fn producer(folder: &Path, line: &[&str]) -> Ran {
    let mut command = programs::command("producer", folder);
    command.args(line);
    harness::process::run(command).await
}

#[tokio::test]
async fn a_recipe_file_is_written_with_its_schema_and_says_where_it_is_wrong() {
    let folder = paths::test_folder();
    let folder = folder.path();
    let new = ["presets", "new", "ours.toml", "--preset", "web-1080p"];
    let more = ["--set", "scale=480p", "--note", "for the tests"];
    producer(folder, &[&new[..], &more].concat())
        .await
        .succeeded();
    let text = std::fs::read_to_string(folder.join("ours.toml")).unwrap();
    assert!(text.starts_with("#:schema recipe.schema.json\n"), "{text}");
    assert!(text.contains("version = 1") && text.contains("scale = \"480p\""));
    let schema = std::fs::read_to_string(folder.join("recipe.schema.json")).unwrap();
    let beside: Value = serde_json::from_str(&schema).unwrap();
    let printed = producer(folder, &["presets", "schema"]).await.succeeded();
    assert_eq!(printed.json(), beside);
    let again = producer(folder, &new).await;
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(
        again.stderr.contains("--overwrite replaces it"),
        "{again:?}"
    );

    let shown = producer(folder, &["presets", "show", "ours.toml"]).await;
    assert_eq!(shown.succeeded().stdout.trim(), text.trim());
    let wrong = text.replace("scale = ", "scael = ");
    std::fs::write(folder.join("wrong.toml"), wrong).unwrap();
    let encode = ["encode", "in", "-o", "out", "--preset", "wrong.toml"];
    let refused = producer(folder, &encode).await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("wrong.toml:"), "{refused:?}");
    assert!(
        refused.stderr.contains("did you mean 'scale'?"),
        "{refused:?}"
    );
    assert!(!folder.join("out").exists());
}

#[tokio::test]
async fn a_preset_is_shown_as_ffmpegs_command_for_a_file() {
    let folder = paths::test_folder();
    let clip = paths::media("h264.mp4");
    let clip = clip.to_str().unwrap();
    let show = ["presets", "show", "compatible-h264", "--ffmpeg", clip];
    let alone = producer(folder.path(), &show).await.succeeded();
    let line = alone.stdout.trim();
    assert!(
        line.starts_with("ffmpeg ") && line.ends_with("new.h264.mp4"),
        "{line}"
    );
    for part in [" -i ", "h264.mp4", "-f mp4", "aac"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(!line.contains("/scratch"), "{line}");

    let farm = Farm::start().await;
    let worker = farm.join(farm.worker("w").encoders("libx264")).await;
    let shown = farm.producer(show).await.succeeded();
    assert!(shown.stdout.starts_with("ffmpeg "), "{shown:?}");
    assert!(shown.stdout.contains("libx264"), "{shown:?}");
    drop(worker);
}

#[tokio::test]
async fn presets_of_other_programs_are_imported_with_what_is_left_out() {
    let folder = paths::test_folder();
    let folder = folder.path();
    let line =
        "ffmpeg -i in.mkv -map 0 -c:v libx264 -crf 30 -preset ultrafast -ar 44100 -c:a aac out.mkv";
    let import = ["presets", "import", "--command", line];
    let imported = producer(folder, &[&import[..], &["-o", "ours.toml"]].concat()).await;
    let imported = imported.succeeded();
    assert!(imported.stderr.contains("-ar 44100: "), "{imported:?}");
    let strict = producer(folder, &[&import[..], &["--strict"]].concat()).await;
    assert_eq!(strict.code, Some(1), "{strict:?}");

    // The imported recipe encodes.
    harness::farm::copy_into(&folder.join("in"), &[paths::media("h264.mp4")]);
    let encode = ["encode", "in", "-o", "out", "--preset", "ours.toml"];
    producer(folder, &encode).await.succeeded();
    let made = harness::outside::media::Media::of(&folder.join("out/h264.mkv"));
    let codecs = made.streams.iter().map(|stream| stream.codec.as_str());
    assert_eq!(codecs.collect::<Vec<_>>(), ["h264", "aac"]);

    let handbrake = serde_json::json!({ "PresetList": [
        { "PresetName": "One", "VideoEncoder": "x264", "FileFormat": "av_mp4" },
        { "PresetName": "Two", "VideoEncoder": "x265", "FileFormat": "av_mkv", "VideoGrayScale": true },
    ]});
    std::fs::write(folder.join("hb.json"), handbrake.to_string()).unwrap();
    let several = producer(folder, &["presets", "import", "hb.json"]).await;
    assert_eq!(several.code, Some(2), "{several:?}");
    assert!(several.stderr.contains("One, Two"), "{several:?}");
    let two = ["presets", "import", "hb.json", "--only", "Two"];
    let two = producer(folder, &two).await.succeeded().stdout;
    assert!(two.contains("libx265") && two.contains("hue=s=0"), "{two}");
    let all = ["presets", "import", "hb.json", "-o", "all"];
    producer(folder, &all).await.succeeded();
    assert!(folder.join("all/one.toml").is_file() && folder.join("all/two.toml").is_file());
}
