//! `--replace`: outputs take the places of their sources, which go to a trash.

use std::path::{Component, Path, PathBuf};

use clap::{Args, ValueEnum};
use common::job::Job;
use common::job::replacement::{self, Replacement, TRASH};
use common::names::location::Location;
use common::store::Stores;
use common::store::roots::Roots;

use crate::cli::exit::Error;
use crate::submit::paths;
use crate::submit::paths::output_folder;
use crate::submit::send::Wanted;
use crate::submit::sources::SourceFile;

#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Replacing originals")]
pub(crate) struct ReplaceOptions {
    /// Put each output in the place of its source, once it is verified; the source goes to a trash, and `producer undo` brings it back
    #[arg(long, conflicts_with_all = ["output", "again", "overwrite"])]
    pub replace: bool,
    /// Folder or s3://bucket/prefix whose trash takes the sources [default: the folder that is named]
    #[arg(long, value_name = "PLACE")]
    pub trash: Option<PathBuf>,
    /// Days for which the trash keeps a source [default: 30]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=i64::from(Replacement::MOST_DAYS)))]
    pub trash_days: Option<u32>,
    /// What to do about a source with further names (hard links), which keep the old file [default: refuse]
    #[arg(long, value_name = "WHAT", value_enum)]
    pub hard_links: Option<HardLinks>,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
pub(crate) enum HardLinks {
    /// The job fails before its encode
    #[default]
    Refuse,
    /// This name is replaced, and the further names keep the old file
    Replace,
}

impl From<HardLinks> for replacement::HardLinks {
    fn from(chosen: HardLinks) -> Self {
        match chosen {
            HardLinks::Refuse => Self::Refuse,
            HardLinks::Replace => Self::Replace,
        }
    }
}

/// The terms of all replacements of a command.
#[derive(Clone, Debug)]
pub(crate) struct Replacing {
    /// The folder or prefix whose trash takes all sources; `None` for one of each folder that was named.
    trash: Option<Location>,
    days: u32,
    hard_links: replacement::HardLinks,
}

impl ReplaceOptions {
    /// The terms, and the folder that holds all that was named; `None` without `--replace`.
    ///
    /// # Errors
    /// If nothing of that kind can be replaced.
    pub(crate) fn terms(&self, named: &[PathBuf]) -> Result<Option<(Replacing, Location)>, Error> {
        if !self.replace {
            let options = [
                ("--trash", self.trash.is_some()),
                ("--trash-days", self.trash_days.is_some()),
                ("--hard-links", self.hard_links.is_some()),
            ];
            return match options.iter().find(|(_, is_given)| *is_given) {
                Some((option, _)) => Err(Error::usage(format!("{option} needs --replace"))),
                None => Ok(None),
            };
        }
        let mut folder: Option<Location> = None;
        for path in named {
            let of_this = folder_of(path)?;
            folder = Some(match folder {
                None => of_this,
                Some(all) => shared(&all, &of_this).ok_or_else(|| {
                    Error::usage(format!(
                        "{all} and {of_this} have no folder in common: replace their files by two commands"
                    ))
                })?,
            });
        }
        let folder = folder.ok_or_else(|| Error::usage("no files are named"))?;
        let trash = self.trash.as_deref().map(output_folder).transpose()?;
        let terms = Replacing {
            trash,
            days: self.trash_days.unwrap_or(Replacement::DAYS),
            hard_links: self.hard_links.unwrap_or_default().into(),
        };
        terms
            .in_trash_of(&folder)
            .check(&folder)
            .map_err(Error::usage)?;
        Ok(Some((terms, folder)))
    }
}

impl Replacing {
    /// The terms of a library over this folder.
    pub(crate) fn of_library(wanted: &Replacement, folder: &Location) -> Self {
        let is_own = wanted.trash == Replacement::trash_in(folder);
        Self {
            trash: (!is_own).then(|| wanted.trash.folder()),
            days: wanted.days,
            hard_links: wanted.hard_links,
        }
    }

    fn in_trash_of(&self, folder: &Location) -> Replacement {
        Replacement {
            trash: Replacement::trash_in(self.trash.as_ref().unwrap_or(folder)),
            days: self.days,
            hard_links: self.hard_links,
        }
    }

    /// The replacement of one source.
    pub(crate) fn of(&self, source: &SourceFile) -> Replacement {
        self.in_trash_of(&named_folder(source))
    }

