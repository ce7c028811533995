//! Bringing a verified output to its final key, in two steps. [`stage`] moves the bytes while nobody can see them.
//! [`Staged::commit`] makes the output appear, whole, at once.
//!
//! Between the two the run is written once more, with a fence that names what is to appear. So a worker that lost its
//! job in the meantime publishes nothing, and whoever has the job [aborts](super::earlier::abort) what the first worker
//! asked of the store and the network has kept since.

use std::io;
use std::pin::pin;
use std::time::Duration;

use common::job::failure::Failure;
use common::job::id::JobId;
use common::job::run::fence::{Fence, PublishMethod};
use common::names::location::Location;
use common::store::{OnBytes, StoreError, Stores, Upload};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::input::failure;
use crate::attempt::publish::earlier::{AtOutput, look, occupied};
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

/// An output that is where it must be and that nobody can see yet.
pub(crate) enum Staged {
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
pub(crate) async fn stage(
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
            let staged =
                Staged::File(StagedFile::bring(stores, (made.path(), made.file()), to, job).await?);
            if stop.is_cancelled() {
                staged.discard().await;
                return Err(StoreError::Stopped(to.clone()));
            }
            Ok(staged)
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

impl Staged {
    /// Makes the output appear. Without `replace` it spares what is there. An
    /// answer that fails to come is no answer: what counts is what is there.
    ///
    /// # Errors
    /// Where something is there that is to be spared, or the store or the disk
    /// refuses.
    pub(crate) async fn commit(
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
    pub(crate) fn means(&self) -> PublishMethod {
        match self {
            Self::Object(upload) => PublishMethod::Upload(upload.id().to_owned()),
            Self::File(hidden) => PublishMethod::File(hidden.name().to_owned()),
        }
    }

    /// Gives the output up.
    pub(crate) async fn discard(self) {
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
