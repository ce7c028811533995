//! What each source of a submission becomes: one output, or one for each rendition.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::job::companion::Suffix;
use crate::job::split::Split;
use crate::names::token::Token;
use crate::recipe::{NameError, NameTemplate, Outputs, OutputsError};
use crate::recipe::{Recipe, Video};
use crate::submit::feasible::{self, Infeasible};

/// The extension of HLS playlists.
const MASTER: &str = "m3u8";
/// The extension of DASH manifests.
const MANIFEST: &str = "mpd";
/// The ends of the names of files beside a rendition, as workers make them: its own playlist, and the longest of all.
/// How many tracks it has is not known yet.
const RENDITION: &[&str] = &["video.m3u8", "subtitles-100.m3u8"];

fn suffixes(ends: &[&str]) -> Vec<Suffix> {
    ends.iter()
        .filter_map(|end| Suffix::new(*end).ok())
        .collect()
}

/// The outputs of each source: their recipes, and how they are named. There is at least one.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSet {
    recipes: Vec<Recipe>,
    /// What tells the outputs of a source apart, for people; empty if there is only one.
    labels: Vec<String>,
    /// `None` for the names of sources.
    template: Option<NameTemplate>,
    preset: Option<Token>,
    /// Whether each output takes the place of its source.
    replaces: bool,
}

/// One file cannot be replaced by several.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "--replace needs one output for each source: leave the renditions out, or choose another container"
)]
pub struct SeveralOutputs;

/// Chunks are asked for, and no output can be made of some.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error(
    "chunks of {0} need a film that is encoded: copied video is not split, and neither are the renditions of a ladder"
)]
pub struct NothingToSplit(Split);

