//! The media that jobs can be made of: one folder of a store, and what lies
//! below it.

use std::path::Path;

use common::job::Input;
use common::location::Location;
use common::naming::{self, Named, NamingError};
use common::recipe::Container;
use common::store::{Folder, StoreError, Stores};

/// The folder that people browse.
pub(crate) struct Media {
    stores: Stores,
    root: Location,
}

impl Media {
    pub(crate) fn new(root: Location) -> Self {
        Self {
            stores: Stores::impatient(),
            root,
        }
    }

    /// Where it is.
    pub(crate) fn root(&self) -> &Location {
        &self.root
    }

    /// What lies in a folder of it; `/` between names, and no way out.
    pub(crate) async fn folder(&self, path: &str) -> Result<Folder, StoreError> {
        self.stores.folder(&self.place(path).await?).await
    }

    /// The exact version of a file of it.
    pub(crate) async fn input(&self, path: &str) -> Result<Input, StoreError> {
        self.stores.head(&self.place(path).await?).await
    }

    /// The place of what is there; a symbolic link leads nowhere else.
    async fn place(&self, path: &str) -> Result<Location, StoreError> {
        let place = self.root.join(path);
        if let (Some(root), Some(local)) = (self.root.path(), place.path()) {
            let missing = |_| StoreError::Missing(place.clone());
            let root = tokio::fs::canonicalize(root).await.map_err(missing)?;
            let real = tokio::fs::canonicalize(local).await.map_err(missing)?;
            if !real.starts_with(root) {
                return Err(StoreError::Missing(place));
            }
        }
        Ok(place)
    }

    /// Whether something is there.
    pub(crate) async fn is_taken(&self, place: &Location) -> Result<bool, StoreError> {
        match self.stores.head(place).await {
            Ok(_) => Ok(true),
            Err(StoreError::Missing(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Where the outputs of files go, below `folder`.
    pub(crate) fn outputs(
        &self,
        paths: &[String],
        folder: &str,
        container: Container,
    ) -> Result<Vec<Location>, NamingError> {
        let places: Vec<Location> = paths.iter().map(|path| self.root.join(path)).collect();
        let sources: Vec<Named<'_>> = paths
            .iter()
            .zip(&places)
            .map(|(path, location)| Named {
                name: Path::new(path),
                location,
            })
            .collect();
        naming::outputs(&sources, &self.root.join(folder), container)
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
        let media = Media::new(Location::file(&root).expect("absolute"));
        media.input("inside/film.mkv").await.expect("inside");
        for outside in ["out/secret.mkv", "../secret.mkv"] {
            let found = media.input(outside).await;
            assert!(matches!(found, Err(StoreError::Missing(_))), "{found:?}");
        }
        assert!(media.folder("out").await.is_err());
    }
}
