//! Listing one folder of a store, for people who browse.

use object_store::ObjectStore;
use object_store::path::Path;

use super::{StoreError, Stores};
use crate::names::location::Location;
use crate::store::roots::Roots;

/// The entries of a folder, without those of its subfolders.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folder {
    /// Names of folders, sorted.
    pub folders: Vec<String>,
    /// Names and sizes of files, sorted.
    pub files: Vec<(String, u64)>,
}

impl Folder {
    /// Lists a folder of this machine. Symbolic links are left out: they may lead out of it.
    ///
    /// # Errors
    /// The folder is missing, outside the roots, or cannot be read.
    pub fn local(roots: &Roots, place: &Location) -> Result<Self, StoreError> {
        let entries = roots.folder(place)?.entries();
        let entries = entries.map_err(StoreError::local(place.to_string()))?;
        let mut found = Self::default();
        for (name, kind) in entries {
            if kind.is_dir() {
                found.folders.push(name);
            } else if kind.is_file() {
                found.files.push((name, kind.len()));
            }
        }
        found.folders.sort();
        found.files.sort();
        Ok(found)
    }
}

impl Stores {
    /// Lists a folder of a bucket.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn folder(&self, place: &Location) -> Result<Folder, StoreError> {
        let (store, path) = self.object(place)?;
        let prefix = (!path.is_root()).then_some(&path);
        let listed = store
            .list_with_delimiter(prefix)
            .await
            .map_err(StoreError::remote(place))?;
        let name = |path: &Path| path.filename().map(str::to_owned);
        let file = |meta: object_store::ObjectMeta| Some((name(&meta.location)?, meta.size));
        let mut found = Folder {
            folders: listed.common_prefixes.iter().filter_map(name).collect(),
            files: listed.objects.into_iter().filter_map(file).collect(),
        };
        found.folders.sort();
        found.files.sort();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_shows_entries_but_no_links() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("films")).expect("made");
        std::fs::write(folder.path().join("b.mkv"), "12345").expect("written");
        std::fs::write(folder.path().join("a #1.mkv"), "1").expect("written");
        #[cfg(unix)]
        std::os::unix::fs::symlink("/", folder.path().join("out")).expect("linked");
        let place = Location::file(folder.path()).expect("absolute");
        let roots = Roots::new([folder.path()]).expect("a folder");
        let found = Folder::local(&roots, &place).expect("readable");
        assert_eq!(found.folders, ["films"]);
        assert_eq!(
            found.files,
            [("a #1.mkv".to_owned(), 1), ("b.mkv".to_owned(), 5)]
        );
        let missing = Folder::local(&roots, &place.join("films/none"));
        assert!(
            matches!(missing, Err(StoreError::Missing(_))),
            "{missing:?}"
        );
        #[cfg(unix)]
        Folder::local(&roots, &place.join("out")).expect_err("leads out");
    }
}
