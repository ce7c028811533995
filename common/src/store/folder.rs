//! Looking into one folder of a store, for people who browse.

use object_store::ObjectStore;
use object_store::path::Path;

use super::{StoreError, Stores, local_input, remote_input};
use crate::job::Input;
use crate::location::Location;

/// What lies in a folder, not below it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Folder {
    /// Names of folders, sorted.
    pub folders: Vec<String>,
    /// Files, sorted.
    pub files: Vec<Input>,
}

impl Stores {
    /// What lies in a folder. Symbolic links are left out: they may lead out of it.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub async fn folder(&self, place: &Location) -> Result<Folder, StoreError> {
        let mut found = match place.path() {
            Some(path) => local(place, &path).await?,
            None => self.remote(place).await?,
        };
        found.folders.sort();
        found.files.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(found)
    }

    async fn remote(&self, place: &Location) -> Result<Folder, StoreError> {
        let (store, path) = self.object(place)?;
        let prefix = (!path.is_root()).then_some(&path);
        let listed = store
            .list_with_delimiter(prefix)
            .await
            .map_err(StoreError::remote(place))?;
        let bucket = place.bucket().unwrap_or_default();
        let name = |path: &Path| path.filename().map(str::to_owned);
        let files = listed.objects.into_iter().filter_map(|meta| {
            let location = Location::s3(bucket, meta.location.as_ref()).ok()?;
            Some(remote_input(location, meta))
        });
        Ok(Folder {
            files: files.collect(),
            folders: listed.common_prefixes.iter().filter_map(name).collect(),
        })
    }
}

async fn local(place: &Location, path: &std::path::Path) -> Result<Folder, StoreError> {
    let failed = || StoreError::local(path.display().to_string());
    let mut entries = tokio::fs::read_dir(path).await.map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            StoreError::Missing(place.clone())
        } else {
            failed()(error)
        }
    })?;
    let mut found = Folder::default();
    while let Some(entry) = entries.next_entry().await.map_err(failed())? {
        // A name that is no text cannot be shown, nor asked for.
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let kind = entry.file_type().await.map_err(failed())?;
        if kind.is_dir() {
            found.folders.push(name);
        } else if kind.is_file() {
            let metadata = entry.metadata().await.map_err(failed())?;
            found.files.push(local_input(place.join(&name), &metadata));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_shows_what_lies_in_it_and_no_way_out() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("films")).expect("made");
        std::fs::write(folder.path().join("b.mkv"), "12345").expect("written");
        std::fs::write(folder.path().join("a #1.mkv"), "1").expect("written");
        #[cfg(unix)]
        std::os::unix::fs::symlink("/", folder.path().join("out")).expect("linked");
        let place = Location::file(folder.path()).expect("absolute");
        let found = Stores::new().folder(&place).await.expect("readable");
        assert_eq!(found.folders, ["films"]);
        let files: Vec<(String, u64)> = found
            .files
            .iter()
            .map(|file| (file.location.name(), file.size))
            .collect();
        assert_eq!(files, [("a #1.mkv".to_owned(), 1), ("b.mkv".to_owned(), 5)]);
        let missing = Stores::new().folder(&place.join("films/none")).await;
        assert!(
            matches!(missing, Err(StoreError::Missing(_))),
            "{missing:?}"
        );
    }
}
