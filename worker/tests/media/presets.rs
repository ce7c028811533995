//! Each built-in preset makes a file that the publish gate lets through and that another ffmpeg decodes.

use common::recipe::preset::Presets;
use common::recipe::{Choice, Recipe, Video};
use common::testing;

use crate::studio::{self, Studio};

/// The recipe with the software encoder that a worker without hardware takes.
fn in_software(recipe: Recipe) -> Recipe {
    match testing::software_encoder(&recipe) {
        Some(encoder) => studio::with(recipe, |video| video.with = Choice::Encoder(encoder)),
        None => recipe,
    }
}

#[tokio::test]
async fn every_preset_makes_a_file_that_plays() {
    for studio in Studio::each() {
        // DNxHR takes no smaller picture.
        let film = studio.make(
            "film.mkv",
            &format!(
                "-i {} -map 0 -c copy -c:v libx264 -preset ultrafast -vf scale=256:144",
                studio.tracks().display()
            ),
        );
        let presets = Presets::built_in();
        for listed in presets.iter() {
            let recipes = listed.preset.outputs.recipes(&listed.preset.recipe);
            for recipe in recipes.expect("they fit") {
                let recipe = in_software(recipe);
                let checked = studio.encode(&film, &recipe).await;
                checked.unwrap_or_else(|failure| panic!("{}: {failure:?}", listed.name));
                let made = studio.made().await;
                let has_film = made.films().next().is_some();
                let is_wanted = !matches!(recipe.video, Video::None);
                assert_eq!(has_film, is_wanted, "{}: {made:?}", listed.name);
            }
        }
    }
}
