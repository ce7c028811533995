//! Bringing a verified output to its final key, in two steps: [`prepare`]
//! moves the bytes while nobody can see them, [`Prepared::commit`] makes them
//! appear, whole, at once. Between the two the run is written once more, so
//! that a worker that lost its job in the meantime publishes nothing, and it
//! notes what is to appear. What a worker asked of the store before it lost the
//! job, and the network has kept since, is [settled](settle) by whoever goes on.
//!
//! Whose output is there is decided by looking, never by what anybody remembers.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use common::failure::Failure;
use common::fence::{Fence, Means};
use common::id::JobId;
use common::location::Location;
use common::run::Run;
use common::store::{OnBytes, StoreError, Stores, Upload};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::input::failure;
use crate::patience::patiently;

/// How long a store that answers, or a folder, may take to let an output appear.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Wait between two looks at an output while the store is at it.
const LOOK: Duration = Duration::from_secs(5);
/// First and longest wait before a store is told again to end an upload.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// So often a store may say that it does not know an upload, with nothing there,
/// before it is believed.
const UNKNOWN: u32 = 5;

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
        None => {
            let file = File::open(output)
                .map_err(|error| Failure::worker(format!("{}: {error}", output.display())))?;
            stores
                .upload(file, to, on_bytes, stop)
                .await
                .map(Prepared::Object)
                .map_err(failure)
        }
    }
}

/// How the name of every output begins that its job's owner has not let appear.
const HIDDEN: &str = ".ffmpeg-easy-";

/// What an output is called until its job's owner lets it appear.
fn hidden(to: &Path, job: &JobId, attempt: u32) -> PathBuf {
    to.with_file_name(format!("{HIDDEN}{job}-{attempt}"))
}

fn is_hidden(name: &str) -> bool {
    name.starts_with(HIDDEN) && !name.contains(['/', '\\'])
}

/// Removes what workers left that were killed while they copied.
fn remove_hidden(to: &Path, job: &JobId, last_attempt: u32) {
    for attempt in 1..=last_attempt {
        let _ = std::fs::remove_file(hidden(to, job, attempt));
    }
}

/// What is at a job's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum There {
    /// Nothing.
    Nothing,
    /// What the run's note says was about to appear.
    Ours,
    /// Something else.
    Anothers,
}

/// Compares what is at the output with what was about to appear there; it is
/// read only where its size is right.
///
/// # Errors
/// Where the store fails.
pub async fn look(stores: &Stores, to: &Location, fence: &Fence) -> Result<There, StoreError> {
    let there = match stores.head(to).await {
        Ok(there) if there.size == fence.size => stores.digest(to).await,
        Ok(_) => return Ok(There::Anothers),
        Err(error) => Err(error),
    };
    match there {
        Ok(digest) if digest == fence.digest => Ok(There::Ours),
        Ok(_) => Ok(There::Anothers),
        Err(StoreError::Missing(_)) => Ok(There::Nothing),
        Err(error) => Err(error),
    }
}

/// Sees to it that nothing appears any more by what an earlier attempt was about
/// to publish, however late its request reaches the store; then looks what is
/// there.
///
/// # Errors
/// Where the store fails: it may still appear then.
pub async fn settle(stores: &Stores, to: &Location, fence: &Fence) -> Result<There, Failure> {
    match &fence.by {
        Means::Upload(upload) => stores.abort(to, upload).await.map_err(failure)?,
        // A run is a message: it names no file but a hidden one of ours.
        Means::File(name) if is_hidden(name) => {
            stores.delete(&to.sibling(name)).await.map_err(failure)?;
        }
        Means::File(_) => {}
    }
    look(stores, to, fence).await.map_err(failure)
}

/// Gives up what the attempts at a job so far may have left: hidden files
/// beside its output, and what was about to appear. The parts of an upload that
/// did not get so far are the store's to expire.
pub async fn clean_up(stores: &Stores, run: &Run) {
    remove_leftovers(run).await;
    if let Some(fence) = &run.fence
        && let Err(error) = settle(stores, &run.job.output, fence).await
    {
        tracing::warn!(job = %run.job.id, %error, "an output may still appear");
    }
}

/// Removes the hidden files of earlier attempts.
pub async fn remove_leftovers(run: &Run) {
    let (job, attempts) = (run.job.id, run.attempt);
    if let Some(path) = run.job.output.path() {
        // It is only about space: nobody takes a hidden file for an output.
        let _ = tokio::task::spawn_blocking(move || remove_hidden(&path, &job, attempts)).await;
    }
}

