//! One download: copied under a hidden name, compared with the report of the job, and only then given its name. Another
//! file of that name is kept.

use std::ffi::{OsStr, OsString};
use std::fs::{File, TryLockError};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::job::id::JobId;
use common::job::master::{MasterFile, MasterRecord};
use common::job::run::{Run, RunState};
use common::names::digest::Digest;
use common::names::location::Location;
use common::store::roots::{OpenFolder, Roots};
use common::store::{Copied, StoreError, Stores};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::event::{DownloadEvent, DownloadResult};
use super::target::DownloadTarget;

/// How often a download is tried while the store fails, and the wait between two tries.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);
/// Bytes between two reports of progress.
const STEP: u64 = 1 << 20;
pub(super) struct Downloader {
    pub(super) stores: Stores,
    pub(super) roots: Roots,
    pub(super) target: DownloadTarget,
    pub(super) overwrite: bool,
}

impl Downloader {
    /// Downloads a result: its companions first, then the output.
    pub(super) async fn download(
        &self,
        run: &Run,
        sender: &mpsc::UnboundedSender<DownloadEvent>,
        stop: &CancellationToken,
    ) -> DownloadResult {
        let RunState::Completed { report } = &run.state else {
            return DownloadResult::Failed("its job has not completed".to_owned());
        };
        let (job, output) = (run.job.id, &run.job.output);
        for companion in &report.companions {
            let beside = companion.suffix.beside(output);
            let may_be_own = companion.suffix.may_be_a_source();
            let expected = Expected {
                size: companion.size,
                digest: Some(companion.digest.clone()),
                // A video or subtitles may be somebody's own.
                may_replace: self.overwrite && !may_be_own,
            };
            match self.bring(job, &beside, &expected, sender, stop).await {
                DownloadResult::Occupied(path) if may_be_own => {
                    return DownloadResult::Failed(format!(
                        "another file has the name of a file beside the result and may be your own video or \
                         subtitles, which nothing replaces: move it away: {}",
                        path.display()
                    ));
                }
                found if found.path().is_none() => return found,
                _ => {}
            }
        }
        let expected = Expected {
            size: report.output_size,
            digest: run.output_digest.clone(),
            may_replace: self.overwrite,
        };
        self.bring(job, output, &expected, sender, stop).await
    }

    /// Downloads the master files of a ladder, the master playlist last. `job` is a member of the ladder.
    pub(super) async fn download_masters(
        &self,
        job: JobId,
        record: &MasterRecord,
        sender: &mpsc::UnboundedSender<DownloadEvent>,
        stop: &CancellationToken,
    ) -> DownloadResult {
        let [first, last] = record.files();
        let [manifest, playlist] = [first.1, last.1].map(|file: &MasterFile| Expected {
            size: file.size,
            digest: Some(file.digest.clone()),
            may_replace: self.overwrite,
        });
        let found = self.bring(job, &first.0, &manifest, sender, stop).await;
        if found.path().is_none() {
            return found;
        }
        self.bring(job, &last.0, &playlist, sender, stop).await
    }

