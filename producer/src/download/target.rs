//! Where results are downloaded to.

use std::path::{Component, Path, PathBuf};

use common::names::location::Location;
use common::submit::naming::as_key;
use uuid::Uuid;

use crate::cli::exit::Error;

/// Characters of the local folder's name in the name of the bucket's folder.
const NAME: usize = 48;
/// Characters that distinguish folders of one name.
const MARK: usize = 8;

/// A local folder, and the folder in a bucket whose files are downloaded to it.
#[derive(Clone, Debug)]
pub(crate) struct DownloadTarget {
    folder: Location,
    dir: PathBuf,
}

impl DownloadTarget {
    /// `dir` is an absolute path.
    pub(crate) fn new(folder: Location, dir: PathBuf) -> Self {
        Self { folder, dir }
    }

    /// Results for `dir` are made in a folder of `store` whose name follows from `dir`, so that the next command finds them.
    pub(crate) fn in_store(store: &Location, dir: PathBuf) -> Self {
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, dir.as_os_str().as_encoded_bytes());
        let name: String = as_key(Path::new(dir.file_name().unwrap_or_default()))
            .chars()
            .take(NAME)
            .collect();
        let mark = &id.simple().to_string()[..MARK];
        let folder = store.join("out").join(&format!("{name}-{mark}"));
        Self::new(folder, dir)
    }

    pub(crate) fn folder(&self) -> &Location {
        &self.folder
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn location(&self) -> Result<Location, Error> {
        Location::file(&self.dir).map_err(Error::usage)
    }

    /// The path of an output below the folder; `None` where the output lies elsewhere, or its path would lead elsewhere.
    pub(crate) fn name(&self, output: &Location) -> Option<PathBuf> {
        if !output.is_below(&self.folder) {
            return None;
        }
        let (key, folder) = (output.key(), self.folder.key());
        let name = key.strip_prefix(&folder)?.trim_start_matches('/');
        let is_plain = |part: &str| {
            let mut parts = Path::new(part).components();
            matches!(parts.next(), Some(Component::Normal(_))) && parts.next().is_none()
        };
        name.split('/')
            .all(is_plain)
            .then(|| name.split('/').collect())
    }

    /// Where an output is downloaded to.
    pub(crate) fn place(&self, output: &Location) -> Option<Location> {
        Location::file(&self.dir.join(self.name(output)?)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_keeps_its_name_and_stays_in_the_folder() {
        let folder = Location::s3("media", "out/films").expect("a location");
        let target = DownloadTarget::new(folder.clone(), "/home/me/films".into());
        let place = |key: &str| {
            let output = Location::s3("media", key).expect("a location");
            target.place(&output)?.path()
        };
        let at = |name: &str| Some(PathBuf::from(format!("/home/me/films/{name}")));
        assert_eq!(place("out/films/a.mkv"), at("a.mkv"));
        assert_eq!(place("out/films/sub/50% #1?.mkv"), at("sub/50% #1?.mkv"));
        for elsewhere in ["out/a.mkv", "out/films2/a.mkv", "out/films"] {
            assert_eq!(place(elsewhere), None, "{elsewhere}");
        }
        let whole = DownloadTarget::new(Location::s3("media", "").expect("one"), "/home".into());
        assert_eq!(
            whole.name(&folder.join("a.mkv")),
            Some("out/films/a.mkv".into())
        );
    }

    #[test]
    fn each_folder_has_a_place_of_its_own_in_the_store() {
        let store = Location::s3("media", "").expect("a location");
        let key = |dir: &str| DownloadTarget::in_store(&store, dir.into()).folder().key();
        assert!(key("/home/me/films").starts_with("out/films-"));
        assert_eq!(key("/home/me/films"), key("/home/me/films"));
        assert_ne!(key("/home/me/films"), key("/home/you/films"));
        assert!(key(&format!("/{}", "ü".repeat(120))).len() < 255);
    }
}
