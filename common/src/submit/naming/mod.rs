//! The names of outputs.
//!
//! `sub/Film.mp4` becomes `sub/Film.mkv`, or what the name template says. Two sources that would share this name keep their own extensions
//! (`Film.mp4.mkv`, `Film.mov.mkv`). A name stays with the source that it was given to, so a source that arrives later
//! renames no other output: only the newcomer keeps its extension. Files that are made beside an output count like it.
//!
//! Sources that would become the same file all the same, because a name template leaves out all in which they differ, are
//! refused; the others go on.
//!
//! An output is never a source. Where outputs take the place of their sources, each may have the name of its own.
//!
//! The renditions of a ladder and its master files are named alike: all of them keep the source's extension, or none.

#[cfg(test)]
mod codec_words;
#[cfg(test)]
mod companions;
#[cfg(test)]
mod replacing;
#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use crate::job::companion::Suffix;
use crate::names::location::{Location, LocationError};
use crate::recipe::NameError;
use crate::submit::output_set::OutputSet;

/// The most bytes of a file name. Common file systems take no more, and neither do stores that keep objects as files.
const LONGEST_NAME: usize = 255;
/// The most bytes of an object's key.
const LONGEST_KEY: usize = 1024;

/// A source that an output is named after.
#[derive(Clone, Copy, Debug)]
pub struct NamedSource<'a> {
    /// The source's path below the folder that was given.
    pub name: &'a Path,
    /// The source's location.
    pub location: &'a Location,
}

/// The source that a name was given to before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputOwner {
    /// The file name of the source, as [`as_key`] spells it.
    pub source: String,
    /// Whether the name stays taken while the source is not named: the job of the source waits, runs or is done.
    pub holds: bool,
}

/// The names that were given before.
pub type OutputOwners = HashMap<Location, OutputOwner>;

/// Why outputs cannot be named.
#[derive(Debug, thiserror::Error)]
pub enum NamingError {
    /// A source was given twice.
    #[error("{0} is named twice")]
    Twice(Location),
    /// An output would replace a source.
    #[error(
        "the output {0} would be a source: choose another folder for outputs, or another container"
    )]
    IsSource(Location),
    /// An output has no location.
    #[error(transparent)]
    Location(#[from] LocationError),
}

/// Why a source can have no output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unnameable {
    /// The name of its output is too long for a store.
    #[error(
        "the name of its output would be {bytes} bytes long, and {most} are possible: rename it"
    )]
    TooLong {
        /// The length of the name in bytes.
        bytes: usize,
        /// The most bytes that a name may have.
        most: usize,
    },
    /// Its output would be that of another source: the name template leaves out all in which they differ.
    #[error(
        "{other} would become the same file in {folder}: rename one of them, or encode them into different folders"
    )]
    Shared {
        /// The other source.
        other: String,
        /// The output folder.
        folder: String,
    },
    /// The name template makes no name of it.
    #[error("{0}: rename it, or leave the name template out")]
    Template(String),
}

impl From<NameError> for Unnameable {
    fn from(error: NameError) -> Self {
        Self::Template(error.to_string())
    }
}

/// An output of a source, or why the source can have none.
pub type Output = Result<Location, Unnameable>;

