//! Recipe files: a recipe as people write and keep it, in TOML or JSON.
//!
//! A file has a version, a note, and what the outputs are called, beside the recipe's fields at top level. Unknown
//! fields are refused.

mod change;
mod explain;
mod place;
mod read;
#[cfg(feature = "openapi")]
mod schema;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::recipe::audio::{Audio, AudioTracks};
use crate::recipe::companions::Companions;
use crate::recipe::container::Container;
use crate::recipe::loss::Kind;
use crate::recipe::outputs::{NameTemplate, Outputs, Rendition};
use crate::recipe::preset::Preset;
use crate::recipe::segment::Segment;
use crate::recipe::subtitles::{Captions, SubtitleTracks, Subtitles};
use crate::recipe::trim::Trim;
use crate::recipe::video::Video;
use crate::recipe::{Recipe, RecipeDraft};
use crate::wire::is_default;

pub use change::{FieldChange, FieldChangeError};
pub use place::Place;
pub use read::FileError;

/// The two forms of recipe files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

/// A recipe file. It is no part of any message: programs send each other recipes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(
    feature = "openapi",
    schema(description = "A recipe file of ffmpeg-easy.")
)]
pub struct RecipeFile {
    /// Where an editor finds the schema of recipe files; has no other meaning.
    #[serde(rename = "$schema", default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The version of the form of recipe files.
    #[serde(default = "RecipeFile::newest")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1))]
    pub version: u32,
    /// The purpose, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The names of the outputs, without their extension.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<NameTemplate>,
    /// Sizes of the outputs: each source becomes an output of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(min_items = 1))]
    pub renditions: Option<Vec<Rendition>>,
    /// The file format of the output.
    #[serde(default)]
    pub container: Container,
    /// Seconds of a segment of a ladder (container `cmaf`); 6 if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment_seconds: Option<Segment>,
    /// The part of the input that becomes the output; all of it if not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim: Option<Trim>,
    /// Kinds of things that must not be lost: a job whose output would lose one fails.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub refuse_loss: BTreeSet<Kind>,
    /// Whether a damaged input is refused, even if an output can be made of the rest.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strict_input: bool,
    /// The subtitle streams.
    #[serde(default)]
    pub subtitles: Subtitles,
    /// The closed captions inside the video.
    #[serde(default, skip_serializing_if = "is_default")]
    pub captions: Captions,
    /// The video streams.
    pub video: Video,
    /// The audio streams.
    #[serde(default)]
    pub audio: Audio,
    /// Which audio tracks the output has, and how single tracks are made.
    #[serde(default, skip_serializing_if = "is_default")]
    pub audio_tracks: AudioTracks,
    /// Which subtitle tracks the output has.
    #[serde(default, skip_serializing_if = "is_default")]
    pub subtitle_tracks: SubtitleTracks,
    /// Which files are made beside the output.
    #[serde(default, skip_serializing_if = "is_default")]
    pub companions: Companions,
}

/// Of a preset: its recipe and the rest.
impl From<Preset> for RecipeFile {
    fn from(preset: Preset) -> Self {
        let Preset {
            recipe,
            note,
            outputs,
        } = preset;
        // Every field is named, so that none can be forgotten.
        let RecipeDraft {
            video,
            audio,
            audio_tracks,
            subtitles,
            subtitle_tracks,
            captions,
            trim,
            container,
            segment_seconds,
            companions,
            refuse_loss,
            strict_input,
        } = recipe.into_draft();
        let Outputs { name, renditions } = outputs;
        Self {
            schema: None,
            version: Self::VERSION,
            note,
            name,
            renditions: (!renditions.is_empty()).then_some(renditions),
            container,
            segment_seconds,
            trim,
            refuse_loss,
            strict_input,
            subtitles,
            captions,
            video,
            audio,
            audio_tracks,
            subtitle_tracks,
            companions,
        }
    }
}

impl RecipeFile {
    /// The version of the form of recipe files that this program writes.
    pub const VERSION: u32 = 1;
    /// The name of the file with the schema, as recipe files name it.
    pub const SCHEMA: &'static str = "recipe.schema.json";

    fn newest() -> u32 {
        Self::VERSION
    }

    /// Reads and checks a recipe file.
    ///
    /// # Errors
    /// What is wrong, where, and what to do.
    pub fn read(text: &str, format: FileFormat) -> Result<Preset, FileError> {
        read::read(text, format)
    }

    /// The file as TOML, with a hint for editors.
    pub fn to_toml(&self) -> String {
        let body = toml::to_string(self).expect("recipes are plain data with string keys");
        format!("#:schema {}\n{body}", Self::SCHEMA)
    }

    /// The file as JSON, with a hint for editors.
    pub fn to_json(&self) -> String {
        let hinted = Self {
            schema: Some(Self::SCHEMA.to_owned()),
            ..self.clone()
        };
        serde_json::to_string_pretty(&hinted).expect("recipes are plain data with string keys")
    }

    /// The preset that the file says.
    fn preset(self) -> Result<Preset, read::Unsound> {
        let Self {
            schema: _,
            version: _,
            note,
            name,
            renditions,
            container,
            segment_seconds,
            trim,
            refuse_loss,
            strict_input,
            subtitles,
            captions,
            video,
            audio,
            audio_tracks,
            subtitle_tracks,
            companions,
        } = self;
        let recipe = Recipe::new(RecipeDraft {
            video,
            audio,
            audio_tracks,
            subtitles,
            subtitle_tracks,
            captions,
            trim,
            container,
            segment_seconds,
            companions,
            refuse_loss,
            strict_input,
        })?;
        let outputs = Outputs::new(name, renditions)?;
        // A stand-in: the name of the preset is known only to its user.
        let any = crate::names::token::Token::from_static("preset");
        outputs.check(&recipe, Some(&any))?;
        let preset = Preset::new(recipe, note.as_deref())?;
        Ok(Preset { outputs, ..preset })
    }
}

#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod tests;
