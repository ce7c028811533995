//! Sound.

mod chosen;
mod containers;
mod downmix;
mod gate;
mod listening;
mod loudness;
mod tones;

use common::recipe::{Container, Recipe};

use crate::studio;

/// A recipe that keeps video, with this setting for sound.
fn keeping(audio: &str, container: Container) -> Recipe {
    studio::copy()
        .edit(|draft| {
            draft.audio = audio.parse().expect("audio");
            draft.container = container;
        })
        .expect("a sound recipe")
}
