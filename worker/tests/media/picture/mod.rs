//! Pictures: colours, HDR, fields, captions, transparency, size, rotation and time, with an old and a recent ffmpeg.
//! The tests look at the output with ffprobe and a decoder.
//!
//! More than 12 entries: each is one property of pictures, or one thing that is done to them.

pub(crate) mod captions;
mod chain;
mod colour;
mod combinations;
mod crop;
mod deinterlace;
mod fields;
mod hdr;
mod overlay;
mod pace;
mod shape;
mod transparency;

use common::job::changes::{Change, Fate, Kind};
use common::recipe::preset::Presets;
use common::recipe::{Container, Recipe};

use crate::studio;
use crate::studio::Studio;

const FAST: &str = "-c:v libx264 -preset ultrafast";

const LOSSLESS: &str = "-c:v ffv1";

pub(crate) fn hdr10(studio: &Studio) -> std::path::PathBuf {
    studio.clip(
        "hdr10.mkv",
        "-frames:v 5 -vf setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv \
         -pix_fmt yuv420p10le -c:v libx265 -preset ultrafast -x265-params log-level=error:hdr10=1:repeat-headers=1:\
         max-cll=1000,400:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)",
    )
}

pub(crate) fn recipe(encoder: &str, container: Container) -> Recipe {
    let quick = match encoder {
        "libx264" | "libx265" => Some("ultrafast"),
        "libsvtav1" => Some("12"),
        "libvpx-vp9" | "libvpx" => Some("8"),
        _ => None,
    };
    let recipe = studio::with(studio::recipe(encoder), |video| {
        video.preset = quick.map(|preset| preset.parse().expect("a token"));
    });
    recipe
        .edit(|draft| draft.container = container)
        .expect("a sound recipe")
}

/// The fate of a kind of thing that is not kept.
fn fate(changes: &[Change], kind: Kind) -> Option<Fate> {
    let told = |change: &&Change| change.kind == kind && change.fate != Fate::Kept;
    changes.iter().find(told).map(|change| change.fate)
}

/// The built-in preset for every player, with an encoder that the tests have.
fn compatible() -> Recipe {
    let presets = Presets::built_in();
    let name = "compatible-h264".parse().expect("a name");
    let recipe = presets.find(&name).expect("built in").preset.recipe.clone();
    studio::with(recipe, |video| {
        let plain = studio::recipe("libx264");
        video.with = plain.video_encode().expect("encodes").with.clone();
    })
}