/// No source can have such outputs.
#[derive(Debug, thiserror::Error)]
pub enum OutputSetError {
    /// The renditions or the names do not fit the recipe.
    #[error(transparent)]
    Outputs(#[from] OutputsError),
    /// No encoder can make one of them.
    #[error(transparent)]
    Infeasible(#[from] Infeasible),
}

impl OutputSet {
    /// One output, named like its source.
    pub fn one(recipe: Recipe) -> Self {
        Self {
            recipes: vec![recipe],
            labels: Vec::new(),
            template: None,
            preset: None,
            replaces: false,
        }
    }

    /// The outputs that a recipe makes of each source. `preset` is the name of the preset in use, if any.
    ///
    /// # Errors
    /// If no source can have such outputs.
    pub fn new(
        recipe: &Recipe,
        outputs: &Outputs,
        preset: Option<Token>,
    ) -> Result<Self, OutputSetError> {
        outputs.check(recipe, preset.as_ref())?;
        let template = outputs.template();
        let recipes = outputs.recipes(recipe)?;
        recipes.iter().try_for_each(feasible::check)?;
        Ok(Self {
            recipes,
            labels: outputs.renditions.iter().map(ToString::to_string).collect(),
            template: (template != NameTemplate::stem()).then_some(template),
            preset,
            replaces: false,
        })
    }

    /// The same outputs, each of which takes the place of its source.
    ///
    /// # Errors
    /// If a source has several outputs, or its output is more than one file.
    pub fn that_replaces(mut self) -> Result<Self, SeveralOutputs> {
        if self.recipes.len() > 1 || self.is_ladder() {
            return Err(SeveralOutputs);
        }
        self.replaces = true;
        Ok(self)
    }

    /// Whether each output takes the place of its source.
    pub fn replaces(&self) -> bool {
        self.replaces
    }

    /// The recipe of each output.
    pub fn recipes(&self) -> &[Recipe] {
        &self.recipes
    }

    /// How many names each source needs: one for each output, and one for the master playlist of a ladder.
    pub(super) fn names(&self) -> usize {
        self.recipes.len() + usize::from(self.is_ladder())
    }

    /// The ends of the names of the files beside an output, by its number, or beside a ladder's master playlist.
    pub(super) fn companions(&self, number: usize) -> Vec<Suffix> {
        let Some(recipe) = self.recipes.get(number) else {
            return suffixes(&[MANIFEST]);
        };
        let mut companions = recipe.companions.suffixes();
        if self.is_ladder() {
            companions.extend(suffixes(RENDITION));
        }
        companions
    }

    /// Whether the outputs of a source are the renditions of a ladder.
    pub fn is_ladder(&self) -> bool {
        self.first().container.is_ladder()
    }

    /// Checks that outputs for which chunks are asked can be made of some. `auto` fits all.
    ///
    /// # Errors
    /// No video is encoded, or the outputs are the renditions of a ladder.
    pub fn check_split(&self, split: Split) -> Result<(), NothingToSplit> {
        let is_encode = matches!(self.first().video, Video::Encode(_));
        match split {
            Split::Every(_) if !is_encode || self.is_ladder() => Err(NothingToSplit(split)),
            _ => Ok(()),
        }
    }

    /// The recipe of the first output. All outputs have its encoder.
    pub fn first(&self) -> &Recipe {
        &self.recipes[0]
    }

    /// What tells an output, by its number, from the other outputs of its source; `None` if there is only one.
    pub fn label(&self, number: usize) -> Option<&str> {
        self.labels.get(number).map(String::as_str)
    }

    /// The path of an output, by its number, for a source with this path. If it is `whole`, the source's extension is a
    /// part of the name.
    ///
    /// # Errors
    /// If the template makes no name of the source's.
    pub(super) fn path(
        &self,
        source: &Path,
        number: usize,
        whole: bool,
    ) -> Result<PathBuf, NameError> {
        let recipe = &self.recipes[number];
        let extension = recipe.container.extension();
        let stem = match whole {
            true => source.file_name(),
            false => source.file_stem(),
        };
        let stem = stem.unwrap_or_default();
        let mut name = match &self.template {
            // File names need not be text.
            None => stem.to_owned(),
            Some(template) => {
                let text = stem
                    .to_str()
                    .ok_or_else(|| NameError::Path(stem.to_string_lossy().into_owned()))?;
                OsString::from(template.name(text, self.preset.as_ref(), recipe)?)
            }
        };
        name.push(".");
        name.push(extension);
        Ok(source.with_file_name("").join(name))
    }

    /// The path of a ladder's master playlist: beside its renditions, and named like the source.
    ///
    /// # Errors
    /// If the template makes no name of the source's.
    pub(super) fn master(&self, source: &Path, whole: bool) -> Result<PathBuf, NameError> {
        let stem = match whole {
            true => source.file_name(),
            false => source.file_stem(),
        };
        let mut name = stem.unwrap_or_default().to_owned();
        name.push(".");
        name.push(MASTER);
        Ok(self.path(source, 0, whole)?.with_file_name(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::encoder::Codec;
    use crate::recipe::{Choice, Container, VideoEncode};

    fn set(name: Option<&str>, renditions: &str) -> Result<OutputSet, OutputSetError> {
        let renditions = renditions.split(',').filter(|text| !text.is_empty());
        let outputs = Outputs {
            name: name.map(|name| name.parse().expect("a template")),
            renditions: renditions
                .map(|text| text.parse().expect("a rendition"))
                .collect(),
        };
        let encode = VideoEncode::new(Choice::Codec(Codec::H264));
        let recipe = Recipe::encode(encode).expect("sound");
        OutputSet::new(&recipe, &outputs, None)
    }

    #[test]
    fn each_rendition_has_a_path_beside_the_others() {
        let ladder = set(None, "1080p,720p:3M").expect("they differ");
        let path = |number, whole| {
            let path = ladder.path(Path::new("sub/a.b.mp4"), number, whole);
            path.expect("a name").display().to_string()
        };
        assert_eq!(path(0, false), "sub/a.b-1080p.mkv");
        assert_eq!(path(1, false), "sub/a.b-720p.mkv");
        assert_eq!(path(1, true), "sub/a.b.mp4-720p.mkv");
        assert_eq!(ladder.label(1), Some("720p:3M"));
        assert_eq!(ladder.label(2), None);
        let sorted = set(Some("{codec}/{stem}"), "").expect("one");
        let path = sorted.path(Path::new("sub/a.mp4"), 0, false);
        assert_eq!(path.expect("a name"), Path::new("sub/h264/a.mkv"));
        assert!(set(Some("{stem}"), "1080p,720p").is_err());
    }

    #[test]
    fn the_renditions_of_a_ladder_lie_beside_its_master_files() {
        let ladder = |name: Option<&str>, renditions: &str| {
            let renditions = renditions.split(',').filter(|text| !text.is_empty());
            let outputs = Outputs {
                name: name.map(|name| name.parse().expect("a template")),
                renditions: renditions.map(|text| text.parse().expect("one")).collect(),
            };
            let recipe = Recipe::encode(VideoEncode::new(Choice::Codec(Codec::H264)));
            let recipe = recipe
                .expect("sound")
                .edit(|draft| draft.container = Container::Cmaf);
            OutputSet::new(&recipe.expect("sound"), &outputs, None)
                .map_err(|error| error.to_string())
        };
        let set = ladder(Some("{codec}/{stem}-{height}"), "720p,480p").expect("beside each other");
        let master = |whole| set.master(Path::new("sub/a.b.mov"), whole).expect("a name");
        assert_eq!(master(false), Path::new("sub/h264/a.b.m3u8"));
        assert_eq!(master(true), Path::new("sub/h264/a.b.mov.m3u8"));
        let one = ladder(None, "").expect("one");
        let path = |made: Result<PathBuf, NameError>| made.expect("a name").display().to_string();
        let film = Path::new("film.mov");
        assert_eq!(path(one.path(film, 0, false)), "film.mp4");
        assert_eq!(path(one.master(film, false)), "film.m3u8");
        let refused = ladder(Some("{height}/{stem}-x"), "720p,480p").expect_err("scattered");
        assert!(refused.contains("different folders"), "{refused}");
    }

    #[test]
    fn names_of_sources_stay_whatever_they_are() {
        let one = set(None, "").expect("one");
        let path = |source: &str, whole| one.path(Path::new(source), 0, whole);
        assert_eq!(
            path("two\nlines.mp4", false).expect("a name"),
            Path::new("two\nlines.mkv")
        );
        assert_eq!(path("a.mp4", true).expect("a name"), Path::new("a.mp4.mkv"));
        let named = set(Some("{stem}-x"), "").expect("one");
        let refused = named.path(Path::new("two\nlines.mp4"), 0, false);
        assert!(refused.is_err());
    }
}
