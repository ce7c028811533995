//! The outputs that one source becomes: their names, and renditions of several sizes.

mod codec_words;
mod name;
mod rendition;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::names::token::Token;
use crate::recipe::error::RecipeError;
use crate::recipe::{Audio, AudioTracks, Captions, Recipe, RecipeDraft, SubtitleTracks, Subtitles};

pub use name::{NameError, NameTemplate, Placeholder};
pub use rendition::{Rendition, RenditionError};

/// The outputs that one source becomes: one, or one for each rendition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Outputs {
    /// The outputs' names; `{stem}` if not given, or `{stem}-{height}p` for renditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<NameTemplate>,
    /// The sizes of the outputs. Empty: one output, of the size that the recipe says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renditions: Vec<Rendition>,
}

/// Why a source cannot have such outputs, whatever it is.
#[derive(Debug, thiserror::Error)]
pub enum OutputsError {
    /// The list of renditions is there and empty.
    #[error("the list of renditions is empty: name one at least, e.g. 720p, or leave the list out")]
    Empty,
    /// A rendition does not fit the recipe.
    #[error("rendition {rendition}: {error}")]
    Rendition {
        /// The rendition.
        rendition: Rendition,
        /// The reason.
        error: RenditionError,
    },
    /// The recipe of a rendition breaks a rule.
    #[error("rendition {rendition}: {error}")]
    Recipe {
        /// The rendition.
        rendition: Rendition,
        /// The rule.
        error: Box<RecipeError>,
    },
    /// The template has a placeholder without a value, or makes a path that is not allowed.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The renditions of a ladder would lie in different folders.
    #[error(
        "the renditions {one} and {other} of a ladder would lie in different folders, and its master files name files beside them: give a name template whose folders do not differ"
    )]
    Scattered {
        /// A rendition.
        one: Rendition,
        /// Another one.
        other: Rendition,
    },
    /// Two renditions of a source would be written to the same file.
    #[error(
        "the renditions {one} and {other} would both be named '{name}': give a name template in which they differ, e.g. {{stem}}-{{height}}p or {{stem}}-{{bitrate}}"
    )]
    Same {
        /// A rendition.
        one: Rendition,
        /// A later one.
        other: Rendition,
        /// Their name, for a source named `film`.
        name: String,
    },
}

/// A source's name for checks.
const SAMPLE: &str = "film";

impl Outputs {
    /// Outputs of these names and renditions; `None` for no list of renditions.
    ///
    /// # Errors
    /// The list of renditions is empty.
    pub fn new(
        name: Option<NameTemplate>,
        renditions: Option<Vec<Rendition>>,
    ) -> Result<Self, OutputsError> {
        match renditions {
            Some(renditions) if renditions.is_empty() => Err(OutputsError::Empty),
            renditions => Ok(Self {
                name,
                renditions: renditions.unwrap_or_default(),
            }),
        }
    }

    /// The template of the outputs' names.
    pub fn template(&self) -> NameTemplate {
        let default = || match self.renditions.is_empty() {
            true => NameTemplate::stem(),
            false => NameTemplate::height(),
        };
        self.name.clone().unwrap_or_else(default)
    }

    /// The recipe of each output, in the order of the renditions.
    ///
    /// # Errors
    /// A rendition does not fit the recipe.
    pub fn recipes(&self, recipe: &Recipe) -> Result<Vec<Recipe>, OutputsError> {
        if self.renditions.is_empty() {
            return Ok(vec![recipe.clone()]);
        }
        let last = self.renditions.len() - 1;
        let of = |(number, rendition): (usize, &Rendition)| {
            let mut draft = RecipeDraft::clone(recipe);
            if draft.container.is_ladder() && number != last {
                leave_out_sound(&mut draft);
            }
            let applied = rendition.apply(&mut draft);
            applied.map_err(|error| OutputsError::Rendition {
                rendition: *rendition,
                error,
            })?;
            Recipe::new(draft).map_err(|error| OutputsError::Recipe {
                rendition: *rendition,
                error: Box::new(error),
            })
        };
        self.renditions.iter().enumerate().map(of).collect()
    }

    /// Refuses outputs that no source can have; `preset` is the name of the preset in use, if any.
    ///
    /// # Errors
    /// A rendition does not fit the recipe, a placeholder has no value, or two outputs would have the same name.
    pub fn check(&self, recipe: &Recipe, preset: Option<&Token>) -> Result<(), OutputsError> {
        let template = self.template();
        let recipes = self.recipes(recipe)?;
        let names = recipes
            .iter()
            .map(|recipe| template.name(SAMPLE, preset, recipe))
            .collect::<Result<Vec<_>, _>>()?;
        for (at, name) in names.iter().enumerate() {
            if let Some(first) = names[..at].iter().position(|earlier| earlier == name) {
                return Err(OutputsError::Same {
                    one: self.renditions[first],
                    other: self.renditions[at],
                    name: name.clone(),
                });
            }
            let folder = |name: &String| Path::new(name).parent().map(Path::to_owned);
            if recipe.container.is_ladder() && folder(name) != folder(&names[0]) {
                return Err(OutputsError::Scattered {
                    one: self.renditions[0],
                    other: self.renditions[at],
                });
            }
        }
        Ok(())
    }
}

