//! The presets of every farm: recipe files that are part of the program.

use std::sync::LazyLock;

use crate::names::token::Token;
use crate::recipe::file::{FileFormat, RecipeFile};
use crate::recipe::preset::Preset;

macro_rules! files {
    ($($folder:literal: $($name:literal),+;)+) => {
        &[$($(
            ($name, include_str!(concat!("../../../presets/", $folder, "/", $name, ".toml"))),
        )+)+]
    };
}

/// The files by purpose. Each names a codec and no encoder, so that any machine can run it, unless its purpose needs
/// one encoder.
const FILES: &[(&str, &str)] = files! {
    "web": "web-1080p", "web-720p", "web-ladder", "stream-ladder", "web-vp9", "upload", "discord-10mb";
    "keep": "archive-hevc", "archive-av1", "archive-lossless", "small-av1", "4k-hdr-hevc", "anime-hevc",
        "film-grain-av1", "dvd", "remux";
    "play": "compatible-h264", "phone", "tablet", "tv-compatible";
    "edit": "prores-edit", "dnxhr-edit";
    "sound": "audio-only", "voice";
};

/// The built-in presets with their names.
pub(super) fn built_in() -> &'static [(Token, Preset)] {
    static PRESETS: LazyLock<Vec<(Token, Preset)>> = LazyLock::new(|| {
        let read = |&(name, text): &(&'static str, &str)| {
            let preset = RecipeFile::read(text, FileFormat::Toml);
            let preset = preset.unwrap_or_else(|error| panic!("{}", error.in_file(name)));
            (Token::from_static(name), preset)
        };
        FILES.iter().map(read).collect()
    });
    &PRESETS
}
