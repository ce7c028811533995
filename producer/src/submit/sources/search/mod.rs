//! Searching files, folders and buckets for media.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::path::{Component, Path, PathBuf};

use common::names::location::Location;
use common::names::media;
use common::recipe::{Recipe, Video};
use common::store::{Stores, SubtitleSearch, local_input};
use globset::GlobSet;
use walkdir::{DirEntry, WalkDir};

use super::found::{FoundFiles, SourceFile};
use super::options::Globs;
use crate::cli::exit::Error;
use crate::select::globs;
use crate::submit::paths;
use crate::submit::sniff::NoVideo;

pub(crate) struct Search<'a> {
    include: Option<GlobSet>,
    exclude: GlobSet,
    outputs: &'a [Location],
    stores: &'a Stores,
    may_be_empty: bool,
    /// Whether a file that is named twice counts twice.
    keeps_repeats: bool,
    /// Whether subtitle files beside media belong to them.
    takes_subtitles: bool,
    found: FoundFiles,
    seen: HashSet<Location>,
}

impl<'a> Search<'a> {
    /// A search that leaves out the folders of outputs.
    pub(crate) fn new(
        globs: &Globs,
        outputs: &'a [Location],
        stores: &'a Stores,
    ) -> Result<Self, Error> {
        Ok(Self {
            include: (!globs.include.is_empty())
                .then(|| globs::glob_set("--include", &globs.include))
                .transpose()?,
            exclude: globs::glob_set("--exclude", &globs.exclude)?,
            outputs,
            stores,
            may_be_empty: false,
            keeps_repeats: false,
            takes_subtitles: false,
            found: FoundFiles::default(),
            seen: HashSet::new(),
        })
    }

    /// The same search for files that the recipe can work on: those of sound count if the recipe makes sound only.
    #[must_use]
    pub(crate) fn for_recipe(mut self, recipe: &Recipe) -> Self {
        self.found.takes_sound = recipe.video == Video::None;
        self.takes_subtitles = recipe.subtitle_tracks.external;
        self
    }

    /// The same search for all media: files of sound count, too.
    #[must_use]
    pub(crate) fn that_takes_sound(mut self) -> Self {
        self.found.takes_sound = true;
        self
    }

    /// The search may find nothing.
    #[must_use]
    pub(crate) fn that_may_find_nothing(mut self) -> Self {
        self.may_be_empty = true;
        self
    }

    /// A file that is named twice is a source twice, as in a list of files to join.
    #[must_use]
    pub(crate) fn that_keeps_repeats(mut self) -> Self {
        self.keeps_repeats = true;
        self
    }

    /// # Errors
    /// Where a path does not exist or cannot be read, or none holds media.
    pub(crate) async fn run(mut self, paths: &[PathBuf]) -> Result<FoundFiles, Error> {
        for path in paths {
            match path.to_str().filter(|text| text.contains("://")) {
                Some(text) => {
                    let location = Location::from_argument(text).map_err(Error::usage)?;
                    match location.path() {
                        Some(path) => self.local(&path)?,
                        None => self.bucket(&location).await?,
                    }
                }
                None => self.local(path)?,
            }
        }
        if !self.may_be_empty && self.found.sources.is_empty() && self.found.is_complete() {
            let places: Vec<String> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            let skipped = match self.found.skipped() {
                skipped if skipped.is_empty() => "empty".to_owned(),
                skipped => format!("skipped: {skipped}"),
            };
            return Err(Error::usage(format!(
                "no media found in {} ({skipped}); name files to take them whatever their extension",
                places.join(", ")
            )));
        }
        if self.takes_subtitles {
            let mut search = SubtitleSearch::new(self.stores);
            let FoundFiles {
                sources,
                unreadable,
                unsupported,
                ..
            } = &mut self.found;
            for source in sources {
                let beside = search.beside(&source.input.location).await?;
                source.further.extend(beside.files);
                add_new(unreadable, beside.unreadable);
                add_new(unsupported, beside.unsupported);
            }
        }
        Ok(self.found)
    }