    /// The folder for the trash, if one was named.
    pub(crate) fn trash(&self) -> Option<&Location> {
        self.trash.as_ref()
    }
}

/// Why a source on this machine would not be replaced; `None` where nothing is foreseen. Writes nothing.
pub(crate) async fn refusal(job: &Job) -> Option<String> {
    let source = job.input.location.path()?;
    let trash = job.replacement.as_ref()?.trash.folder().path();
    let mut folders = vec![source.parent()?.to_owned()];
    folders.extend(trash.filter(|folder| folder.is_dir()));
    let roots = Roots::new(folders).ok()?;
    let stores = Stores::new().within(roots, Vec::new());
    let foreseen = stores.could_replace(job).await;
    foreseen.err().map(|why| why.to_string())
}

/// A warning for each link among the sources that would lead nowhere, because the file that it leads to gets another name.
pub(crate) fn broken_links(wanted: &[Wanted]) -> Vec<String> {
    let renamed =
        |one: &&Wanted| one.replacement.is_some() && one.output != one.source.input.location;
    let renamed: Vec<(PathBuf, &Wanted)> = wanted
        .iter()
        .filter(renamed)
        .filter_map(|one| Some((one.source.input.location.path()?, one)))
        .collect();
    let is_link = |path: &Path| {
        path.symlink_metadata()
            .is_ok_and(|found| found.is_symlink())
    };
    let links = wanted
        .iter()
        .filter_map(|one| one.source.input.location.path());
    links
        .filter(|path| is_link(path))
        .filter_map(|link| {
            let target = link.canonicalize().ok()?;
            let (_, one) = renamed.iter().find(|(path, _)| *path == target)?;
            Some(format!(
                "{} is a link to {}, whose output is {}: the link will lead nowhere after that, so make it again",
                link.display(),
                target.display(),
                one.output.name()
            ))
        })
        .collect()
}

/// The folder that was named and that a source was found in; for a file that was named itself, its folder.
fn named_folder(source: &SourceFile) -> Location {
    let depth = match source.is_named {
        true => 1,
        false => source.name.components().count(),
    };
    let mut folder = source.input.location.clone();
    for _ in 0..depth {
        folder = folder.folder();
    }
    folder
}

/// The folder of a path that a person named: a folder itself, or that of a file. Whether an object or a prefix is named
/// is not known yet, so that of both is taken.
fn folder_of(path: &Path) -> Result<Location, Error> {
    let refuse = |shown: &dyn std::fmt::Display| {
        Error::usage(format!(
            "{shown} is in a trash: `producer undo` brings originals back"
        ))
    };
    if let Some(text) = path.to_str().filter(|text| text.contains("://")) {
        let location = Location::from_argument(text).map_err(Error::usage)?;
        return match location.path() {
            Some(path) => folder_of(&path),
            None if location.key().split('/').any(|part| part == TRASH) => Err(refuse(&location)),
            None => Ok(location.folder()),
        };
    }
    let failed = |error: std::io::Error| {
        let kind = error.kind();
        match kind {
            std::io::ErrorKind::NotFound => {
                Error::usage(format!("{} does not exist", path.display()))
            }
            _ => Error::usage(format!("cannot read {}: {error}", path.display())),
        }
    };
    let is_folder = std::fs::metadata(path).map_err(failed)?.is_dir();
    let real = paths::resolved(path).map_err(failed)?;
    if real
        .components()
        .any(|part| matches!(part, Component::Normal(name) if name == TRASH))
    {
        return Err(refuse(&path.display()));
    }
    let folder = match is_folder {
        true => real.as_path(),
        false => real.parent().unwrap_or(&real),
    };
    Location::file(folder).map_err(Error::usage)
}

/// The deepest folder that holds both.
fn shared(one: &Location, other: &Location) -> Option<Location> {
    let mut folder = one.clone();
    loop {
        if *other == folder || other.is_below(&folder) {
            return Some(folder);
        }
        let above = folder.folder();
        if above == folder {
            return None;
        }
        folder = above;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_all_that_is_named_holds_every_source() {
        let at = |text: &str| Location::from_argument(text).expect("a location");
        let both =
            |one: &str, other: &str| shared(&at(one), &at(other)).map(|folder| folder.to_string());
        assert_eq!(both("/films/a", "/films/a").as_deref(), Some("/films/a"));
        assert_eq!(both("/films/a/b", "/films/c").as_deref(), Some("/films"));
        assert_eq!(both("/films", "/filmsx").as_deref(), Some("/"));
        assert_eq!(both("s3://m/a/b", "s3://m/c").as_deref(), Some("s3://m/"));
        assert_eq!(both("s3://m/a", "s3://n/a"), None);
        assert_eq!(both("/a", "s3://n/a"), None);
    }
}
