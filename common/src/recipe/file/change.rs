//! Changing one field of a recipe, by its name in recipe files.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::recipe::file::explain::{explain, fields};
use crate::recipe::file::{FileError, RecipeFile};
use crate::recipe::preset::Preset;

/// A field with its new value: `video.encode.scale=720p`. The table `video.encode` may be left out. No value resets the
/// field to its default.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldChange {
    path: Vec<String>,
    value: String,
}

/// The text changes no field.
#[derive(Debug, thiserror::Error)]
#[error(
    "'{0}' changes no field: expected FIELD=VALUE, e.g. video.encode.scale=720p or audio_tracks.downmix=stereo"
)]
pub struct FieldChangeError(String);

impl FromStr for FieldChange {
    type Err = FieldChangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || FieldChangeError(text.to_owned());
        let (path, value) = text.split_once('=').ok_or_else(error)?;
        let path: Vec<String> = path.split('.').map(|name| name.trim().to_owned()).collect();
        if path.iter().any(String::is_empty) {
            return Err(error());
        }
        Ok(Self {
            path,
            value: value.trim().to_owned(),
        })
    }
}

impl FieldChange {
    /// Whether the field says whether and how video is made.
    pub fn is_of_video(&self) -> bool {
        let is_at_top = fields::<RecipeFile>().contains(&self.path[0]);
        self.path[0] == "video" || !is_at_top
    }

    /// The preset with the field changed.
    ///
    /// # Errors
    /// There is no such field, it has no such value, or the changed recipe breaks a rule.
    pub fn apply(&self, preset: Preset) -> Result<Preset, FileError> {
        let file = serde_json::to_value(RecipeFile::from(preset))
            .map_err(|error| self.refused(&error.to_string()))?;
        let path = self.whole_path(&file);
        if path == ["version"] || path == ["$schema"] {
            return Err(self.refused("that is a field of the file, not of the recipe"));
        }
        let mut seen = None;
        for value in self.values() {
            let mut changed = file.clone();
            set(&mut changed, &path, value);
            let read = serde_json::from_value::<RecipeFile>(changed);
            let error = match read.map(RecipeFile::preset) {
                Ok(Ok(preset)) => return Ok(preset),
                // The value was understood.
                Ok(Err(error)) => return Err(self.refused(&error.to_string())),
                Err(error) => explain(&error.to_string()),
            };
            // What is wrong with the value as it is written comes first.
            seen.get_or_insert(error);
        }
        Err(self.refused(&seen.unwrap_or_default()))
    }

    fn refused(&self, what: &str) -> FileError {
        FileError {
            place: None,
            what: format!("--set {}={}: {what}", self.path.join("."), self.value),
        }
    }

    /// The path from the top of a file.
    fn whole_path(&self, file: &Value) -> Vec<String> {
        let is_at_top = fields::<RecipeFile>().contains(&self.path[0]);
        let is_encode = file.pointer("/video/encode").is_some();
        let table: &[&str] = match !is_at_top && is_encode {
            true => &["video", "encode"],
            false => &[],
        };
        let table = table.iter().map(|name| (*name).to_owned());
        table.chain(self.path.iter().cloned()).collect()
    }

    /// What the value may mean: as TOML, or as text without quotes. `None` for the default.
    fn values(&self) -> Vec<Option<Value>> {
        if self.value.is_empty() {
            return vec![None];
        }
        let table = toml::from_str::<Map<String, Value>>(&format!("value = {}", self.value));
        let toml = table.ok().and_then(|mut table| table.remove("value"));
        let text = Value::String(self.value.clone());
        toml.into_iter().chain([text]).map(Some).collect()
    }
}

/// Sets or removes a field. Tables are made where they are missing.
fn set(value: &mut Value, path: &[String], new: Option<Value>) {
    let Some((name, rest)) = path.split_first() else {
        return;
    };
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    let Value::Object(table) = value else { return };
    match (rest, new) {
        ([], Some(new)) => {
            table.insert(name.clone(), new);
        }
        ([], None) => {
            table.remove(name);
        }
        (rest, new) => set(table.entry(name).or_insert(Value::Null), rest, new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::preset::Presets;

    fn changed(preset: &str, change: &str) -> Result<String, String> {
        let presets = Presets::built_in();
        let name = preset.parse().expect("a name");
        let preset = presets.find(&name).expect("built in").preset.clone();
        let change: FieldChange = change
            .parse()
            .map_err(|error: FieldChangeError| error.to_string())?;
        let preset = change.apply(preset).map_err(|error| error.to_string())?;
        Ok(preset.recipe.to_string())
    }

    #[test]
    fn every_field_can_be_changed_and_reset() {
        let before = "any hevc encoder, quality 60, deinterlaced if combed, crop auto, mkv";
        for (change, after) in [
            ("crop=", before.replace(", crop auto", "")),
            ("video.encode.crop=loose", before.replace("auto", "loose")),
            ("crop = \"10:10:0:0\"", before.replace("auto", "10:10:0:0")),
            ("crop=10:10:0:0", before.replace("auto", "10:10:0:0")),
            ("rate={ crf = 20 }", before.replace("quality 60", "CRF 20")),
            ("container=mp4", before.replace("mkv", "mp4")),
            (
                "with={ encoder = \"libx265\" }",
                before.replace("any hevc encoder", "libx265"),
            ),
            (
                "detelecine=true",
                before.replace("combed,", "combed, detelecined,"),
            ),
            ("preset=8", before.replace("60,", "60, preset 8,")),
            (
                "subtitle_tracks.forced=drop",
                before.replace("mkv", "no forced subtitles, mkv"),
            ),
            (
                "audio_tracks.ensure=[{ encoder = \"aac\", channels = 2 }]",
                before.replace("mkv", "with aac of 2 channels, mkv"),
            ),
        ] {
            assert_eq!(changed("dvd", change).expect(change), after);
        }
    }

    #[test]
    fn changes_of_the_video_are_told_from_others() {
        for (change, is_of_video) in [
            ("crop=auto", true),
            ("video.encode.scale=720p", true),
            ("video=copy", true),
            ("companions.preview=true", false),
            ("container=mp4", false),
        ] {
            let change: FieldChange = change.parse().expect("a change");
            assert_eq!(change.is_of_video(), is_of_video, "{change:?}");
        }
    }

    #[test]
    fn a_change_that_makes_no_sense_is_refused_with_a_way_out() {
        for (change, words) in [
            ("crop", "expected FIELD=VALUE"),
            ("=auto", "expected FIELD=VALUE"),
            ("crp=auto", "did you mean 'crop'?"),
            ("crop=sideways", "expected auto, loose"),
            ("deband=maybe", "true or false"),
            ("container=webm", "webm cannot hold hevc"),
            ("video=", "the field 'video' is missing"),
            ("version=9", "a field of the file"),
            ("version=1", "a field of the file"),
            ("$schema=x", "a field of the file"),
        ] {
            let error = changed("dvd", change).expect_err(change);
            assert!(error.contains(words), "{change}: {error}");
        }
    }
}