/// That the output's place is taken, and what to do about it.
pub fn occupied(to: &Location) -> Failure {
    Failure::input(format!(
        "{to} has appeared since the job was enqueued, and is not this job's: it was left as it is \
         (move it away and retry the job, or enqueue it again with --overwrite)"
    ))
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
    /// Makes the output appear. Without `replace` it spares what is there. An
    /// answer that fails to come is no answer: what counts is what is there.
    ///
    /// # Errors
    /// Where something is there that is to be spared, or the store or the disk
    /// refuses.
    pub async fn commit(
        self,
        stores: &Stores,
        to: &Location,
        fence: &Fence,
        replace: bool,
    ) -> Result<(), Failure> {
        // No store can be trusted with a conditional put, so a moment is left
        // in which somebody else's object would still be replaced.
        if !replace {
            let there = patiently(|| look(stores, to, fence)).await;
            if !matches!(there, Ok(There::Nothing)) {
                self.discard().await;
                return match there {
                    Ok(There::Anothers) => Err(occupied(to)),
                    there => there.map(drop).map_err(failure),
                };
            }
        }
        match self {
            Self::Object(upload) => end(upload, stores, to, fence, replace).await,
            Self::File { from, to: path } => {
                let shown = path.display().to_string();
                let placing = tokio::task::spawn_blocking(move || {
                    let placed = place(&from, &path, replace);
                    if placed.is_err() {
                        let _ = std::fs::remove_file(&from);
                    }
                    placed?;
                    sync_folder(path.parent().unwrap_or_else(|| Path::new("/")))
                });
                let placed = match tokio::time::timeout(LONGEST, placing).await {
                    Ok(placed) => placed.map_err(io::Error::other).flatten(),
                    Err(_) => Err(io::ErrorKind::TimedOut.into()),
                };
                let Err(error) = placed else {
                    return Ok(());
                };
                match look(stores, to, fence).await {
                    Ok(There::Ours) => Ok(()),
                    _ if error.kind() == io::ErrorKind::AlreadyExists => Err(occupied(to)),
                    _ => Err(Failure::worker(format!("cannot write {shown}: {error}"))),
                }
            }
        }
    }

    /// By what the output is going to appear.
    pub fn means(&self) -> Means {
        match self {
            Self::Object(upload) => Means::Upload(upload.id().to_owned()),
            Self::File { from, .. } => {
                let name = from.file_name().unwrap_or_default();
                Means::File(name.to_string_lossy().into_owned())
            }
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

/// Ends an upload. A store may take minutes, keep its answer to itself, or say
/// of its own doing that it does not know the upload any more.
async fn end(
    mut upload: Upload,
    stores: &Stores,
    to: &Location,
    fence: &Fence,
    replace: bool,
) -> Result<(), Failure> {
    let mut give_up = Instant::now() + LONGEST;
    let mut pause = PAUSE.0;
    let mut unknown = 0;
    loop {
        let answer = {
            let mut answer = pin!(upload.commit());
            loop {
                tokio::select! {
                    answer = &mut answer => break answer,
                    () = tokio::time::sleep(LOOK) => {
                        if matches!(look(stores, to, fence).await, Ok(There::Ours)) {
                            break Ok(());
                        }
                    }
                }
            }
        };
        let Err(error) = answer else {
            upload.done();
            return Ok(());
        };
        tracing::debug!(%error, "the end of the upload is unclear");
        match look(stores, to, fence).await {
            Ok(There::Ours) => {
                upload.done();
                return Ok(());
            }
            Ok(There::Anothers) if !replace => {
                upload.abort().await;
                return Err(occupied(to));
            }
            Ok(_) if matches!(error, StoreError::Missing(_)) => {
                unknown += 1;
                if unknown >= UNKNOWN {
                    return Err(Failure::passing(format!(
                        "the store no longer knows the upload of {to}"
                    )));
                }
            }
            Ok(_) => {}
            // What cannot be asked has not taken too long: only an answer counts.
            Err(_) => give_up = Instant::now() + LONGEST,
        }
        if Instant::now() >= give_up {
            upload.abort().await;
            return Err(Failure::passing(format!(
                "the store did not take the output within {} minutes: {error}",
                LONGEST.as_secs() / 60
            )));
        }
        tokio::time::sleep(pause).await;
        pause = PAUSE.1.min(pause * 2);
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
