//! Presets: recipes with a name. Some are built in; a farm stores those that people save, and may name one as the
//! default of jobs.

mod built_in;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::printable::printable;
use crate::names::similar::did_you_mean;
use crate::names::token::Token;
use crate::recipe::Recipe;
use crate::recipe::outputs::{Outputs, OutputsError};
use crate::wire;
use crate::wire::is_default;

/// A recipe to be known by a name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    /// How to encode.
    pub recipe: Recipe,
    /// The preset's purpose, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The names and sizes of the outputs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub outputs: Outputs,
}

impl wire::Message for Preset {}

/// The note is not one line of allowed length.
#[derive(Debug, thiserror::Error)]
#[error(
    "a preset's note is one line of at most {} characters",
    Preset::LONGEST_NOTE
)]
pub struct NoteError;

impl Preset {
    /// Most characters of a note.
    pub const LONGEST_NOTE: usize = 200;

    /// A preset; a blank note counts as no note.
    ///
    /// # Errors
    /// The note is not one line of allowed length.
    pub fn new(recipe: Recipe, note: Option<&str>) -> Result<Self, NoteError> {
        let note = note.map(str::trim).filter(|note| !note.is_empty());
        if note.is_some_and(|note| {
            note.chars().count() > Self::LONGEST_NOTE || printable(note) != note
        }) {
            return Err(NoteError);
        }
        Ok(Self {
            recipe,
            note: note.map(str::to_owned),
            outputs: Outputs::default(),
        })
    }

    /// The preset with outputs of these names and renditions; `name` is the preset's own.
    ///
    /// # Errors
    /// No source can have such outputs.
    pub fn with_outputs(self, name: &Token, outputs: Outputs) -> Result<Self, OutputsError> {
        outputs.check(&self.recipe, Some(name))?;
        Ok(Self { outputs, ..self })
    }
}

/// `any h264 encoder, quality 57, mp4, as 1080p and 720p:3M, named {stem}-{height}p`.
impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.recipe.fmt(f)?;
        let Outputs { name, renditions } = &self.outputs;
        if !renditions.is_empty() {
            let sizes: Vec<String> = renditions.iter().map(ToString::to_string).collect();
            write!(f, ", as {}", sizes.join(" and "))?;
        }
        name.as_ref()
            .map_or(Ok(()), |name| write!(f, ", named {name}"))
    }
}

/// A preset with its name and origin.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// The preset's name.
    pub name: Token,
    /// The preset.
    #[serde(flatten)]
    pub preset: Preset,
    /// Whether a preset of this name is built in. If one is saved as well, the saved one is used.
    pub built_in: bool,
    /// The revision of the saved preset; `None` if none is saved under this name.
    pub revision: Option<u64>,
}

/// Every preset of a farm.
#[derive(Clone, Debug, PartialEq)]
pub struct Presets {
    listed: BTreeMap<Token, Listed>,
    default: Option<Token>,
}

/// There is no preset of that name.
#[derive(Debug, thiserror::Error)]
#[error("there is no preset '{name}': {known}")]
pub struct UnknownPreset {
    name: Token,
    /// The existing presets, in words.
    known: String,
}

impl Presets {
    /// The built-in presets, for use without a farm.
    pub fn built_in() -> Self {
        Self::new([], None)
    }

    /// The saved presets, each with its revision, and the built-in ones.
    pub fn new(
        saved: impl IntoIterator<Item = (Token, Preset, u64)>,
        default: Option<Token>,
    ) -> Self {
        let built_in = built_in::built_in().iter().map(|(name, preset)| Listed {
            name: name.clone(),
            preset: preset.clone(),
            built_in: true,
            revision: None,
        });
        let mut listed: BTreeMap<Token, Listed> = built_in
            .map(|built_in| (built_in.name.clone(), built_in))
            .collect();
        for (name, preset, revision) in saved {
            let one = Listed {
                built_in: listed.contains_key(&name),
                name: name.clone(),
                preset,
                revision: Some(revision),
            };
            listed.insert(name, one);
        }
        Self { listed, default }
    }

    /// Every preset, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Listed> {
        self.listed.values()
    }

    /// The preset of that name.
    ///
    /// # Errors
    /// There is none; the error lists the existing ones.
    pub fn find(&self, name: &Token) -> Result<&Listed, UnknownPreset> {
        self.listed.get(name).ok_or_else(|| {
            let names: Vec<&str> = self.listed.keys().map(Token::as_str).collect();
            let similar = did_you_mean(name.as_str(), &names);
            UnknownPreset {
                name: name.clone(),
                known: format!("{similar}there are {}", names.join(", ")),
            }
        })
    }

    /// The name of the default preset, if one is set.
    pub fn default_name(&self) -> Option<&Token> {
        self.default.as_ref()
    }

    /// The default preset, if one is set.
    ///
    /// # Errors
    /// The default names a preset that does not exist any more.
    pub fn default_preset(&self) -> Result<Option<&Listed>, UnknownPreset> {
        self.default
            .as_ref()
            .map(|name| self.find(name))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::encoder::Codec;
    use crate::recipe::{Choice, Container, VideoEncode};

    fn name(text: &str) -> Token {
        text.parse().expect("a name")
    }

    #[test]
    fn built_in_presets_are_sound() {
        let presets = Presets::built_in();
        assert!(presets.iter().count() > 20);
        for Listed { name, preset, .. } in presets.iter() {
            let note = preset.note.as_deref().unwrap_or_default();
            assert!(note.len() > 20, "{name} does not say what it is for");
            let encode = preset.recipe.video_encode();
            let named = encode.map_or(0, |encode| encode.with.encoders().len());
            let may = ["discord-10mb", "anime-hevc", "film-grain-av1"];
            assert!(named == 0 || may.contains(&name.as_str()), "{name}");
        }
    }

    #[test]
    fn a_saved_preset_replaces_the_built_in_one() {
        let recipe = Recipe::encode(VideoEncode::new(Choice::Codec(Codec::Av1)))
            .and_then(|recipe| recipe.edit(|draft| draft.container = Container::Webm))
            .expect("sound");
        let own = Preset::new(recipe, Some("  ours ")).expect("sound");
        assert_eq!(own.note.as_deref(), Some("ours"));
        let saved = ["small-av1", "ours"].map(|text| (name(text), own.clone(), 7));
        let presets = Presets::new(saved, Some(name("gone")));
        let found = presets.find(&name("small-av1")).expect("it is there");
        assert!(found.built_in && found.revision == Some(7) && found.preset == own);
        assert!(!presets.find(&name("ours")).expect("it is there").built_in);
        let error = presets.default_preset().expect_err("it is gone");
        let error = error.to_string();
        assert!(error.starts_with("there is no preset 'gone': there are 4k-hdr-hevc, "));
        let error = presets.find(&name("web-1080")).expect_err("a typing error");
        let error = error.to_string();
        assert!(
            error.contains("did you mean web-1080p? there are"),
            "{error}"
        );
    }

    #[test]
    fn a_note_is_one_line() {
        let video = VideoEncode::new(Choice::Codec(Codec::Av1));
        let recipe = || Recipe::encode(video.clone()).expect("sound");
        for bad in ["two\nlines", "\u{1b}[2J", &"x".repeat(201)] {
            assert!(Preset::new(recipe(), Some(bad)).is_err(), "{bad}");
        }
        assert_eq!(Preset::new(recipe(), Some(" ")).expect("sound").note, None);
    }
}