/// Leaves sound and subtitles to another rendition: a ladder has them once, beside the last rendition of the list.
fn leave_out_sound(draft: &mut RecipeDraft) {
    draft.audio = Audio::None;
    draft.audio_tracks = AudioTracks::default();
    draft.captions = Captions::Keep;
    // Which track is drawn into the picture depends on them.
    let draws = draft
        .video_encode()
        .is_some_and(|video| video.burn_in.is_some());
    draft.subtitles = Subtitles::None;
    draft.subtitle_tracks.extract = false;
    if !draws {
        draft.subtitle_tracks = SubtitleTracks::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::encoder::Codec;
    use crate::recipe::{Choice, Container, Rate, VideoEncode};

    fn outputs(name: Option<&str>, renditions: &str) -> Outputs {
        let renditions = renditions.split(',').filter(|text| !text.is_empty());
        Outputs {
            name: name.map(|name| name.parse().expect("a template")),
            renditions: renditions
                .map(|text| text.parse().expect("a rendition"))
                .collect(),
        }
    }

    fn recipe() -> Recipe {
        let mut encode = VideoEncode::new(Choice::Codec(Codec::H264));
        encode.rate = Rate::Bitrate("6M".parse().expect("a bitrate"));
        Recipe::encode(encode).expect("sound")
    }

    #[test]
    fn each_rendition_has_a_recipe_and_a_name() {
        let ladder = outputs(None, "1080p,720p:3M");
        let recipes = ladder.recipes(&recipe()).expect("two recipes");
        let words: Vec<String> = recipes.iter().map(ToString::to_string).collect();
        assert_eq!(
            words,
            [
                "any h264 encoder, 6 Mbit/s, 1080p, mkv",
                "any h264 encoder, 3 Mbit/s, 720p, mkv"
            ]
        );
        let template = ladder.template();
        let names = recipes.iter().map(|recipe| {
            let name = template.name("a film", None, recipe);
            name.expect("a name")
        });
        assert_eq!(names.collect::<Vec<_>>(), ["a film-1080p", "a film-720p"]);
        ladder.check(&recipe(), None).expect("they differ");
        let plain = Outputs::default();
        assert_eq!(plain.recipes(&recipe()).expect("one"), [recipe()]);
        plain.check(&recipe(), None).expect("one output");
    }

    #[test]
    fn a_ladder_has_its_sound_once() {
        let recipe = recipe().edit(|draft| {
            draft.container = Container::Cmaf;
            draft.audio_tracks.languages = vec!["eng".parse().expect("a language")];
        });
        let recipes = outputs(None, "1080p,720p,480p").recipes(&recipe.expect("sound"));
        let words: Vec<String> = recipes
            .expect("three")
            .iter()
            .map(ToString::to_string)
            .collect();
        let silent = "no audio, no subtitles, cmaf";
        assert_eq!(
            words,
            [
                format!("any h264 encoder, 6 Mbit/s, 1080p, {silent}"),
                format!("any h264 encoder, 6 Mbit/s, 720p, {silent}"),
                "any h264 encoder, 6 Mbit/s, 480p, audio in eng, cmaf".to_owned(),
            ]
        );
    }

    #[test]
    fn outputs_that_no_source_can_have_are_refused() {
        for (name, renditions, why) in [
            (Some("{stem}"), "1080p,720p", "would both be named 'film'"),
            (None, "720p:3M,720p:2M", "720p:3M and 720p:2M would both"),
            (None, "1280x-2", "{height} has no value"),
            (Some("{stem}-{preset}"), "", "{preset} has no value"),
        ] {
            let error = outputs(name, renditions).check(&recipe(), None);
            let error = error.expect_err(why).to_string();
            assert!(error.contains(why), "{error}");
        }
        let preset = "ours".parse().expect("a name");
        outputs(Some("{preset}/{stem}-{bitrate}"), "720p:3M,720p:2M")
            .check(&recipe(), Some(&preset))
            .expect("they differ");
        let error = outputs(None, "720p").check(&Recipe::copy(), None);
        let error = error.expect_err("no encode").to_string();
        assert!(error.contains("rendition 720p"), "{error}");
        let error = Outputs::new(None, Some(Vec::new())).expect_err("empty");
        assert!(error.to_string().contains("name one at least"), "{error}");
    }
}
