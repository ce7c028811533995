//! Properties of all recipes and of any text.

use proptest::prelude::*;

use super::explain::fields;
use super::*;
use crate::recipe::preset::Presets;
use crate::recipe::{AudioRule, Companions, VideoEncode};
use crate::testing::recipes::{presets, recipes};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn a_recipe_survives_json_toml_and_its_file(recipe in recipes()) {
        let json = serde_json::to_string(&recipe).expect("plain data");
        let read: Recipe = serde_json::from_str(&json).expect("as it was written");
        prop_assert_eq!(&read, &recipe);
        let toml = toml::to_string(&recipe).expect("plain data");
        let read: Recipe = toml::from_str(&toml).expect("as it was written");
        prop_assert_eq!(&read, &recipe);
        prop_assert!(!recipe.to_string().contains('\n'));
    }

    #[test]
    fn a_preset_survives_its_file(preset in presets()) {
        let file = RecipeFile::from(preset.clone());
        for (text, format) in [(file.to_toml(), FileFormat::Toml), (file.to_json(), FileFormat::Json)] {
            let read = RecipeFile::read(&text, format);
            prop_assert!(read.is_ok(), "{}\n{:?}", text, read.err());
            prop_assert_eq!(&read.expect("as it was written"), &preset);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
        for format in [FileFormat::Toml, FileFormat::Json] {
            if let Err(error) = RecipeFile::read(&text, format) {
                prop_assert!(!error.in_file("x").is_empty());
            }
        }
    }

    /// Like a person's typing errors: a good file with a part cut out, doubled or replaced.
    #[test]
    fn a_changed_file_is_read_or_refused(nth in 0_usize..100, from in 0_usize..800, length in 0_usize..30, put in "[\\PC\n]{0,12}") {
        let presets = Presets::built_in();
        let nth = nth % presets.iter().count();
        let preset = presets.iter().nth(nth).expect("a preset").preset.clone();
        let file = RecipeFile::from(preset);
        for (text, format) in [(file.to_toml(), FileFormat::Toml), (file.to_json(), FileFormat::Json)] {
            let characters: Vec<char> = text.chars().collect();
            let from = from % characters.len();
            let to = (from + length).min(characters.len());
            let changed: String = characters[..from].iter().chain(&put.chars().collect::<Vec<_>>()).chain(&characters[to..]).collect();
            if let Err(error) = RecipeFile::read(&changed, format) {
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }
}

/// What a stored recipe may hold is in a golden file, and this is its source.
#[test]
fn the_recipe_of_every_field_uses_every_field() {
    let recipes = [
        include_str!("../../wire/golden/every_field.toml"),
        include_str!("../../wire/golden/trimmed.toml"),
        include_str!("../../wire/golden/ladder.toml"),
        include_str!("../../wire/golden/extracted.toml"),
    ]
    .map(|text| {
        let preset = RecipeFile::read(text, FileFormat::Toml).expect("sound");
        serde_json::to_value(&preset.recipe).expect("plain data")
    });
    for (pointer, fields) in [
        ("", fields::<RecipeDraft>()),
        ("/video/encode", fields::<VideoEncode>()),
        ("/audio_tracks", fields::<AudioTracks>()),
        ("/audio_tracks/rules/0", fields::<AudioRule>()),
        ("/subtitle_tracks", fields::<SubtitleTracks>()),
        ("/companions", fields::<Companions>()),
    ] {
        assert!(!fields.is_empty());
        for field in fields {
            let has = |recipe: &serde_json::Value| {
                let part = recipe.pointer(pointer);
                part.is_some_and(|part| part.get(&field).is_some())
            };
            assert!(recipes.iter().any(has), "{field} is missing in all files");
        }
    }
}
