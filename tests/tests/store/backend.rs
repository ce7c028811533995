//! The kinds of stores.

use std::fs;
use std::io::Write;

use common::names::location::Location;
use common::store::roots::Roots;
use common::store::{Folder, StoreError, Stores};
use harness::paths;
use harness::servers::store::BUCKET;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// One kind of store, with a place that is the test's own.
pub(crate) struct Backend {
    pub(crate) stores: Stores,
    pub(crate) place: Location,
    /// A place beside it that no test may touch.
    pub(crate) outside: Location,
    roots: Option<Roots>,
    _folder: Option<TempDir>,
}

/// A file with this content, open at its beginning.
pub(crate) fn file(content: &[u8]) -> fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    file
}

impl Backend {
    /// A local folder.
    pub(crate) fn folder() -> Self {
        let folder = paths::test_folder();
        for name in ["place", "outside"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let at = |name: &str| Location::file(&folder.path().join(name)).unwrap();
        Self {
            stores: Stores::new(),
            place: at("place"),
            outside: at("outside"),
            roots: None,
            _folder: Some(folder),
        }
    }

    /// The same folder, for a program that may use this folder only.
    pub(crate) fn folder_within_roots() -> Self {
        let backend = Self::folder();
        let roots = || Roots::new([backend.place.path().unwrap()]).unwrap();
        Self {
            stores: Stores::new().within(roots(), Vec::new()),
            roots: Some(roots()),
            ..backend
        }
    }

    pub(crate) fn bucket(name: &str) -> Self {
        let at = |end: &str| Location::s3(BUCKET, &format!("{name}/{end}")).unwrap();
        Self {
            stores: Stores::new(),
            place: at("place"),
            outside: at("outside"),
            roots: None,
            _folder: None,
        }
    }

    /// The same bucket, for a program that may use one prefix only.
    pub(crate) fn bucket_below_a_prefix(name: &str) -> Self {
        let backend = Self::bucket(name);
        let none = Roots::new::<&str>([]).unwrap();
        let prefixes = vec![backend.place.clone()];
        Self {
            stores: Stores::new().within(none, prefixes),
            ..backend
        }
    }

    /// A location in the test's own place.
    pub(crate) fn at(&self, name: &str) -> Location {
        self.place.join(name)
    }

    /// Writes an object as a program does that is not part of the farm.
    pub(crate) async fn put(&self, location: &Location, content: &[u8]) {
        if let Some(path) = location.path() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
            return;
        }
        let stop = CancellationToken::new();
        let upload = Stores::new()
            .upload(file(content), location, &|_| {}, &stop)
            .await;
        upload.unwrap().commit().await.unwrap();
    }

    /// The entries of a folder.
    pub(crate) async fn entries(&self, folder: &Location) -> Result<Folder, StoreError> {
        match folder.path() {
            Some(path) => {
                let roots = self.roots.clone();
                let roots = roots.unwrap_or_else(|| Roots::new([path]).unwrap());
                Folder::local(&roots, folder)
            }
            None => self.stores.folder(folder).await,
        }
    }
}
