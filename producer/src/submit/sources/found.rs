//! What a search for media has found.

use std::path::PathBuf;

use common::farm::preview::ForecastRequest;
use common::job::further::FurtherInput;
use common::job::input::Input;
use common::job::work::Work;
use common::names::location::Location;
use common::recipe::Recipe;
use common::rules::Rules;
use common::submit::naming::NamedSource;

use crate::submit::sniff;
use crate::submit::sniff::NoVideo;

/// Files without video that are printed.
const TOLD: usize = 5;

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SourceFile {
    pub input: Input,
    /// Its path below the folder that was given, or its name.
    pub name: PathBuf,
    /// Whether a person named the file itself, not a folder above it.
    pub is_named: bool,
    /// Further files that its job reads.
    pub further: Vec<FurtherInput>,
}

#[derive(Debug, Default)]
pub(crate) struct FoundFiles {
    /// Whether sound without video counts as media.
    pub takes_sound: bool,
    /// Media in the order of the arguments and of names, each file once unless the search keeps repeats.
    pub sources: Vec<SourceFile>,
    /// Files of folders whose extension is not of media.
    pub no_media: usize,
    /// Files of folders that hold no video, and why.
    pub no_video: Vec<(PathBuf, NoVideo)>,
    /// Hidden files and folders.
    pub hidden: usize,
    /// Files that `--include` and `--exclude` leave out.
    pub excluded: usize,
    /// Paths that could not be read, each with the reason.
    pub unreadable: Vec<String>,
    /// Links to files that are gone.
    pub dangling: Vec<PathBuf>,
    /// Subtitle files beside media that do not become tracks, each with a way out.
    pub unsupported: Vec<String>,
}

impl FoundFiles {
    /// Whether all files and folders could be read.
    pub(crate) fn is_complete(&self) -> bool {
        self.unreadable.is_empty() && self.dangling.is_empty()
    }

    /// What was in the way of some files, one warning each.
    pub(crate) fn warnings(&self) -> impl Iterator<Item = String> {
        let unreadable = self.unreadable.iter();
        let unreadable = unreadable.map(|problem| format!("cannot read {problem}"));
        let dangling = self.dangling.iter().map(|link| {
            let link = link.display();
            format!("{link} is a link to a file that is gone: remove it, or bring the file back")
        });
        unreadable
            .chain(dangling)
            .chain(self.unsupported.iter().cloned())
    }

    /// Leaves out local files that hold no video, or neither video nor sound. Returns those that a person named, each
    /// with the reason.
    pub(crate) fn sift(&mut self) -> Vec<(PathBuf, NoVideo)> {
        let takes_sound = self.takes_sound;
        let mut refused = Vec::new();
        let no_video = &mut self.no_video;
        let unreadable = &mut self.unreadable;
        self.sources
            .retain(|source| match source.unfit(takes_sound) {
                Ok(None) => true,
                Ok(Some(why)) => {
                    let list = if source.is_named {
                        &mut refused
                    } else {
                        &mut *no_video
                    };
                    list.push((source.name.clone(), why));
                    false
                }
                Err(error) => {
                    unreadable.push(format!("{}: {error}", source.input.location));
                    false
                }
            });
        refused
    }

    pub(crate) fn bytes(&self) -> u64 {
        let inputs = self.sources.iter().flat_map(SourceFile::inputs);
        inputs.map(|input| input.size).sum()
    }

    /// `1 no media, 2 hidden`; empty where nothing was skipped.
    pub(crate) fn skipped(&self) -> String {
        let parts: Vec<String> = [
            (self.no_media, "no media"),
            (self.no_video.len(), "no video"),
            (self.hidden, "hidden"),
            (self.excluded, "excluded"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        parts.join(", ")
    }

    /// `1 file is no video: app/index.ts (text)`.
    pub(crate) fn without_video(&self) -> Option<String> {
        let told = self.no_video.iter().take(TOLD);
        let mut names: Vec<String> = told
            .map(|(name, why)| format!("{} ({why})", name.display()))
            .collect();
        if self.no_video.len() > names.len() {
            names.push("…".to_owned());
        }
        match self.no_video.len() {
            0 => None,
            1 => Some(format!("1 file is no video: {}", names.join(", "))),
            many => Some(format!("{many} files are no video: {}", names.join(", "))),
        }
    }
}

impl SourceFile {
    /// A file that its job reads alone.
    pub(crate) fn new(input: Input, name: PathBuf, is_named: bool) -> Self {
        Self {
            input,
            name,
            is_named,
            further: Vec::new(),
        }
    }

    /// The files that its job reads.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = &Input> {
        let further = self.further.iter().map(|further| &further.input);
        std::iter::once(&self.input).chain(further)
    }

    /// What a job does that makes `output` from it.
    pub(crate) fn work(&self, recipe: &Recipe, output: Location) -> Work {
        Work {
            further: self.further.clone(),
            ..Work::new(self.input.clone(), recipe.clone(), output)
        }
    }

    /// What a worker is asked to foresee.
    pub(crate) fn asks(&self, recipe: &Recipe, rules: &Rules) -> ForecastRequest {
        ForecastRequest {
            rules: rules.clone(),
            input: self.input.clone(),
            further: self.further.clone(),
            recipe: recipe.clone(),
        }
    }

    pub(crate) fn named(&self) -> NamedSource<'_> {
        NamedSource {
            name: &self.name,
            location: &self.input.location,
        }
    }

    /// Why the file is certain to hold no video, or neither video nor sound if `takes_sound`. Files in buckets are
    /// left to their jobs.
    pub(crate) fn unfit(&self, takes_sound: bool) -> std::io::Result<Option<NoVideo>> {
        let Some(path) = self.input.location.path() else {
            return Ok(None);
        };
        let found = sniff::no_video(&path)?;
        Ok(found.filter(|why| !(takes_sound && *why == NoVideo::Sound)))
    }
}
