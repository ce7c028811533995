//! Bringing a verified output to its final key, in two steps: [`prepare`]
//! moves the bytes while nobody can see them, [`Prepared::commit`] makes them
//! appear, whole, at once. Between the two the run is written once more, so
//! that a worker that lost its job in the meantime publishes nothing. What it
//! asked of the store before it lost the job, and the network has kept since,
//! is [forestalled](forestall) by whoever goes on.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use common::failure::Failure;
use common::id::JobId;
use common::location::Location;
use common::run::Run;
use common::store::{OnBytes, StoreError, Stores, Upload};
use tokio_util::sync::CancellationToken;

use crate::input::failure;

/// An output that is where it must be and that nobody can see yet.
pub enum Prepared {
    /// A file to be renamed within its file system.
    File {
        /// What it is called now.
        from: PathBuf,
        /// What it will be called.
        to: PathBuf,
    },
    /// An upload whose parts are all there.
    Object(Upload),
}

/// Moves an output next to its final key.
///
/// # Errors
/// Where the store fails, the disk is full, or it is stopped; nothing is left
/// behind then.
pub async fn prepare(
    stores: &Stores,
    output: &Path,
    to: &Location,
    attempt: (&JobId, u32),
    on_bytes: OnBytes<'_>,
    stop: &CancellationToken,
) -> Result<Prepared, Failure> {
    match to.path() {
        Some(path) => {
            let prepared = prepare_file(output.to_owned(), path, attempt).await?;
            if stop.is_cancelled() {
                prepared.discard().await;
                return Err(failure(StoreError::Stopped(to.clone())));
            }
            Ok(prepared)
        }
        None => stores
            .upload(output, to, on_bytes, stop)
            .await
            .map(Prepared::Object)
            .map_err(failure),
    }
}

/// What an output is called until its job's owner lets it appear.
fn hidden(to: &Path, job: &JobId, attempt: u32) -> PathBuf {
    to.with_file_name(format!(".ffmpeg-easy-{job}-{attempt}"))
}

/// Removes what workers left that were killed while they copied.
fn remove_hidden(to: &Path, job: &JobId, last_attempt: u32) {
    for attempt in 1..=last_attempt {
        let _ = std::fs::remove_file(hidden(to, job, attempt));
    }
}

/// Sees to it that no upload of an earlier attempt makes an output appear any
/// more, however late the request to end it reaches the store.
///
/// # Errors
/// Where the store fails: it may still appear then.
pub async fn forestall(stores: &Stores, run: &Run) -> Result<(), Failure> {
    match &run.upload {
        Some(upload) => stores.abort(&run.job.output, upload).await.map_err(failure),
        None => Ok(()),
    }
}

/// Gives up what the attempts at a job so far may have left: hidden files
/// beside its output, and an upload that was about to be ended. The parts of one
/// that did not get so far are the store's to expire.
pub async fn clean_up(stores: &Stores, run: &Run) {
    let (job, attempts) = (run.job.id, run.attempt);
    if let Some(path) = run.job.output.path() {
        // It is only about space: nobody takes a hidden file for an output.
        let _ = tokio::task::spawn_blocking(move || remove_hidden(&path, &job, attempts)).await;
    }
    if let Err(error) = forestall(stores, run).await {
        tracing::warn!(%job, %error, "an output may still appear");
    }
}

async fn prepare_file(
    from: PathBuf,
    to: PathBuf,
    (job, attempt): (&JobId, u32),
) -> Result<Prepared, Failure> {
    let job = *job;
    let shown = to.display().to_string();
    let prepared = tokio::task::spawn_blocking(move || {
        let folder = to.parent().unwrap_or_else(|| Path::new("/"));
        std::fs::create_dir_all(folder)?;
        remove_hidden(&to, &job, attempt - 1);
        let temporary = hidden(&to, &job, attempt);
        // A rename costs nothing, but works within one file system only.
        if std::fs::rename(&from, &temporary).is_err()
            && let Err(error) = std::fs::copy(&from, &temporary)
        {
            let _ = std::fs::remove_file(&temporary);
            return Err(error);
        }
        // The name must never reach the disk before the bytes do. Windows syncs only what may be written.
        let synced = File::options()
            .write(true)
            .open(&temporary)
            .and_then(|file| file.sync_all());
        if let Err(error) = synced {
            let _ = std::fs::remove_file(&temporary);
            return Err(error);
        }
        Ok(Prepared::File {
            from: temporary,
            to,
        })
    })
    .await
    .map_err(|error| Failure::worker(error.to_string()))?;
    prepared.map_err(|error: io::Error| Failure::worker(format!("cannot write {shown}: {error}")))
}

impl Prepared {
    /// Makes the output appear. Without `replace` it spares what is there.
    ///
    /// # Errors
    /// Where something is there that is to be spared, or the store or the disk
    /// refuses.
    pub async fn commit(
        self,
        stores: &Stores,
        to: &Location,
        replace: bool,
    ) -> Result<(), Failure> {
        let occupied = || {
            Failure::input(format!(
                "{to} has appeared since the job was enqueued, and is not this job's: it was left as it is"
            ))
        };
        match self {
            // No store can be trusted with a conditional put, so a moment is left
            // in which somebody else's object would still be replaced.
            Self::Object(upload) if !replace => match stores.head(to).await {
                Err(StoreError::Missing(_)) => upload.commit().await.map_err(failure),
                Ok(_) => {
                    upload.abort().await;
                    Err(occupied())
                }
                Err(error) => {
                    upload.abort().await;
                    Err(failure(error))
                }
            },
            Self::Object(upload) => upload.commit().await.map_err(failure),
            Self::File { from, to } => {
                let shown = to.display().to_string();
                tokio::task::spawn_blocking(move || {
                    let placed = place(&from, &to, replace);
                    if placed.is_err() {
                        let _ = std::fs::remove_file(&from);
                    }
                    placed?;
                    sync_folder(to.parent().unwrap_or_else(|| Path::new("/")))
                })
                .await
                .map_err(|error| Failure::worker(error.to_string()))?
                .map_err(|error| match error.kind() {
                    io::ErrorKind::AlreadyExists => occupied(),
                    _ => Failure::worker(format!("cannot write {shown}: {error}")),
                })
            }
        }
    }

    /// The upload that makes the output appear, where it is one.
    pub fn upload(&self) -> Option<String> {
        match self {
            Self::Object(upload) => Some(upload.id().to_owned()),
            Self::File { .. } => None,
        }
    }

    /// Gives the output up.
    pub async fn discard(self) {
        match self {
            Self::Object(upload) => upload.abort().await,
            Self::File { from, .. } => {
                let _ = tokio::fs::remove_file(&from).await;
            }
        }
    }
}

/// Gives a file its final name; where another has it already and is to be
/// spared, this fails.
fn place(from: &Path, to: &Path, replace: bool) -> io::Result<()> {
    if replace {
        return std::fs::rename(from, to);
    }
    match std::fs::hard_link(from, to) {
        Ok(()) => std::fs::remove_file(from),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        // Not every file system has links; then a moment is left for somebody else.
        Err(_) if to.symlink_metadata().is_ok() => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => std::fs::rename(from, to),
    }
}

/// Makes a rename survive a power cut.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