/// Every output that these sources may get. [`OutputOwners`] has to cover them.
///
/// # Errors
/// If an output has no location.
pub fn candidates(
    sources: &[NamedSource<'_>],
    folder: &Location,
    set: &OutputSet,
) -> Result<Vec<Location>, LocationError> {
    each(sources, set)
        .filter_map(|(_, names)| names.ok())
        .flat_map(|names| [names.plain, names.whole])
        .map(|name: PathBuf| below(folder, &name))
        .collect()
}

/// The outputs of the sources, in the same order: all outputs of the first source, then those of the next. Each lies
/// below `folder`, at its source's path. The last output of each source of a ladder is its master playlist. `given` has
/// the owners of the [`candidates`].
///
/// # Errors
/// If a source is named twice, or an output would replace a source.
pub fn outputs(
    sources: &[NamedSource<'_>],
    folder: &Location,
    set: &OutputSet,
    given: &OutputOwners,
) -> Result<Vec<Output>, NamingError> {
    let mut outputs: Vec<Output> = Vec::new();
    let (mut names, mut nameable) = (Vec::new(), Vec::new());
    for (index, (source, made)) in each(sources, set).enumerate() {
        match made {
            Ok(made) => {
                names.push(made);
                nameable.push((index, source));
                outputs.push(Ok(folder.clone()));
            }
            Err(why) => outputs.push(Err(why.into())),
        }
    }
    let owner = |name: &Path| given.get(&below(folder, name).ok()?);
    let chosen = loop {
        let clash = match unique(&names, owner) {
            Ok(chosen) => break chosen,
            Err(clash) => clash,
        };
        let at = |index: usize| nameable[index].1.location;
        for (nth, index) in clash.takers.iter().enumerate() {
            let mut before = clash.takers[..nth].iter();
            if before.any(|other| at(*other) == at(*index)) {
                return Err(NamingError::Twice(at(*index).clone()));
            }
        }
        for index in &clash.refused {
            let other = clash.takers.iter().find(|other| *other != index);
            outputs[nameable[*index].0] = Err(Unnameable::Shared {
                other: at(*other.unwrap_or(index)).to_string(),
                folder: folder.to_string(),
            });
        }
        let mut indices = 0..;
        names.retain(|_| {
            indices
                .next()
                .is_some_and(|index| !clash.refused.contains(&index))
        });
        nameable.retain(|(index, _)| outputs[*index].is_ok());
    };
    let locations = chosen
        .iter()
        .map(|name| below(folder, name))
        .collect::<Result<Vec<_>, _>>()?;
    let made: Vec<Vec<(PathBuf, Location)>> = names
        .iter()
        .zip(&chosen)
        .map(|(names, chosen)| {
            let files = names.files(chosen).into_iter();
            files
                .map(|file| Ok((file.clone(), below(folder, &file)?)))
                .collect()
        })
        .collect::<Result<_, LocationError>>()?;
    let is_own = |nth: usize, file: &Location| {
        set.replaces() && *file == locations[nth] && file == nameable[nth].1.location
    };
    let files = made.iter().enumerate().flat_map(|(nth, files)| {
        let files = files.iter().map(|(_, location)| location);
        files.filter(move |file| !is_own(nth, file)).cloned()
    });
    refuse_sources(sources, &files.collect::<Vec<_>>())?;
    let measured = made.iter().zip(locations).map(|(files, location)| {
        let mut files = files.iter();
        files
            .try_for_each(|(name, at)| measure(name, at))
            .map(|()| location)
    });
    for ((index, _), output) in nameable.into_iter().zip(measured) {
        outputs[index] = output;
    }
    Ok(outputs)
}

/// The names of each output of each source.
fn each<'a>(
    sources: &'a [NamedSource<'a>],
    set: &'a OutputSet,
) -> impl Iterator<Item = (&'a NamedSource<'a>, Result<Names, NameError>)> {
    sources.iter().enumerate().flat_map(move |(nth, source)| {
        (0..set.names()).map(move |number| {
            let names = Names::of(source, set, number);
            let together = set.is_ladder().then_some(nth);
            (source, names.map(|names| Names { together, ..names }))
        })
    })
}

fn measure(name: &Path, location: &Location) -> Result<(), Unnameable> {
    let last = if location.is_remote() {
        as_key(Path::new(name.file_name().unwrap_or_default())).len()
    } else {
        name.file_name()
            .map_or(0, |name| name.as_encoded_bytes().len())
    };
    let key = if location.is_remote() {
        location.key().len()
    } else {
        0
    };
    for (bytes, most) in [(last, LONGEST_NAME), (key, LONGEST_KEY)] {
        if bytes > most {
            return Err(Unnameable::TooLong { bytes, most });
        }
    }
    Ok(())
}

/// The file name of a source, as [`OutputOwner::source`] has it.
pub fn source_name(location: &Location) -> String {
    as_key(Path::new(&location.name()))
}

/// The two names that an output may get.
struct Names {
    /// The file name of the source.
    source: String,
    /// The output's path without the source's extension.
    plain: PathBuf,
    /// The output's path with the source's extension as a part of its name.
    whole: PathBuf,
    /// The ends of the names of the files that are made beside the output.
    companions: Vec<Suffix>,
    /// The source of the ladder that the output belongs to, by its number. The outputs of a ladder are named together.
    together: Option<usize>,
    /// Whether the first name is the source's own, which the output may have because it replaces the source.
    is_own: bool,
}

impl Names {
    /// The names for an output of a source, by the output's number.
    fn of(source: &NamedSource<'_>, set: &OutputSet, number: usize) -> Result<Self, NameError> {
        let name = plain(source.name);
        let path = |whole| match number == set.recipes().len() {
            true => set.master(&name, whole),
            false => set.path(&name, number, whole),
        };
        let plain = path(false)?;
        Ok(Self {
            is_own: set.replaces() && plain == name,
            source: as_key(Path::new(name.file_name().unwrap_or_default())),
            plain,
            whole: path(true)?,
            companions: set.companions(number),
            together: None,
        })
    }

    /// The files of an output that gets this one of the names: itself first, then its companions.
    fn files(&self, output: &Path) -> Vec<PathBuf> {
        let companions = self.companions.iter().map(|suffix| suffix.of(output));
        std::iter::once(output.to_owned())
            .chain(companions)
            .collect()
    }

    /// The name by a choice.
    fn chosen(&self, choice: &Choice) -> &PathBuf {
        match choice.is_whole {
            true => &self.whole,
            false => &self.plain,
        }
    }
}

/// Which of its [`Names`] an output gets.
#[derive(Clone, Copy)]
struct Choice {
    is_whole: bool,
    /// Whether the name was given before, so that it cannot change.
    is_given: bool,
}

