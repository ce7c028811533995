//! What outputs are called.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use common::location::Location;
use common::recipe::Container;

use crate::exit::Error;
use crate::sources::Source;

/// The outputs of the sources, in the same order: each below `folder`, at its
/// source's path, with the container's extension. Sources that would share an
/// output keep their own extension before it (`a.mp4.mkv`).
///
/// # Errors
/// Where two outputs still share a name, or one would be a source.
pub fn outputs(
    sources: &[Source],
    folder: &Location,
    container: Container,
) -> Result<Vec<Location>, Error> {
    let names: Vec<&Path> = sources.iter().map(|source| source.name.as_path()).collect();
    let locations = unique(&names, container)
        .map_err(|(one, other)| {
            Error::usage(format!(
                "{} and {} would both become the same file in {folder}: encode them into different folders",
                sources[one].input.location, sources[other].input.location
            ))
        })?
        .iter()
        .map(|name| below(folder, name))
        .collect::<Result<Vec<_>, _>>()?;
    refuse_sources(sources, &locations)?;
    Ok(locations)
}

fn unique(names: &[&Path], container: Container) -> Result<Vec<PathBuf>, (usize, usize)> {
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

fn below(folder: &Location, name: &Path) -> Result<Location, Error> {
    match folder.path() {
        // By path: a name need not be text here.
        Some(path) => Location::file(&path.join(name)).map_err(Error::usage),
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

fn refuse_sources(sources: &[Source], outputs: &[Location]) -> Result<(), Error> {
    let mut inputs: HashSet<Location> = HashSet::new();
    for source in sources {
        inputs.insert(source.input.location.clone());
        inputs.extend(real(&source.input.location));
    }
    for output in outputs {
        // A file system may know one file by several names.
        if inputs.contains(output) || real(output).is_some_and(|real| inputs.contains(&real)) {
            return Err(Error::usage(format!(
                "the output {output} would be a source: choose another folder with -o, or another --container"
            )));
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
        let names: Vec<&Path> = names.iter().map(Path::new).collect();
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
        let source = Source {
            input: common::store::local_input(location, &path.metadata().expect("there")),
            name: "film.mkv".into(),
        };
        let into = Location::file(&folder).expect("absolute");
        let error =
            outputs(std::slice::from_ref(&source), &into, Container::Mkv).expect_err("refused");
        assert!(error.to_string().contains("would be a source"), "{error}");
        assert!(outputs(&[source], &into, Container::Mp4).is_ok());
    }
}
