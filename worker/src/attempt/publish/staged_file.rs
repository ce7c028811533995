//! A finished output that lies in its folder under a hidden name, until its
//! job's owner lets it appear.
//!
//! The folder is open from then on, so that nobody can lead the output elsewhere
//! by moving folders or planting links; the name is new and random, so that
//! nothing that is there already is written to.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use common::job::failure::Failure;
use common::job::id::JobId;
use common::names::location::Location;
use common::store::roots::{Identity, OpenFolder, Opened, Roots};
use common::store::{StoreError, Stores};
use uuid::Uuid;

use crate::attempt::input::failure;
use crate::attempt::publish::attributes::Attributes;

/// The output of one attempt under its hidden name.
pub(crate) struct StagedFile {
    folder: Arc<OpenFolder>,
    name: String,
    to: OsString,
    shown: Location,
}

/// What all hidden names of a job begin with.
fn prefix(job: &JobId) -> String {
    format!(".ffmpeg-easy-{job}-")
}

impl StagedFile {
    /// Brings an output from scratch next to its final name: by a new name where
    /// that is on the same disk, else by a copy. It must be the file that is open
    /// as `made`, whatever has the name `output` by now.
    ///
    /// # Errors
    /// Where its folder lies outside or cannot be written; nothing is left behind
    /// then, and the output is still in scratch.
    pub(crate) async fn bring(
        stores: &Stores,
        (output, made): (&Path, &File),
        to: &Location,
        job: &JobId,
    ) -> Result<Self, StoreError> {
        let output = output.to_owned();
        let made = Identity::of(made).map_err(unwritten(to))?;
        let name = format!("{}{}", prefix(job), Uuid::new_v4().simple());
        let bring = move |roots: &Roots, at: &Location| {
            let (folder, to) = roots.make_folder_of(at)?;
            bring(&output, made, &folder, name.as_ref()).map_err(unwritten(at))?;
            Ok(Self {
                folder: Arc::new(folder),
                name,
                to,
                shown: at.clone(),
            })
        };
        stores.on_disk(to, bring).await
    }

    /// The hidden name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Gives the output its final name. Without `replace` this fails with
    /// [`io::ErrorKind::AlreadyExists`] where another has it.
    ///
    /// # Errors
    /// Where the disk refuses, too; it may have appeared all the same.
    pub(crate) async fn appear(&self, replace: bool) -> io::Result<()> {
        let (folder, name, to) = (Arc::clone(&self.folder), self.name.clone(), self.to.clone());
        tokio::task::spawn_blocking(move || {
            let placed = folder.settle(name.as_ref(), &to, replace);
            if placed.is_err() {
                let _ = folder.remove(name.as_ref());
            }
            placed?;
            folder.sync()
        })
        .await
        .map_err(io::Error::other)?
    }

    /// What an error of [`appear`](Self::appear) means.
    pub(crate) fn unwritten(&self, source: io::Error) -> Failure {
        failure(unwritten(&self.shown)(source))
    }

    /// Gives the output up.
    pub(crate) async fn discard(self) {
        let _ = tokio::task::spawn_blocking(move || self.folder.remove(self.name.as_ref())).await;
    }
}

fn unwritten(to: &Location) -> impl FnOnce(io::Error) -> StoreError {
    let what = format!("cannot write {to}");
    move |source| StoreError::Local { what, source }
}

/// Removes what workers left that were killed over a job's output. It is only
/// about space: nobody takes a hidden file for an output.
pub(crate) async fn remove_leftovers(stores: &Stores, to: &Location, job: &JobId) {
    if to.is_remote() {
        return;
    }
    let prefix = prefix(job);
    let remove = move |roots: &Roots, at: &Location| {
        let (folder, _) = roots.folder_of(at)?;
        folder
            .remove_own(&prefix)
            .map_err(|source| StoreError::Local {
                what: at.to_string(),
                source,
            })
    };
    if let Err(error) = stores.on_disk(to, remove).await {
        tracing::debug!(%job, %error, "hidden files may be left");
    }
}

