//! Bringing a verified output to its final key, in two steps: [`prepare`]
//! moves the bytes while nobody can see them, [`Prepared::commit`] makes them
//! appear, whole, at once. Between the two the run is written once more, so
//! that a worker that lost its job in the meantime publishes nothing. What it
//! asked of the store before it lost the job, and the network has kept since,
//! is [forestalled](forestall) by whoever goes on.

use std::io;
use std::path::Path;

use common::failure::Failure;
use common::id::JobId;
use common::location::Location;
use common::run::Run;
use common::store::{OnBytes, StoreError, Stores, Upload};
use tokio_util::sync::CancellationToken;

use crate::hidden::{self, Hidden};
use crate::input::failure;

/// An output that is where it must be and that nobody can see yet.
pub enum Prepared {
    /// A file in the output's folder, to be given its final name.
    File(Hidden),
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
    let (job, attempt) = attempt;
    match to.is_remote() {
        false => {
            if attempt > 1 {
                hidden::remove_leftovers(stores, to, job).await;
            }
            let prepared = Prepared::File(Hidden::bring(stores, output, to, job).await?);
            if stop.is_cancelled() {
                prepared.discard().await;
                return Err(failure(StoreError::Stopped(to.clone())));
            }
            Ok(prepared)
        }
        true => stores
            .upload(output, to, on_bytes, stop)
            .await
            .map(Prepared::Object)
            .map_err(failure),
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
    let job = run.job.id;
    hidden::remove_leftovers(stores, &run.job.output, &job).await;
    if let Err(error) = forestall(stores, run).await {
        tracing::warn!(%job, %error, "an output may still appear");
    }
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
            Self::File(hidden) => match hidden.appear(replace).await {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(occupied()),
                placed => placed.map_err(|error| hidden.unwritten(error)),
            },
        }
    }

    /// The upload that makes the output appear, where it is one.
    pub fn upload(&self) -> Option<String> {
        match self {
            Self::Object(upload) => Some(upload.id().to_owned()),
            Self::File(_) => None,
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
