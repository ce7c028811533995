//! What ffmpeg gets for each built-in preset, and properties of the command line of any recipe.
//!
//! The lines for one film are in `tests/data/presets.txt`, so that a change of them is seen in review. After a wanted
//! change, `cargo test -p ffmpeg-easy-worker the_lines_of_presets_are_written -- --ignored` writes the file anew.

use std::path::PathBuf;

use common::farm::card::Proof;
use common::recipe::encoder::Encoder;
use common::recipe::preset::Presets;
use common::testing::recipes::recipes;
use proptest::prelude::*;

use super::*;
use crate::ffmpeg::probe::media::{Ratio, StreamKind};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/presets.txt")
}

/// A film in English: H.264 in 1080p25, 5.1 channels, subtitles.
fn film() -> Media {
    let video = Stream {
        kind: StreamKind::Video,
        codec: "h264".to_owned(),
        width: 1920,
        height: 1080,
        pixel_format: "yuv420p".to_owned(),
        time_base: Some(Ratio {
            numerator: 1,
            denominator: 12800,
        }),
        ..Stream::default()
    };
    let sound = Stream {
        index: 1,
        kind: StreamKind::Audio,
        codec: "dts".to_owned(),
        channels: 6,
        ..Stream::default()
    };
    let subtitles = Stream {
        index: 2,
        kind: StreamKind::Subtitle,
        codec: "subrip".to_owned(),
        ..Stream::default()
    };
    Media {
        streams: vec![video, sound, subtitles],
        duration: Some(600.0),
        ..Media::default()
    }
}

/// The encoder that a worker with the usual software uses.
fn encoder(recipe: &Recipe) -> Option<(Encoder, Proof)> {
    let encoder = common::testing::software_encoder(recipe)?;
    let formats: &[&str] = match encoder.as_str() {
        "prores_ks" => &["yuv422p10le"],
        "dnxhd" => &["yuv422p", "yuv422p10le"],
        "mpeg2video" | "mpeg4" | "libvpx" => &["yuv420p"],
        _ => &["yuv420p", "yuv420p10le"],
    };
    let mut proof = common::testing::proof(&encoder);
    proof.pixel_formats = formats.iter().map(ToString::to_string).collect();
    Some((encoder, proof))
}

fn command(recipe: &Recipe, media: &Media) -> Result<String, Failure> {
    let encoder = encoder(recipe);
    let encoder = encoder.as_ref().map(|(encoder, proof)| (encoder, proof));
    let source = Source::File("/in/film.mkv".into());
    let output = Path::new("/scratch/output");
    let filters = [
        "zscale",
        "tonemap",
        "bwdif",
        "libplacebo",
        "loudnorm",
        "xpsnr",
    ];
    let build = Build::new("7.1", filters.map(str::to_owned), []);
    let findings = Findings::default();
    let made = encode(recipe, media, &findings, encoder, &build, &source, output)?;
    let name = format!("new.{}", recipe.container.extension());
    Ok(made.shown(recipe, &source, output, ("film.mkv", &name)))
}

/// The command without what all commands say of reading a file.
fn without_reading(command: &str) -> String {
    let cut = |run: &str| match (run.find("-format_whitelist"), run.find("-i film.mkv")) {
        (Some(from), Some(to)) if from < to => format!("{}{}", &run[..from], &run[to..]),
        _ => run.to_owned(),
    };
    let runs: Vec<String> = command.lines().map(cut).collect();
    runs.join("\n")
}

/// A line for each output of each preset.
fn lines() -> String {
    let presets = Presets::built_in();
    let mut lines = String::new();
    for listed in presets.iter() {
        let recipes = listed.preset.outputs.recipes(&listed.preset.recipe);
        for recipe in recipes.expect("they fit") {
            let line = command(&recipe, &film()).unwrap_or_else(|failure| failure.message);
            lines += &format!("{}\n{}\n\n", listed.name, without_reading(&line));
        }
    }
    lines
}

#[test]
fn presets_give_the_lines_that_are_known() {
    let known = std::fs::read_to_string(golden()).expect("the file is there");
    let lines = lines();
    for (line, known) in lines.lines().zip(known.lines()) {
        assert_eq!(line, known, "see the header of this file");
    }
    assert_eq!(lines, known, "see the header of this file");
}

#[test]
#[ignore = "writes a file"]
fn the_lines_of_presets_are_written() {
    std::fs::write(golden(), lines()).expect("the folder can be written");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    /// Any recipe has a command line, or a reason why this film has none.
    #[test]
    fn any_recipe_has_a_command_line_or_a_reason(recipe in recipes()) {
        match command(&recipe, &film()) {
            Ok(line) => {
                prop_assert!(line.starts_with("ffmpeg "), "{}", line);
                prop_assert!(shlex::split(&line).is_some_and(|words| words.len() > 5), "{}", line);
            }
            Err(failure) => prop_assert!(!failure.message.is_empty()),
        }
    }
}
