//! The files that new jobs can be made from: one folder of a store, and everything below it.

use std::io::ErrorKind;

use common::job::input::Input;
use common::names::location::Location;
use common::store::roots::Roots;
use common::store::{Folder, StoreError, StoreSettings, Stores, local_input};

/// The folder that people browse.
pub(crate) struct Media {
    stores: Stores,
    root: Location,
}

impl Media {
    pub(crate) fn new(root: Location, settings: StoreSettings) -> Self {
        Self {
            stores: Stores::of(settings).hurried(),
            root,
        }
    }

    pub(crate) fn root(&self) -> &Location {
        &self.root
    }

    /// The entries of a folder below the root. `/` separates names; no path leads out of the root.
    pub(crate) async fn folder(&self, path: &str) -> Result<Folder, StoreError> {
        let place = self.place(path);
        if place.is_remote() {
            return self.stores.folder(&place).await;
        }
        self.on_disk(place, Folder::local).await
    }

    /// The exact version of a file below the root.
    pub(crate) async fn input(&self, path: &str) -> Result<Input, StoreError> {
        let place = self.place(path);
        if place.is_remote() {
            return self.stores.head(&place).await;
        }
        self.on_disk(place, |roots, place| {
            let found = roots.file(place)?.file.metadata();
            let metadata = found.map_err(|source| StoreError::Local {
                what: place.to_string(),
                source,
            })?;
            Ok(local_input(place.clone(), &metadata))
        })
        .await
    }

    /// The stores, limited to the root: for files that a request does not name by their paths below it.
    ///
    /// # Errors
    /// If the root is out of reach.
    pub(crate) fn limited(&self) -> Result<Stores, StoreError> {
        let roots = Roots::new(self.root.path()).map_err(|error| StoreError::Away {
            place: self.root.clone(),
            source: error.source,
        })?;
        let buckets = Some(self.root.clone()).filter(Location::is_remote);
        let stores = self.stores.clone();
        Ok(stores.within(roots, buckets.into_iter().collect()))
    }

    /// The size of the file at a location; `None` if there is no file.
    pub(crate) async fn size(&self, place: &Location) -> Result<Option<u64>, StoreError> {
        let found = if place.is_remote() {
            self.stores.head(place).await.map(|input| input.size)
        } else {
            self.on_disk(place.clone(), |roots, place| {
                let (folder, name) = roots.folder_of(place)?;
                let metadata = folder.kind(&name).map_err(|source| match source.kind() {
                    ErrorKind::NotFound => StoreError::Missing(place.clone()),
                    _ => StoreError::Local {
                        what: place.to_string(),
                        source,
                    },
                })?;
                Ok(metadata.len())
            })
            .await
        };
        match found {
            Ok(size) => Ok(Some(size)),
            Err(StoreError::Missing(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Works below the folder on a thread that may wait for a disk. Names are opened from the
    /// folder's descriptor, so no link leads out.
    async fn on_disk<T: Send + 'static>(
        &self,
        place: Location,
        work: impl FnOnce(&Roots, &Location) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let root = self.root.clone();
        let what = place.to_string();
        let working = tokio::task::spawn_blocking(move || {
            let roots = Roots::new(root.path()).map_err(|error| StoreError::Away {
                place: root,
                source: error.source,
            })?;
            work(&roots, &place)
        });
        working.await.map_err(|error| StoreError::Local {
            what,
            source: std::io::Error::other(error),
        })?
    }

    /// The location of a file or folder below the root.
    pub(crate) fn place(&self, path: &str) -> Location {
        self.root.join(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[tokio::test]
    async fn a_link_leads_nowhere_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("root");
        std::fs::create_dir_all(root.join("inside")).expect("made");
        std::fs::write(folder.path().join("secret.mkv"), "1").expect("written");
        std::fs::write(root.join("inside/film.mkv"), "1").expect("written");
        std::os::unix::fs::symlink(folder.path(), root.join("out")).expect("linked");
        let media = Media::new(
            Location::file(&root).expect("absolute"),
            StoreSettings::default(),
        );
        media.input("inside/film.mkv").await.expect("inside");
        let found = media.input("../secret.mkv").await;
        assert!(matches!(found, Err(StoreError::Missing(_))), "{found:?}");
        let found = media.input("out/secret.mkv").await;
        assert!(matches!(found, Err(StoreError::LeadsOut(_))), "{found:?}");
        assert!(media.folder("out").await.is_err());
    }
}
