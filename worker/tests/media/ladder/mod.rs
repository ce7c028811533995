//! Ladders for HLS and DASH, played by ffmpeg from their playlists and manifests.

mod keyframes;
mod losses;
mod played;

use std::path::{Path, PathBuf};

use common::job::ladder::LadderStream;
use common::names::location::Location;
use common::recipe::{Container, Outputs, Recipe, Segment};
use worker::attempt::ladder::{manifest, master_playlist};
use worker::attempt::steps::Verified;

use crate::studio::{self, Studio, with};

/// A recipe for segments of one second.
fn recipe(encoder: &str) -> Recipe {
    let recipe = with(studio::recipe(encoder), |video| {
        video.preset = match encoder {
            "libsvtav1" => Some("12".parse().expect("a preset")),
            _ => Some("ultrafast".parse().expect("a preset")),
        };
    });
    let recipe = recipe.edit(|draft| {
        draft.container = Container::Cmaf;
        draft.segment_seconds = Some(Segment::try_from(1).expect("a length"));
    });
    recipe.expect("a sound recipe")
}

/// A ladder as a farm would publish it.
struct Ladder {
    /// The folder with its files.
    folder: PathBuf,
    streams: Vec<LadderStream>,
    verified: Vec<Verified>,
}

impl Ladder {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// Makes each rendition of a source, named by its size, and the playlists of all.
async fn ladder(studio: &Studio, source: &Path, recipe: &Recipe, renditions: &[&str]) -> Ladder {
    let folder = studio.path("ladder");
    std::fs::create_dir_all(&folder).expect("room");
    let outputs = Outputs {
        name: None,
        renditions: renditions
            .iter()
            .map(|text| text.parse().expect("a rendition"))
            .collect(),
    };
    let recipes = outputs.recipes(recipe).expect("they fit");
    let at = |name: &str| Location::file(&folder.join(name)).expect("a location");
    let (mut streams, mut verified) = (Vec::new(), Vec::new());
    for (recipe, rendition) in recipes.iter().zip(renditions) {
        let output = at(&format!("film-{rendition}.mp4"));
        let made = studio
            .verified(source, recipe)
            .await
            .expect("a good output");
        let made = made.packaged(&output).await.expect("it can be packaged");
        let copy = |file: &Path, to: &Location| {
            std::fs::copy(file, to.path().expect("a file")).expect("room");
        };
        copy(made.output.path(), &output);
        for companion in &made.companions {
            copy(companion.file.path(), &companion.suffix.beside(&output));
        }
        streams.extend(made.ladder.clone());
        verified.push(made);
    }
    let (master, dash) = (at("film.m3u8"), at("film.mpd"));
    let write = |to: &Location, text: String| {
        std::fs::write(to.path().expect("a file"), text).expect("room");
    };
    write(&master, master_playlist(&streams, &master));
    write(&dash, manifest(&streams, &dash));
    Ladder {
        folder,
        streams,
        verified,
    }
}
