//! A finished output in its final folder, under a hidden name, until the job's owner makes it appear.
//!
//! The folder stays open from then on, so that nobody can redirect the output by moving folders or planting links.
//! The hidden name is new and random, so that no existing file is written to.

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

/// The beginning of every hidden name.
pub(in crate::attempt) const HIDDEN: &str = ".ffmpeg-easy-";

/// How often an output is brought to a folder that another worker removes meanwhile.
const TRIES: u32 = 5;

/// The output of one attempt under its hidden name.
pub(crate) struct StagedFile {
    folder: Arc<OpenFolder>,
    name: String,
    to: OsString,
    shown: Location,
}

/// The beginning of all hidden names of a job.
fn prefix(job: &JobId) -> String {
    format!("{HIDDEN}{job}-")
}

impl StagedFile {
    /// Brings an output from scratch next to its final name: by a link or rename on the same disk, otherwise by a
    /// copy. The file at `output` must still be the open file `made`.
    ///
    /// # Errors
    /// If its folder lies outside the roots or cannot be written. Nothing is left behind then, and the output is
    /// still in scratch.
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
            let once = || {
                let (folder, to) = roots.make_folder_of(at)?;
                bring(&output, made, &folder, name.as_ref()).map_err(unwritten(at))?;
                Ok((folder, to))
            };
            let mut brought = once();
            // A folder of pieces goes when it is empty, which may be just now.
            for _ in 1..TRIES {
                if !is_missing(&brought) {
                    break;
                }
                brought = once();
            }
            let (folder, to) = brought?;
            Ok(Self {
                folder: Arc::new(folder),
                name,
                to,
                shown: at.clone(),
            })
        };
        stores.on_disk(to, bring).await
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Gives the output its final name. Without `replace`, this fails with [`io::ErrorKind::AlreadyExists`] if
    /// another file has the name.
    ///
    /// # Errors
    /// Also if the disk refuses. The output may have appeared all the same.
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

    /// Converts an error of [`appear`](Self::appear).
    pub(crate) fn unwritten(&self, source: io::Error) -> Failure {
        failure(unwritten(&self.shown)(source))
    }

    /// Removes the hidden file.
    pub(crate) async fn discard(self) {
        let _ = tokio::task::spawn_blocking(move || self.folder.remove(self.name.as_ref())).await;
    }
}

/// Whether a file or folder on the way was missing.
fn is_missing<T>(brought: &Result<T, StoreError>) -> bool {
    match brought {
        Err(StoreError::Missing(_)) => true,
        Err(StoreError::Local { source, .. }) => source.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}

fn unwritten(to: &Location) -> impl FnOnce(io::Error) -> StoreError {
    let what = format!("cannot write {to}");
    move |source| StoreError::Local { what, source }
}

/// Removes the hidden files that killed workers left for a job's output. This only saves space, because nobody takes
/// a hidden file for an output.
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
    // A link or rename costs nothing, but works on one disk only.
    let named = scratch
        .link(name, folder, hidden)
        .or_else(|_| scratch.rename(name, folder, hidden));
    if named.is_ok() {
        let brought = is_same(folder, hidden, &made).and_then(|()| folder.flush(hidden));
        // After an error the output goes back to scratch, because the attempt may try again.
        return match brought {
            Ok(()) => {
                // If this fails, the second name in scratch goes with the attempt's folder.
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
    // The permissions are set before the copy, so that nobody can read a part of a private output. The time is set
    // again after it, because writing changes it.
    let attributes = made.file.metadata().map(|made| Attributes::of(&made));
    let give = |copy: &File| {
        attributes
            .iter()
            .for_each(|attributes| attributes.give(copy))
    };
    give(&copy);
    let copied = io::copy(&mut made.file, &mut copy).and_then(|_| {
        give(&copy);
        // The bytes must reach the disk before the final name does.
        copy.sync_all()
    });
    copied.inspect_err(|_| {
        let _ = folder.remove(hidden);
    })
}

/// Removes the hidden name of an output that is to keep its name in scratch.
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
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use common::store::Stores;

    use super::*;

    const JOB: &str = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab";

    /// A root, and stores that may use it.
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
        // A folder on another disk than scratch.
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
    async fn a_folder_that_goes_meanwhile_is_made_again() {
        let place = Place::new(tempfile::tempdir().expect("a folder"));
        let folder = place.folder.path().join("new");
        let is_over = Arc::new(AtomicBool::new(false));
        let removing = std::thread::spawn({
            let is_over = Arc::clone(&is_over);
            move || {
                while !is_over.load(Ordering::Relaxed) {
                    let _ = std::fs::remove_dir(&folder);
                    // Rarer than the tries, which cannot all lose then.
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        });
        for _ in 0..1000 {
            let brought = place.bring("new/a.mkv").await;
            brought.expect("brought each time").discard().await;
        }
        is_over.store(true, Ordering::Relaxed);
        removing.join().expect("it removes what it can");
    }

    #[tokio::test]
    async fn an_output_that_was_refused_is_still_there_to_be_brought() {
        for place in places() {
            // A folder on the same disk.
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

            // A file in place of the output's folder.
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
