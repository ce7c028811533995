//! What outputs are called.

use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

use crate::location::{Location, LocationError};
use crate::recipe::Container;

/// A source, as outputs are named after it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Its path below the folder that was given.
    pub name: &'a Path,
    /// Where it is.
    pub location: &'a Location,
}

/// Outputs cannot be named.
#[derive(Debug, thiserror::Error)]
pub enum NamingError {
    /// One source, given twice.
    #[error("{0} is named twice")]
    Twice(Location),
    /// Two sources that would become one file.
    #[error(
        "{one} and {other} would both become the same file in {folder}: encode them into different folders"
    )]
    Shared {
        /// One of them.
        one: String,
        /// Another.
        other: String,
        /// Where outputs go.
        folder: String,
    },
    /// An output that would take a source's place.
    #[error(
        "the output {0} would be a source: choose another folder for outputs, or another container"
    )]
    IsSource(Location),
    /// An output that has no location.
    #[error(transparent)]
    Location(#[from] LocationError),
}

/// The outputs of the sources, in the same order: each below `folder`, at its
/// source's path, with the container's extension. Sources that would share an
/// output keep their own extension before it (`a.mp4.mkv`).
///
/// # Errors
/// Where two outputs still share a name, or one would be a source.
pub fn outputs(
    sources: &[Named<'_>],
    folder: &Location,
    container: Container,
) -> Result<Vec<Location>, NamingError> {
    let names: Vec<PathBuf> = sources.iter().map(|source| plain(source.name)).collect();
    let locations = unique(&names, container)
        .map_err(|(one, other)| {
            let [one, other] = [one, other].map(|index| sources[index].location);
            if one == other {
                return NamingError::Twice(one.clone());
            }
            NamingError::Shared {
                one: one.to_string(),
                other: other.to_string(),
                folder: folder.to_string(),
            }
        })?
        .iter()
        .map(|name| below(folder, name))
        .collect::<Result<Vec<_>, _>>()?;
    refuse_sources(sources, &locations)?;
    Ok(locations)
}

/// A name without what would lead out of the folder that it is below.
fn plain(name: &Path) -> PathBuf {
    name.components()
        .filter(|part| matches!(part, Component::Normal(_)))
        .collect()
}

fn unique(names: &[PathBuf], container: Container) -> Result<Vec<PathBuf>, (usize, usize)> {
    let extension = container.extension();
    let mut keeps_own: HashSet<usize> = HashSet::new();
    loop {
        let outputs: Vec<PathBuf> = names
            .iter()
            .enumerate()
            .map(|(index, name)| {
                if keeps_own.contains(&index) {
                    let mut whole = name.as_os_str().to_owned();
                    whole.push(".");
                    whole.push(extension);
                    PathBuf::from(whole)
                } else {
                    name.with_extension(extension)
                }
            })
            .collect();
        let mut takers: HashMap<PathBuf, Vec<usize>> = HashMap::new();
        for (index, output) in outputs.iter().enumerate() {
            takers
                .entry(as_file_system_sees(output))
                .or_default()
                .push(index);
        }
        let mut clashes: Vec<Vec<usize>> = takers
            .into_values()
            .filter(|taken| taken.len() > 1)
            .collect();
        if clashes.is_empty() {
            return Ok(outputs);
        }
        clashes.sort();
        for clash in clashes {
            let before = keeps_own.len();
            keeps_own.extend(&clash);
            if keeps_own.len() == before {
                return Err((clash[0], clash[1]));
            }
        }
    }
}

/// Names that differ in case only are one file on most machines that are not Linux.
fn as_file_system_sees(name: &Path) -> PathBuf {
    if cfg!(any(windows, target_os = "macos")) {
        name.to_string_lossy().to_lowercase().into()
    } else {
        name.to_owned()
    }
}

fn below(folder: &Location, name: &Path) -> Result<Location, LocationError> {
    match folder.path() {
        // By path: a name need not be text here.
        Some(path) => Location::file(&path.join(name)),
        None => Ok(folder.join(&as_key(name))),
    }
}

/// A path as the key of an object. Keys hold no control characters: `%0A`
/// stands for a line feed.
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

fn refuse_sources(sources: &[Named<'_>], outputs: &[Location]) -> Result<(), NamingError> {
    let mut inputs: HashSet<Location> = HashSet::new();
    for source in sources {
        inputs.insert(source.location.clone());
        inputs.extend(real(source.location));
    }
    for output in outputs {
        // A file system may know one file by several names.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Result<Vec<String>, (usize, usize)> {
        let names: Vec<PathBuf> = names.iter().map(|name| plain(Path::new(name))).collect();
        let outputs = unique(&names, Container::Mkv)?;
        Ok(outputs
            .iter()
            .map(|name| name.to_str().expect("text").to_owned())
            .collect())
    }

    #[test]
    fn outputs_take_the_containers_extension() {
        assert_eq!(
            named(&["a.mp4", "sub/b.c.MOV", "plain", "-dash.ts"]),
            Ok(vec![
                "a.mkv".into(),
                "sub/b.c.mkv".into(),
                "plain.mkv".into(),
                "-dash.mkv".into()
            ])
        );
    }

    #[test]
    fn outputs_that_would_clash_keep_the_sources_extension() {
        assert_eq!(
            named(&["a.mp4", "a.mov", "b.mp4"]),
            Ok(vec!["a.mp4.mkv".into(), "a.mov.mkv".into(), "b.mkv".into()])
        );
        // The way out of one clash may lead into another.
        assert_eq!(
            named(&["a.mp4", "a.mov", "a.mp4.avi"]),
            Ok(vec![
                "a.mp4.mkv".into(),
                "a.mov.mkv".into(),
                "a.mp4.avi.mkv".into()
            ])
        );
        assert_eq!(named(&["a.mp4", "a.mp4"]), Err((0, 1)));
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for folder in ["file:///media/out", "s3://media/out"] {
            let folder: Location = folder.parse().expect("a location");
            let place = folder.join("unused.mp4");
            let outputs_of = |names: &[&str]| {
                let sources: Vec<Named<'_>> = names
                    .iter()
                    .map(|name| Named {
                        name: Path::new(name),
                        location: &place,
                    })
                    .collect();
                outputs(&sources, &folder, Container::Mkv)
            };
            let outputs = outputs_of(&["../../b/c.avi", "/etc/d.avi"]).expect("named");
            assert_eq!(outputs, [folder.join("b/c.mkv"), folder.join("etc/d.mkv")]);
            assert!(outputs_of(&["../c.avi", "c.avi"]).is_err(), "one file");
        }
    }

    #[test]
    fn keys_hold_what_names_may_and_keys_may() {
        assert_eq!(
            as_key(Path::new("a b/two\nlines?.mp4")),
            "a b/two%0Alines?.mp4"
        );
    }

    #[test]
    fn a_source_is_never_an_output() {
        let folder = tempfile::tempdir().expect("a folder");
        let folder = folder.path().canonicalize().expect("there");
        let path = folder.join("film.mkv");
        std::fs::write(&path, b"media").expect("written");
        let location = Location::file(&path).expect("absolute");
        let source = Named {
            name: Path::new("film.mkv"),
            location: &location,
        };
        let into = Location::file(&folder).expect("absolute");
        let error = outputs(&[source], &into, Container::Mkv).expect_err("refused");
        assert!(error.to_string().contains("would be a source"), "{error}");
        assert!(outputs(&[source], &into, Container::Mp4).is_ok());
    }
}
