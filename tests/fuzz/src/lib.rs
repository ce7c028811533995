//! What must hold for any bytes in place of a recipe file, an answer of ffprobe or a progress report of ffmpeg.
//!
//! `cargo test` holds it for the files in `corpus/` and for thousands of changes of them. `make fuzz` lets libFuzzer
//! search for bytes that break it.

use std::path::Path;

use common::farm::card::Proof;
use common::recipe::Recipe;
use common::recipe::encoder::Encoder;
use common::recipe::preset::{Preset, Presets};
use common::recipe::{FileFormat, RecipeFile};
use worker::ffmpeg::Source;
use worker::ffmpeg::arguments::encode;
use worker::ffmpeg::build::Build;
use worker::ffmpeg::findings::Findings;
use worker::ffmpeg::probe::answer;
use worker::ffmpeg::probe::media::Media;
use worker::ffmpeg::run::progress::ProgressReader;

/// Stands between the two answers that a probe reads: the one for the whole file, and the one for its first frames.
pub const FRAMES: &str = "\n---\n";

/// An answer of ffprobe becomes media or a failure that says why. Media have a command line for each preset, or a
/// failure that says why.
pub fn ffprobe(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (whole, frames) = text.split_once(FRAMES).unwrap_or((&text, ""));
    match answer::parse(whole.as_bytes()) {
        Ok(mut media) => {
            answer::look_at_frames(&mut media, frames.as_bytes());
            for recipe in recipes() {
                command(&recipe, &media);
            }
        }
        Err(failure) => assert!(!failure.message.is_empty()),
    }
}

/// A progress report gives figures that a page can show, whatever ffmpeg prints.
pub fn progress(bytes: &[u8]) {
    let mut reader = ProgressReader::default();
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Some(figures) = reader.line(line) {
            assert!(figures.time.is_finite() && figures.time >= 0.0, "{line}");
            for figure in [figures.fps, figures.speed, figures.bitrate] {
                assert!(figure.is_finite(), "{line}: {figures:?}");
            }
        }
    }
}

/// A recipe file is refused with a place and a reason, or what it says is written as a file that says the same.
pub fn recipe(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for format in [FileFormat::Toml, FileFormat::Json] {
        match RecipeFile::read(&text, format) {
            Ok(preset) => assert_eq!(written_and_read(&preset), preset),
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    }
}

fn written_and_read(preset: &Preset) -> Preset {
    let written = RecipeFile::from(preset.clone()).to_toml();
    let read = RecipeFile::read(&written, FileFormat::Toml);
    read.unwrap_or_else(|error| panic!("{error}\n{written}"))
}

/// The recipes of the built-in presets.
fn recipes() -> Vec<Recipe> {
    let presets = Presets::built_in();
    let of = |preset: &Preset| preset.outputs.recipes(&preset.recipe).expect("they fit");
    presets
        .iter()
        .flat_map(|listed| of(&listed.preset))
        .collect()
}

/// Makes the command line for an input.
fn command(recipe: &Recipe, media: &Media) {
    let encoder = encoder(recipe);
    let encoder = encoder.as_ref().map(|(encoder, proof)| (encoder, proof));
    let (source, output) = (
        Source::File("/in/film.mkv".into()),
        Path::new("/scratch/output"),
    );
    let findings = Findings::default();
    let build = Build::new("7.1", FILTERS.map(str::to_owned), []);
    match encode(recipe, media, &findings, encoder, &build, &source, output) {
        Ok(arguments) => assert!(!arguments.list.is_empty()),
        Err(failure) => assert!(!failure.message.is_empty()),
    }
}

/// The filters that recipes ask for, and that some builds of ffmpeg lack.
const FILTERS: [&str; 6] = [
    "zscale",
    "tonemap",
    "bwdif",
    "libplacebo",
    "loudnorm",
    "xpsnr",
];

/// The encoder of a worker that has all encoders.
fn encoder(recipe: &Recipe) -> Option<(Encoder, Proof)> {
    let encoder = common::testing::software_encoder(recipe)?;
    let proof = common::testing::proof(&encoder);
    Some((encoder, proof))
}