    fn local(&mut self, path: &Path) -> Result<(), Error> {
        let failed = |error: std::io::Error| {
            Error::usage(format!("cannot read {}: {error}", path.display()))
        };
        let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::usage(format!("{} does not exist", path.display()))
            }
            _ => failed(error),
        })?;
        if metadata.is_dir() {
            let root = path.canonicalize().map_err(failed)?;
            return self.folder(&root);
        }
        if !metadata.is_file() {
            return Err(Error::usage(format!(
                "{} is neither a file nor a folder",
                path.display()
            )));
        }
        std::fs::File::open(path).map_err(failed)?;
        let absolute = paths::resolved(path).map_err(failed)?;
        let name = PathBuf::from(absolute.file_name().unwrap_or(OsStr::new("input")));
        self.take(&absolute, (name, true), &metadata)
    }

    fn folder(&mut self, root: &Path) -> Result<(), Error> {
        let outputs: Vec<PathBuf> = self.outputs.iter().filter_map(Location::path).collect();
        if outputs.iter().any(|output| output == root) {
            return Err(Error::usage(format!(
                "{} is both input and output folder: choose another output folder with -o",
                root.display()
            )));
        }
        std::fs::read_dir(root)
            .map_err(|error| Error::usage(format!("cannot read {}: {error}", root.display())))?;
        let mut hidden = 0;
        let walk = WalkDir::new(root)
            .follow_links(true)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| {
                if entry.depth() == 0 {
                    return true;
                }
                if is_hidden(entry) {
                    hidden += 1;
                    return false;
                }
                !outputs.iter().any(|output| output == entry.path())
            });
        let mut files = Vec::new();
        for entry in walk {
            match entry {
                Ok(entry) if entry.file_type().is_file() => files.push(entry),
                Ok(_) => {}
                Err(error) => match gone_link(&error) {
                    Some(link) => self.found.dangling.push(link),
                    None => self.found.unreadable.push(error.to_string()),
                },
            }
        }
        self.found.hidden += hidden;
        for entry in files {
            let name = entry
                .path()
                .strip_prefix(root)
                .unwrap_or(entry.path())
                .to_owned();
            if !self.wants(&name) {
                continue;
            }
            match entry.metadata() {
                Ok(metadata) => self.take(entry.path(), (name, false), &metadata)?,
                Err(error) => self.found.unreadable.push(error.to_string()),
            }
        }
        Ok(())
    }

    async fn bucket(&mut self, prefix: &Location) -> Result<(), Error> {
        let objects = self.stores.list(prefix).await?;
        if objects.is_empty() && !self.may_be_empty {
            return Err(Error::usage(format!("{prefix} does not exist")));
        }
        let base = prefix.key();
        let base = base.trim_end_matches('/');
        let below = |location: &Location, folder: &str| {
            let key = location.key();
            match key.strip_prefix(folder) {
                Some(rest) if folder.is_empty() || rest.starts_with('/') => {
                    Some(rest.trim_start_matches('/').to_owned())
                }
                _ => None,
            }
        };
        for input in objects {
            if input.location == *prefix {
                let name = PathBuf::from(input.location.name());
                self.add(SourceFile::new(input, name, true));
                continue;
            }
            let is_output = self.outputs.iter().any(|output| {
                output.bucket() == prefix.bucket()
                    && output.key().len() > base.len()
                    && below(&input.location, output.key().trim_end_matches('/')).is_some()
            });
            if is_output {
                continue;
            }
            let name = PathBuf::from(below(&input.location, base).unwrap_or(input.location.name()));
            let hidden = name
                .components()
                .any(|part| matches!(part, Component::Normal(part) if starts_with_dot(part)));
            if hidden {
                self.found.hidden += 1;
            } else if self.wants(&name) {
                self.add(SourceFile::new(input, name, false));
            }
        }
        Ok(())
    }

    /// Whether a file of a folder is taken, by its path below the folder.
    fn wants(&mut self, name: &Path) -> bool {
        let matches = |set: &GlobSet| {
            set.is_match(name) || name.file_name().is_some_and(|file| set.is_match(file))
        };
        if self.include.as_ref().is_some_and(|set| !matches(set)) || matches(&self.exclude) {
            self.found.excluded += 1;
            return false;
        }
        let is_sound = media::is_sound(name);
        let is_media = media::is_video(name) || (is_sound && self.found.takes_sound);
        if is_sound && !is_media {
            self.found.no_video.push((name.to_owned(), NoVideo::Sound));
        } else if !is_media {
            self.found.no_media += 1;
        }
        is_media
    }

    fn take(
        &mut self,
        path: &Path,
        (name, is_named): (PathBuf, bool),
        metadata: &std::fs::Metadata,
    ) -> Result<(), Error> {
        let location = Location::file(path).map_err(Error::usage)?;
        let input = local_input(location, metadata);
        self.add(SourceFile::new(input, name, is_named));
        Ok(())
    }

    fn add(&mut self, source: SourceFile) {
        let is_new = self.seen.insert(source.input.location.clone());
        if is_new || (self.keeps_repeats && source.is_named) {
            self.found.sources.push(source);
        }
    }
}

/// Adds what the list does not have yet.
fn add_new(list: &mut Vec<String>, found: Vec<String>) {
    for one in found {
        if !list.contains(&one) {
            list.push(one);
        }
    }
}

/// The link that an error tells of, if the file that it leads to is gone.
fn gone_link(error: &walkdir::Error) -> Option<PathBuf> {
    let path = error.path()?;
    let is_gone = error.io_error()?.kind() == std::io::ErrorKind::NotFound;
    let is_link = path.symlink_metadata().ok()?.is_symlink();
    (is_gone && is_link).then(|| path.to_owned())
}

fn is_hidden(entry: &DirEntry) -> bool {
    starts_with_dot(entry.file_name())
}

fn starts_with_dot(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

#[cfg(test)]
mod tests;