    /// Downloads one file of a result.
    async fn bring(
        &self,
        job: JobId,
        output: &Location,
        expected: &Expected,
        sender: &mpsc::UnboundedSender<DownloadEvent>,
        stop: &CancellationToken,
    ) -> DownloadResult {
        let place = self.target.place(output);
        let Some((place, path)) = place.and_then(|place| Some((place.clone(), place.path()?)))
        else {
            return DownloadResult::Failed(format!("its name leads out of the folder: {output}"));
        };
        let mut tries = 1;
        loop {
            let trying = self.try_download(job, (output, &place), expected, sender, stop);
            let tried = match trying.await {
                Ok(true) => return DownloadResult::New(path),
                Ok(false) => return DownloadResult::There(path),
                Err(error) => error,
            };
            match tried {
                DownloadError::Occupied => return DownloadResult::Occupied(path),
                DownloadError::Store(StoreError::Missing(_)) => return DownloadResult::Gone,
                DownloadError::Store(StoreError::Remote { .. }) if tries < TRIES => {
                    tries += 1;
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = stop.cancelled() => {}
                    }
                }
                error => return DownloadResult::Failed(error.to_string()),
            }
        }
    }

    /// Downloads the result unless it is there already. Returns whether it was copied.
    async fn try_download(
        &self,
        job: JobId,
        (output, place): (&Location, &Location),
        expected: &Expected,
        sender: &mpsc::UnboundedSender<DownloadEvent>,
        stop: &CancellationToken,
    ) -> Result<bool, DownloadError> {
        if self.is_there(output, place, expected, stop).await? {
            return Ok(false);
        }
        let hidden = {
            let (roots, at) = (self.roots.clone(), place.clone());
            blocking(move || HiddenFile::make(&roots, &at, &job)).await?
        };
        let last = AtomicU64::new(0);
        let on_bytes = |done: u64| {
            if done >= last.load(Ordering::Relaxed) + STEP {
                last.store(done, Ordering::Relaxed);
                let _ = sender.send(DownloadEvent::Bytes(job, done));
            }
        };
        let copied = {
            let file = hidden.file.try_clone().map_err(hidden.failed())?;
            tokio::select! {
                copied = self.stores.copy_into(output, file, &on_bytes) => copied?,
                () = stop.cancelled() => return Err(StoreError::Stopped(output.clone()).into()),
            }
        };
        if !expected.is(&copied) {
            return Err(DownloadError::Changed(output.clone()));
        }
        let may_replace = expected.may_replace;
        blocking(move || hidden.appear(may_replace)).await?;
        Ok(true)
    }

    /// Whether the result is there already. Another file is an error, unless it may be replaced.
    async fn is_there(
        &self,
        output: &Location,
        place: &Location,
        expected: &Expected,
        stop: &CancellationToken,
    ) -> Result<bool, DownloadError> {
        let (roots, at, size) = (self.roots.clone(), place.clone(), expected.size);
        let there = blocking(move || look(&roots, &at, size)).await?;
        let found = match (there, &expected.digest) {
            (ExistingFile::Nothing, _) => return Ok(false),
            (ExistingFile::Other, _) => None,
            (ExistingFile::OfItsSize(found), Some(digest)) => Some(found == *digest),
            // The job recorded no digest, so the result itself is read.
            (ExistingFile::OfItsSize(found), None) => tokio::select! {
                digest = self.stores.digest(output) => Some(digest? == found),
                () = stop.cancelled() => return Err(StoreError::Stopped(output.clone()).into()),
            },
        };
        match found {
            Some(true) => Ok(true),
            _ if expected.may_replace => Ok(false),
            _ => Err(DownloadError::Occupied),
        }
    }
}

/// A file of the result as the job made it.
struct Expected {
    size: u64,
    /// Old jobs did not record it.
    digest: Option<Digest>,
    /// Whether another file of its name is replaced.
    may_replace: bool,
}

impl Expected {
    fn is(&self, copied: &Copied) -> bool {
        let is_same = |digest: &Digest| *digest == copied.digest;
        copied.size == self.size && self.digest.as_ref().is_none_or(is_same)
    }
}

#[derive(Debug, thiserror::Error)]
enum DownloadError {
    #[error("another file has its name")]
    Occupied,
    #[error("the file in the bucket is not the one that the job made: {0}")]
    Changed(Location),
    #[error(transparent)]
    Store(#[from] StoreError),
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DownloadError> + Send + 'static,
) -> Result<T, DownloadError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| local("copying a result")(io::Error::other(error)))?
}

fn local(what: impl Into<String>) -> impl FnOnce(io::Error) -> DownloadError {
    let what = what.into();
    move |source| StoreError::Local { what, source }.into()
}

/// The file at the name of a result.
enum ExistingFile {
    Nothing,
    OfItsSize(Digest),
    Other,
}

fn look(roots: &Roots, place: &Location, size: u64) -> Result<ExistingFile, DownloadError> {
    let (folder, name) = match roots.folder_of(place) {
        Ok(found) => found,
        Err(StoreError::Missing(_)) => return Ok(ExistingFile::Nothing),
        Err(error) => return Err(error.into()),
    };
    match folder.kind(&name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ExistingFile::Nothing),
        Err(error) => return Err(local(place.to_string())(error)),
        Ok(found) if !found.is_file() || found.len() != size => return Ok(ExistingFile::Other),
        Ok(_) => {}
    }
    let digest = folder
        .open(&name)
        .and_then(|found| Digest::of_file(&found.file));
    digest
        .map(ExistingFile::OfItsSize)
        .map_err(local(format!("reading {place}")))
}