impl Choice {
    fn of<'a>(names: &Names, owner: impl Fn(&Path) -> Option<&'a OutputOwner>) -> Self {
        if names.is_own {
            return Self {
                is_whole: false,
                is_given: true,
            };
        }
        let is_own = |name: &Path| owner(name).is_some_and(|owner| owner.source == names.source);
        let is_taken = owner(&names.plain).is_some_and(|owner| owner.holds);
        let (is_whole, is_given) = match (is_own(&names.plain), is_own(&names.whole)) {
            (true, _) => (false, true),
            (false, true) => (true, true),
            (false, false) => (is_taken, false),
        };
        Self { is_whole, is_given }
    }
}

/// A name without the parts that would lead out of its folder.
fn plain(name: &Path) -> PathBuf {
    name.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}

/// Outputs that cannot have different names, by their indices.
struct Clash {
    takers: Vec<usize>,
    /// Those of them that can have no name: all but one to which the name was given before.
    refused: Vec<usize>,
}

/// A name for each output, or outputs that cannot have different names.
fn unique<'a>(
    names: &[Names],
    owner: impl Fn(&Path) -> Option<&'a OutputOwner>,
) -> Result<Vec<PathBuf>, Clash> {
    let mut choices: Vec<Choice> = names
        .iter()
        .map(|names| Choice::of(names, &owner))
        .collect();
    let mut together: HashMap<usize, Vec<usize>> = HashMap::new();
    for (index, names) in names.iter().enumerate() {
        if let Some(source) = names.together {
            together.entry(source).or_default().push(index);
        }
    }
    for ladder in together.values() {
        let is_whole = ladder.iter().any(|index| choices[*index].is_whole);
        let is_given = ladder.iter().any(|index| choices[*index].is_given);
        for index in ladder {
            choices[*index] = Choice { is_whole, is_given };
        }
    }
    loop {
        let chosen = names.iter().zip(&choices);
        let outputs: Vec<&PathBuf> = chosen.map(|(names, choice)| names.chosen(choice)).collect();
        let mut takers: HashMap<PathBuf, Vec<usize>> = HashMap::new();
        for (index, (names, output)) in names.iter().zip(&outputs).enumerate() {
            for file in names.files(output) {
                takers
                    .entry(as_file_system_sees(&file))
                    .or_default()
                    .push(index);
            }
        }
        let mut clashes: Vec<Vec<usize>> = takers
            .into_values()
            .filter(|taken| taken.len() > 1)
            .collect();
        if clashes.is_empty() {
            return Ok(outputs.into_iter().cloned().collect());
        }
        clashes.sort();
        // A clash of this turn may have moved the outputs of another one already.
        let before = choices.clone();
        for clash in clashes {
            let mut is_any_moved = false;
            for index in clash.iter().flat_map(|index| match names[*index].together {
                Some(source) => together[&source].clone(),
                None => vec![*index],
            }) {
                if !before[index].is_given && !before[index].is_whole {
                    choices[index].is_whole = true;
                    is_any_moved = true;
                }
            }
            if !is_any_moved {
                let is_new = |index: &usize| !before[*index].is_given;
                let new: Vec<usize> = clash.iter().copied().filter(is_new).collect();
                let refused = if new.is_empty() { clash.clone() } else { new };
                return Err(Clash {
                    takers: clash,
                    refused,
                });
            }
        }
    }
}

/// A name as the file system compares it. Names that differ in case only are one file on Windows and macOS.
fn as_file_system_sees(name: &Path) -> PathBuf {
    if cfg!(any(windows, target_os = "macos")) {
        name.to_string_lossy().to_lowercase().into()
    } else {
        name.to_owned()
    }
}

fn below(folder: &Location, name: &Path) -> Result<Location, LocationError> {
    match folder.path() {
        // A path is joined as a path, because file names need not be text.
        Some(path) => Location::file(&path.join(name)),
        None => Ok(folder.join(&as_key(name))),
    }
}

/// A path as the key of an object. Keys hold no control characters: `%0A` stands for a line feed.
pub fn as_key(name: &Path) -> String {
    let mut key = String::new();
    for part in name.components() {
        if !key.is_empty() {
            key.push('/');
        }
        for c in part.as_os_str().to_string_lossy().chars() {
            if c.is_ascii_control() {
                key += &format!("%{:02X}", u32::from(c));
            } else {
                key.push(c);
            }
        }
    }
    key
}

/// Checks that no output would replace a source.
///
/// # Errors
/// If an output would.
pub fn refuse_sources(
    sources: &[NamedSource<'_>],
    outputs: &[Location],
) -> Result<(), NamingError> {
    let mut inputs: HashSet<Location> = HashSet::new();
    for source in sources {
        inputs.insert(source.location.clone());
        inputs.extend(real(source.location));
    }
    for output in outputs {
        // A file may have several names.
        if inputs.contains(output) || real(output).is_some_and(|real| inputs.contains(&real)) {
            return Err(NamingError::IsSource(output.clone()));
        }
    }
    Ok(())
}

fn real(location: &Location) -> Option<Location> {
    let path = location.path()?.canonicalize().ok()?;
    Location::file(&path).ok()
}
