//! One folder under several paths, such as bind mounts: told by its identity, whatever its names.

use std::collections::HashMap;

use common::names::location::Location;
use common::store::roots::{Identity, Way};

/// The first path that was seen of each folder.
#[derive(Debug, Default)]
pub(super) struct Paths(HashMap<Identity, Location>);

impl Paths {
    /// Begins with these folders.
    pub(super) fn new(folders: HashMap<Identity, Location>) -> Self {
        Self(folders)
    }

    /// Where a way leads, by the first paths that were seen of its folders.
    pub(super) fn locate(&mut self, way: &Way) -> Option<Location> {
        let known = way.folders.iter().enumerate().rev();
        let known = known
            .filter_map(|(nth, (_, identity))| Some((nth, self.0.get(identity.as_ref()?)?.clone())))
            .next();
        let (begins, mut at) = match known {
            Some((nth, at)) => (nth, at),
            None => (0, Location::file(&way.folders.first()?.0).ok()?),
        };
        for (nth, (path, identity)) in way.folders.iter().enumerate() {
            if nth > begins {
                at = at.join(path.file_name()?.to_str()?);
            }
            // Above the deepest folder that was seen before, paths stay as they are.
            let path = match nth >= begins {
                true => at.clone(),
                false => Location::file(path).ok()?,
            };
            if let Some(identity) = identity {
                self.0.entry(*identity).or_insert(path);
            }
        }
        Some(at.join(way.rest.to_str()?))
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::*;

    /// The way to a folder; the numbers are those of the folders from `/` on, as far as they exist.
    fn way(path: &str, inodes: &[u64]) -> Way {
        let mut parts = Path::new(path).components();
        let mut at = PathBuf::new();
        let folders = inodes.iter().map(|inode| {
            at.push(parts.next().expect("a part"));
            let identity = Identity {
                device: 1,
                inode: *inode,
            };
            (at.clone(), Some(identity))
        });
        Way {
            folders: folders.collect(),
            rest: parts.as_path().to_owned(),
        }
    }

    fn located(first: &[Way], way: &Way) -> String {
        let mut paths = Paths::default();
        for way in first {
            paths.locate(way).expect("text");
        }
        let path = paths.locate(way).and_then(|at| at.path()).expect("a path");
        path.to_str().expect("text").to_owned()
    }

    #[test]
    fn a_folder_keeps_the_first_path_that_was_seen_of_it() {
        let films = way("/media/films", &[1, 2, 3]);
        for (other, inodes, at) in [
            ("/media/films", &[1, 2, 3][..], "/media/films"),
            ("/mnt/bind", &[1, 8, 3], "/media/films"),
            ("/mnt/bind/sub", &[1, 8, 3, 9], "/media/films/sub"),
            ("/mnt/bind/o/new", &[1, 8, 3], "/media/films/o/new"),
            ("/media/films/bind/o", &[1, 2, 3, 3], "/media/films/o"),
            ("/mnt/bind", &[1, 8, 2], "/media"),
            ("/mnt/else/o", &[1, 8, 9], "/mnt/else/o"),
            ("/media/new", &[1, 2], "/media/new"),
        ] {
            let found = located(std::slice::from_ref(&films), &way(other, inodes));
            assert_eq!(found, at, "{other}");
        }
    }

    #[test]
    fn a_folder_below_another_path_of_a_folder_is_known_afterwards() {
        let films = way("/media/films", &[1, 2, 3]);
        let bind = way("/mnt/bind/sub", &[1, 8, 3, 9]);
        assert_eq!(
            located(&[films, bind], &way("/x", &[1, 9])),
            "/media/films/sub"
        );
    }

    #[test]
    fn without_identities_paths_are_compared() {
        let mut unnumbered = way("/mnt/a", &[1, 2, 3]);
        for (_, identity) in &mut unnumbered.folders {
            *identity = None;
        }
        assert_eq!(located(&[way("/b", &[1, 3])], &unnumbered), "/mnt/a");
    }
}