/// A result under its hidden name; removed when dropped.
struct HiddenFile {
    folder: OpenFolder,
    name: OsString,
    to: OsString,
    /// Locked, so that no other command removes it as abandoned.
    file: File,
    place: Location,
    is_named: bool,
}

impl HiddenFile {
    fn make(roots: &Roots, place: &Location, job: &JobId) -> Result<Self, DownloadError> {
        let (folder, to) = roots.make_folder_of(place)?;
        let prefix = format!(".ffmpeg-easy-download-{job}-");
        // Left by killed commands.
        if let Err(error) = folder.remove_abandoned(&prefix) {
            tracing::debug!(%error, "hidden files may be left");
        }
        let failed = |error| local(format!("writing {place}"))(error);
        loop {
            let name = OsString::from(format!("{prefix}{}", Uuid::new_v4().simple()));
            let file = folder.create(&name).map_err(failed)?;
            // Another command has just locked it to remove it. Without file locks, no command removes any.
            if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
                continue;
            }
            return Ok(Self {
                folder,
                name,
                to,
                file,
                place: place.clone(),
                is_named: false,
            });
        }
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> DownloadError {
        local(format!("writing {}", self.place))
    }

    fn appear(mut self, overwrite: bool) -> Result<(), DownloadError> {
        let settled = self.folder.settle(&self.name, &self.to, overwrite);
        settled.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => DownloadError::Occupied,
            _ => self.failed()(error),
        })?;
        self.is_named = true;
        self.folder.sync().map_err(self.failed())
    }
}

impl Drop for HiddenFile {
    fn drop(&mut self) {
        if !self.is_named
            && let Err(error) = self.folder.remove(OsStr::new(&self.name))
        {
            tracing::warn!(name = %self.name.display(), %error, "a hidden file was left behind");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use common::job::companion::{Companion, Suffix};
    use common::recipe::Choice;
    use common::submit::terms::JobTerms;
    use common::testing;

    /// What becomes of a file beside a result, where another file has its name.
    async fn beside_another(suffix: &str, overwrite: bool) -> (DownloadResult, String) {
        let folder = tempfile::tempdir().expect("a folder");
        let dir = folder.path().canonicalize().expect("there");
        let there = dir.join(format!("film.{suffix}"));
        std::fs::write(&there, "mine").expect("written");
        let mut job = testing::job(Choice::Encoder("libx265".parse().expect("known")), 1);
        // Nothing listens there: a file that is to be replaced cannot be read.
        let store = Location::s3("media", "out").expect("a location");
        job.output = store.join("film.mkv");
        let mut report = testing::report("one", "libx265", 1, 1.0);
        report.companions.push(Companion {
            suffix: Suffix::new(suffix).expect("plain"),
            size: 4,
            digest: Digest::of(b"ours"),
        });
        let lane = JobTerms::new().lane(&job.recipe);
        let run = Run {
            state: RunState::Completed {
                report: Box::new(report),
            },
            ..Run::unclaimed(job, &lane, jiff::Timestamp::now())
        };
        let stop = CancellationToken::new();
        stop.cancel();
        let downloader = Downloader {
            stores: Stores::new(),
            roots: Roots::new([&dir]).expect("a folder"),
            target: DownloadTarget::new(store, dir),
            overwrite,
        };
        let (sender, _events) = mpsc::unbounded_channel();
        let result = downloader.download(&run, &sender, &stop).await;
        (result, std::fs::read_to_string(there).expect("there"))
    }

    #[tokio::test]
    async fn a_video_beside_a_result_is_never_replaced() {
        for overwrite in [false, true] {
            let (result, content) = beside_another("preview.mp4", overwrite).await;
            let why = result.problem().expect("not downloaded");
            assert!(why.contains("move it away"), "{why}");
            assert_eq!(content, "mine");
        }
        let (result, _) = beside_another("1.jpg", false).await;
        assert!(matches!(result, DownloadResult::Occupied(_)), "{result:?}");
        let (result, _) = beside_another("1.jpg", true).await;
        assert!(matches!(result, DownloadResult::Failed(_)), "{result:?}");
    }
}
