//! What a search for media has found.

use std::path::PathBuf;

use common::job::input::Input;
use common::submit::naming::NamedSource;

use crate::submit::sniff;
use crate::submit::sniff::NoVideo;

/// Files without video that are named.
const TOLD: usize = 5;

/// One input and what its output is named after.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SourceFile {
    /// What to encode.
    pub input: Input,
    /// Its path below the folder that was given, or its name.
    pub name: PathBuf,
    /// Whether it was given itself, and not a folder that it lies in.
    pub is_named: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct FoundFiles {
    /// Media, each file once, in the order of the arguments and of names.
    pub sources: Vec<SourceFile>,
    /// Files of folders that are no media, by their names.
    pub no_media: usize,
    /// Files of folders that hold no video, and why.
    pub no_video: Vec<(PathBuf, NoVideo)>,
    /// HiddenFile files and folders.
    pub hidden: usize,
    /// Files that `--include` and `--exclude` leave out.
    pub excluded: usize,
    /// What could not be looked at, and why.
    pub unreadable: Vec<String>,
}

impl FoundFiles {
    /// Leaves out local files that hold no video. Returns those of them that were
    /// given themselves, each with the reason.
    pub(crate) fn sift(&mut self) -> Vec<(PathBuf, NoVideo)> {
        let mut refused = Vec::new();
        let no_video = &mut self.no_video;
        let unreadable = &mut self.unreadable;
        self.sources.retain(|source| match source.no_video() {
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

    /// Bytes of all sources.
    pub(crate) fn bytes(&self) -> u64 {
        self.sources.iter().map(|source| source.input.size).sum()
    }

    /// What was left out, in words; empty where nothing was.
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

    /// Which files hold no video although they are called so, in words; `None` where
    /// all hold some.
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
    /// As its output is named after it.
    pub(crate) fn named(&self) -> NamedSource<'_> {
        NamedSource {
            name: &self.name,
            location: &self.input.location,
        }
    }

    /// Why it is certain to hold no video. What lies in a bucket is left to its job.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub(crate) fn no_video(&self) -> std::io::Result<Option<NoVideo>> {
        match self.input.location.path() {
            Some(path) => sniff::no_video(&path),
            None => Ok(None),
        }
    }
}
