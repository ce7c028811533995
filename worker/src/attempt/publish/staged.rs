//! Publishes a verified output under its final key, in two steps. [`stage`] moves the bytes while nobody can see
//! them. [`Staged::commit`] makes the whole output appear at once.
//!
//! Between the two steps the fence is written to the run, and names the output that is to appear. So a worker that
//! lost its job in the meantime publishes nothing. The next owner of the job [aborts](super::earlier::abort) the
//! requests of the first worker that the network may have delayed.

use std::io;
use std::pin::pin;
use std::time::Duration;

use common::job::failure::Failure;
use common::job::id::JobId;
use common::job::run::fence::PublishMethod;
use common::names::location::Location;
use common::store::{OnBytes, StoreError, Stores, Upload};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::input::failure;
use crate::attempt::publish::earlier::{Announced, AtOutput, look};
use crate::attempt::publish::retry::{BackOff, retry_while_away};
use crate::attempt::publish::staged_file::StagedFile;
use crate::attempt::tool_output::ToolOutput;

/// How long a store that answers, or a folder, may take to make an output appear.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// The wait between two looks at an output while a commit is under way.
const LOOK: Duration = Duration::from_secs(5);
/// How often a store must say that it does not know an upload, with nothing at the output, before the worker believes
/// it.
const UNKNOWN: u32 = 5;

/// An output that is moved, but that nobody can see yet.
pub(crate) enum Staged {
    /// A file in the output's folder, under a hidden name.
    File(StagedFile),
    /// An upload whose parts are complete.
    Object(Upload),
}

/// Moves an output next to its final key. `job` is the job that makes it.
///
/// # Errors
/// If the store fails, the disk is full, or `stop` is cancelled. Nothing is left behind then, and the output is still
/// in scratch, so the step can be repeated.
pub(crate) async fn stage(
    stores: &Stores,
    made: &ToolOutput,
    to: &Location,
    job: &JobId,
    on_bytes: OnBytes<'_>,
    stop: &CancellationToken,
) -> Result<Staged, StoreError> {
    match to.is_remote() {
        false => {
            let staged =
                Staged::File(StagedFile::bring(stores, (made.path(), made.file()), to, job).await?);
            if stop.is_cancelled() {
                staged.discard().await;
                return Err(StoreError::Stopped(to.clone()));
            }
            Ok(staged)
        }
        true => {
            let file = made.reopen().map_err(|source| StoreError::Local {
                what: made.path().display().to_string(),
                source,
            })?;
            let upload = stores.upload(file, to, on_bytes, stop).await?;
            Ok(Staged::Object(upload))
        }
    }
}

impl Staged {
    /// Makes the output appear. Without `replace`, an existing file is spared. If the store's answer is lost, a look
    /// at the output decides.
    ///
    /// # Errors
    /// If a file that is to be spared exists, or if the store or the disk refuses.
    pub(crate) async fn commit(
        self,
        stores: &Stores,
        announced: Announced<'_>,
        replace: bool,
    ) -> Result<(), Failure> {
        // Not every store supports a conditional put. So in the moment after this look, another writer's object could
        // still be replaced.
        if !replace {
            let there = retry_while_away(|| look(stores, announced)).await;
            if !matches!(there, Ok(AtOutput::Nothing)) {
                self.discard().await;
                return match there {
                    Ok(AtOutput::Foreign) => Err(announced.occupied()),
                    there => there.map(drop).map_err(failure),
                };
            }
        }
        match self {
            Self::Object(upload) => end(upload, stores, announced, replace).await,
            Self::File(hidden) => {
                let placed = tokio::time::timeout(LONGEST, hidden.appear(replace)).await;
                let Err(error) = placed.unwrap_or(Err(io::ErrorKind::TimedOut.into())) else {
                    return Ok(());
                };
                match look(stores, announced).await {
                    Ok(AtOutput::Ours) => Ok(()),
                    _ if error.kind() == io::ErrorKind::AlreadyExists => Err(announced.occupied()),
                    _ => Err(hidden.unwritten(error)),
                }
            }
        }
    }

    /// The upload or the hidden file by which the output will appear.
    pub(crate) fn publish_method(&self) -> PublishMethod {
        match self {
            Self::Object(upload) => PublishMethod::Upload(upload.id().to_owned()),
            Self::File(hidden) => PublishMethod::File(hidden.name().to_owned()),
        }
    }

    /// Removes the hidden file, or aborts the upload.
    pub(crate) async fn discard(self) {
        match self {
            Self::Object(upload) => upload.abort().await,
            Self::File(hidden) => hidden.discard().await,
        }
    }
}

/// Commits an upload. A store may take minutes, its answer may be lost, or it may no longer know the upload because
/// it has already committed it.
async fn end(
    mut upload: Upload,
    stores: &Stores,
    announced: Announced<'_>,
    replace: bool,
) -> Result<(), Failure> {
    let to = announced.to;
    let mut give_up = Instant::now() + LONGEST;
    let mut back_off = BackOff::new();
    let mut unknown = 0;
    loop {
        let answer = {
            let mut answer = pin!(upload.commit());
            loop {
                tokio::select! {
                    answer = &mut answer => break answer,
                    () = tokio::time::sleep(LOOK) => {
                        if matches!(look(stores, announced).await, Ok(AtOutput::Ours)) {
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
        match look(stores, announced).await {
            Ok(AtOutput::Ours) => {
                upload.done();
                return Ok(());
            }
            Ok(AtOutput::Foreign) if !replace => {
                upload.abort().await;
                return Err(announced.occupied());
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
            // The limit counts only while the store can be reached.
            Err(_) => give_up = Instant::now() + LONGEST,
        }
        if Instant::now() >= give_up {
            upload.abort().await;
            return Err(Failure::passing(format!(
                "the store did not take the output within {} minutes: {error}",
                LONGEST.as_secs() / 60
            )));
        }
        back_off.wait().await;
    }
}
