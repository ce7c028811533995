//! Bringing a verified output to its final key, in two steps: [`stage`]
//! moves the bytes while nobody can see them, [`Staged::commit`] makes them
//! appear, whole, at once. Between the two the run is written once more, so
//! that a worker that lost its job in the meantime publishes nothing, and it
//! notes what is to appear. What a worker asked of the store before it lost the
//! job, and the network has kept since, is [aborted](abort_earlier) by whoever goes on.
//!
//! Whose output is there is decided by looking, never by what anybody remembers.

use std::io;
use std::pin::pin;
use std::time::Duration;

use common::job::failure::Failure;
use common::job::id::JobId;
use common::job::run::Run;
use common::job::run::fence::{Fence, Means};
use common::names::location::Location;
use common::store::{OnBytes, StoreError, Stores, Upload};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::input::failure;
use crate::attempt::publish::retry::retry_while_away;
use crate::attempt::publish::staged_file;
use crate::attempt::publish::staged_file::StagedFile;
use crate::attempt::tool_output::ToolOutput;

/// How long a store that answers, or a folder, may take to let an output appear.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Wait between two looks at an output while the store is at it.
const LOOK: Duration = Duration::from_secs(5);
/// First and longest wait before a store is told again to end an upload.
const PAUSE: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));
/// So often a store may say that it does not know an upload, with nothing there,
/// before it is believed.
const UNKNOWN: u32 = 5;
/// How every hidden name begins.
const HIDDEN: &str = ".ffmpeg-easy-";

/// An output that is where it must be and that nobody can see yet.
pub enum Staged {
    /// A file in the output's folder, to be given its final name.
    File(StagedFile),
    /// An upload whose parts are all there.
    Object(Upload),
}

/// Moves an output next to its final key.
///
/// # Errors
/// Where the store fails, the disk is full, or it is stopped; nothing is left
/// behind then, and the output is still where it was: it can be tried again.
pub async fn stage(
    stores: &Stores,
    made: &ToolOutput,
    to: &Location,
    attempt: (&JobId, u32),
    on_bytes: OnBytes<'_>,
    stop: &CancellationToken,
) -> Result<Staged, StoreError> {
    let (job, attempt) = attempt;
    match to.is_remote() {
        false => {
            if attempt > 1 {
                staged_file::remove_leftovers(stores, to, job).await;
            }
            let prepared =
                Staged::File(StagedFile::bring(stores, (made.path(), made.file()), to, job).await?);
            if stop.is_cancelled() {
                prepared.discard().await;
                return Err(StoreError::Stopped(to.clone()));
            }
            Ok(prepared)
        }
        true => {
            let file = made.again().map_err(|source| StoreError::Local {
                what: made.path().display().to_string(),
                source,
            })?;
            let upload = stores.upload(file, to, on_bytes, stop).await?;
            Ok(Staged::Object(upload))
        }
    }
}

/// What is at a job's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtOutput {
    /// Nothing.
    Nothing,
    /// What the run's note says was about to appear.
    Ours,
    /// Something else.
    Foreign,
}

/// Compares what is at the output with what was about to appear there; it is
/// read only where its size is right.
///
/// # Errors
/// Where the store fails.
pub async fn look(stores: &Stores, to: &Location, fence: &Fence) -> Result<AtOutput, StoreError> {
    let there = match stores.head(to).await {
        Ok(there) if there.size == fence.size => stores.digest(to).await,
        Ok(_) => return Ok(AtOutput::Foreign),
        Err(error) => Err(error),
    };
    match there {
        Ok(digest) if digest == fence.digest => Ok(AtOutput::Ours),
        Ok(_) => Ok(AtOutput::Foreign),
        Err(StoreError::Missing(_)) => Ok(AtOutput::Nothing),
        // A link, and no job makes links.
        Err(StoreError::LeadsOut(_)) => Ok(AtOutput::Foreign),
        Err(error) => Err(error),
    }
}

/// Sees to it that nothing appears any more by what an earlier attempt was about
/// to publish, however late its request reaches the store; then looks what is
/// there.
///
/// # Errors
/// Where the store fails: it may still appear then.
pub async fn abort_earlier(
    stores: &Stores,
    to: &Location,
    fence: &Fence,
) -> Result<AtOutput, Failure> {
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
    staged_file::remove_leftovers(stores, &run.job.output, &run.job.id).await;
    if let Some(fence) = &run.fence
        && let Err(error) = abort_earlier(stores, &run.job.output, fence).await
    {
        tracing::warn!(job = %run.job.id, %error, "an output may still appear");
    }
}

/// A hidden name of ours, and nothing else.
fn is_hidden(name: &str) -> bool {
    name.starts_with(HIDDEN) && !name.contains(['/', '\\'])
}

/// That the output's place is taken, and what to do about it.
pub fn occupied(to: &Location) -> Failure {
    Failure::input(format!(
        "another file has appeared at the output since the job was enqueued, and was left as it is: \
         move it away and retry the job, or enqueue it again with --overwrite ({to})"
    ))
}

impl Staged {
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
            let there = retry_while_away(|| look(stores, to, fence)).await;
            if !matches!(there, Ok(AtOutput::Nothing)) {
                self.discard().await;
                return match there {
                    Ok(AtOutput::Foreign) => Err(occupied(to)),
                    there => there.map(drop).map_err(failure),
                };
            }
        }
        match self {
            Self::Object(upload) => end(upload, stores, to, fence, replace).await,
            Self::File(hidden) => {
                let placed = tokio::time::timeout(LONGEST, hidden.appear(replace)).await;
                let Err(error) = placed.unwrap_or(Err(io::ErrorKind::TimedOut.into())) else {
                    return Ok(());
                };
                match look(stores, to, fence).await {
                    Ok(AtOutput::Ours) => Ok(()),
                    _ if error.kind() == io::ErrorKind::AlreadyExists => Err(occupied(to)),
                    _ => Err(hidden.unwritten(error)),
                }
            }
        }
    }

    /// By what the output is going to appear.
    pub fn means(&self) -> Means {
        match self {
            Self::Object(upload) => Means::Upload(upload.id().to_owned()),
            Self::File(hidden) => Means::File(hidden.name().to_owned()),
        }
    }

    /// Gives the output up.
    pub async fn discard(self) {
        match self {
            Self::Object(upload) => upload.abort().await,
            Self::File(hidden) => hidden.discard().await,
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
                        if matches!(look(stores, to, fence).await, Ok(AtOutput::Ours)) {
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
            Ok(AtOutput::Ours) => {
                upload.done();
                return Ok(());
            }
            Ok(AtOutput::Foreign) if !replace => {
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