fn bring(output: &Path, expected: Identity, folder: &OpenFolder, hidden: &OsStr) -> io::Result<()> {
    let (Some(scratch), Some(name)) = (output.parent(), output.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let scratch = OpenFolder::own(scratch)?;
    let mut made = scratch.open(name)?;
    if made.identity != expected {
        return Err(exchanged());
    }
    // A new name costs nothing, but is possible on one disk only.
    let named = scratch
        .link(name, folder, hidden)
        .or_else(|_| scratch.rename(name, folder, hidden));
    if named.is_ok() {
        let brought = is_same(folder, hidden, &made).and_then(|()| folder.flush(hidden));
        // Of a finished output the attempt may still make something.
        return match brought {
            Ok(()) => {
                // A second name in scratch goes with the attempt at the latest.
                let _ = scratch.remove(name);
                Ok(())
            }
            Err(error) => {
                let _ = put_back(folder, hidden, &scratch, name);
                Err(error)
            }
        };
    }
    let mut copy = folder.create(hidden)?;
    // Who may not read the output may not read a part of it, and its time is set when all is there.
    let attributes = made.file.metadata().map(|made| Attributes::of(&made));
    let give = |copy: &File| {
        attributes
            .iter()
            .for_each(|attributes| attributes.give(copy))
    };
    give(&copy);
    let copied = io::copy(&mut made.file, &mut copy).and_then(|_| {
        give(&copy);
        // The name must never reach the disk before the bytes do.
        copy.sync_all()
    });
    copied.inspect_err(|_| {
        let _ = folder.remove(hidden);
    })
}

/// Takes a hidden name away from what is to keep its name in scratch.
fn put_back(
    folder: &OpenFolder,
    hidden: &OsStr,
    scratch: &OpenFolder,
    name: &OsStr,
) -> io::Result<()> {
    if scratch.has(name)? {
        folder.remove(hidden)
    } else {
        folder.rename(hidden, scratch, name)
    }
}

fn is_same(folder: &OpenFolder, hidden: &OsStr, made: &Opened) -> io::Result<()> {
    if folder.open(hidden)?.identity == made.identity {
        return Ok(());
    }
    Err(exchanged())
}

fn exchanged() -> io::Error {
    io::Error::other("the output was exchanged")
}

#[cfg(test)]
mod tests {
    use common::store::Stores;

    use super::*;

    const JOB: &str = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab";

    /// A root, scratch with an output, and access to the root.
    struct Place {
        folder: tempfile::TempDir,
        stores: Stores,
        job: JobId,
    }

    impl Place {
        fn new(root: tempfile::TempDir) -> Self {
            let roots = Roots::new([root.path()]).expect("a folder");
            Self {
                folder: root,
                stores: Stores::new().within(roots, Vec::new()),
                job: JOB.parse().expect("an id"),
            }
        }

        fn at(&self, name: &str) -> Location {
            Location::file(&self.folder.path().join(name)).expect("absolute")
        }

        async fn bring(&self, name: &str) -> Result<StagedFile, StoreError> {
            let scratch = tempfile::tempdir().expect("a folder");
            let output = scratch.path().join("output.mkv");
            std::fs::write(&output, "film").expect("written");
            StagedFile::bring(
                &self.stores,
                (&output, &open(&output)),
                &self.at(name),
                &self.job,
            )
            .await
        }

        fn names(&self, folder: &str) -> Vec<String> {
            let entries = std::fs::read_dir(self.folder.path().join(folder)).expect("there");
            let name = |entry: io::Result<std::fs::DirEntry>| entry.expect("read").file_name();
            let mut names: Vec<_> = entries.map(name).collect();
            names.sort();
            names
                .into_iter()
                .map(|name| name.into_string().expect("text"))
                .collect()
        }
    }

    fn open(output: &Path) -> File {
        File::open(output).expect("it is there")
    }

    #[tokio::test]
    async fn an_output_that_was_exchanged_is_not_brought() {
        for place in places() {
            let scratch = tempfile::tempdir().expect("a folder");
            let output = scratch.path().join("output.mkv");
            std::fs::write(&output, "film").expect("written");
            let made = open(&output);
            std::fs::remove_file(&output).expect("removed");
            std::fs::write(&output, "evil").expect("written");
            let to = place.at("a.mkv");
            let refused = StagedFile::bring(&place.stores, (&output, &made), &to, &place.job).await;
            assert!(refused.is_err());
            assert!(place.names("").is_empty());
        }
    }

    fn places() -> Vec<Place> {
        let mut places = vec![Place::new(tempfile::tempdir().expect("a folder"))];
        // Another disk than that of scratch.
        if Path::new("/dev/shm").is_dir() {
            let shm = tempfile::tempdir_in("/dev/shm").expect("a folder");
            places.push(Place::new(shm));
        }
        places
    }

    #[tokio::test]
    async fn an_output_appears_whole_and_leaves_nothing_else() {
        for place in places() {
            let hidden = place.bring("new/a.mkv").await.expect("brought");
            assert_eq!(place.names("new"), [hidden.name()]);
            hidden.appear(false).await.expect("free");
            assert_eq!(place.names("new"), ["a.mkv"]);

            let again = place.bring("new/a.mkv").await.expect("brought");
            let refused = again.appear(false).await.expect_err("taken");
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
            let again = place.bring("new/a.mkv").await.expect("brought");
            again.appear(true).await.expect("replaced");
            place
                .bring("new/a.mkv")
                .await
                .expect("brought")
                .discard()
                .await;
            assert_eq!(place.names("new"), ["a.mkv"]);
        }
    }

    #[tokio::test]
    async fn an_output_that_was_refused_is_still_there_to_be_brought() {
        for place in places() {
            // On the same disk.
            let scratch = tempfile::tempdir_in(place.folder.path()).expect("a folder");
            let output = scratch.path().join("output.mkv");
            std::fs::write(&output, "film").expect("written");
            let folder = OpenFolder::own(place.folder.path()).expect("a folder");
            let own = OpenFolder::own(scratch.path()).expect("a folder");
            let (name, hidden) = (OsStr::new("output.mkv"), OsStr::new("hidden"));
            own.link(name, &folder, hidden).expect("a second name");
            put_back(&folder, hidden, &own, name).expect("put back");
            assert!(output.exists() && !folder.has(hidden).expect("told"));
            own.rename(name, &folder, hidden).expect("moved");
            put_back(&folder, hidden, &own, name).expect("put back");
            assert!(output.exists() && !folder.has(hidden).expect("told"));

            // A file where the folder should be.
            let in_the_way = place.folder.path().join("new");
            std::fs::write(&in_the_way, "in the way").expect("written");
            let to = place.at("new/a.mkv");
            let refused =
                StagedFile::bring(&place.stores, (&output, &open(&output)), &to, &place.job).await;
            assert!(refused.is_err() && output.exists());
            std::fs::remove_file(in_the_way).expect("removed");
            let brought =
                StagedFile::bring(&place.stores, (&output, &open(&output)), &to, &place.job).await;
            brought.expect("brought").appear(false).await.expect("free");
            assert_eq!(place.names("new"), ["a.mkv"]);
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn planted_links_are_neither_written_through_nor_followed() {
        for place in places() {
            let victim = tempfile::NamedTempFile::new().expect("a file");
            std::fs::write(victim.path(), "precious").expect("written");
            let planted = format!(".ffmpeg-easy-{JOB}-1");
            for name in [planted.as_str(), "a.mkv"] {
                let link = place.folder.path().join(name);
                std::os::unix::fs::symlink(victim.path(), link).expect("linked");
            }
            let left = place.folder.path().join(format!(".ffmpeg-easy-{JOB}-2"));
            std::fs::write(left, "half").expect("written");
            remove_leftovers(&place.stores, &place.at("a.mkv"), &place.job).await;
            assert_eq!(place.names(""), [planted.as_str(), "a.mkv"]);

            let hidden = place.bring("a.mkv").await.expect("brought");
            let refused = hidden.appear(false).await.expect_err("taken");
            assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
            let hidden = place.bring("a.mkv").await.expect("brought");
            hidden
                .appear(true)
                .await
                .expect("the link itself is replaced");
            let kept = std::fs::read_to_string(victim.path()).expect("there");
            assert_eq!(kept, "precious");
            assert_eq!(place.names(""), [planted.as_str(), "a.mkv"]);
        }
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn an_output_that_is_no_plain_file_goes_nowhere() {
        for place in places() {
            let scratch = tempfile::tempdir().expect("a folder");
            let output = scratch.path().join("output.mkv");
            std::os::unix::fs::symlink("/etc/passwd", &output).expect("linked");
            let to = place.at("a.mkv");
            assert!(
                StagedFile::bring(&place.stores, (&output, &open(&output)), &to, &place.job)
                    .await
                    .is_err()
            );
            assert!(place.names("").is_empty());
        }
    }
}
