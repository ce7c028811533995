//! The outputs that earlier attempts at a job have published, were about to publish, or have left half done.
//!
//! The worker looks at the output to find out, and trusts no record alone. Before it looks, it makes sure that no
//! delayed request of an earlier attempt can make an output appear any more.

use common::job::failure::Failure;
use common::job::run::Run;
use common::job::run::fence::{Fence, PublishMethod};
use common::names::location::Location;
use common::store::{StoreError, Stores};

use crate::attempt::input;
use crate::attempt::publish::staged_file;
use crate::attempt::publish::staged_file::HIDDEN;

/// The kind of file at a job's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtOutput {
    Nothing,
    /// The output that the fence describes.
    Ours,
    Foreign,
}

/// Compares the file at the output with the fence. Reads it only if its size is right.
///
/// # Errors
/// If the store fails.
pub(crate) async fn look(
    stores: &Stores,
    to: &Location,
    fence: &Fence,
) -> Result<AtOutput, StoreError> {
    let there = match stores.head(to).await {
        Ok(there) if there.size == fence.size => stores.digest(to).await,
        Ok(_) => return Ok(AtOutput::Foreign),
        Err(error) => Err(error),
    };
    match there {
        Ok(digest) if digest == fence.digest => Ok(AtOutput::Ours),
        Ok(_) => Ok(AtOutput::Foreign),
        Err(StoreError::Missing(_)) => Ok(AtOutput::Nothing),
        // It is a link, and jobs make no links.
        Err(StoreError::LeadsOut(_)) => Ok(AtOutput::Foreign),
        Err(error) => Err(error),
    }
}

/// Aborts the upload or removes the hidden file that an earlier attempt was about to publish. So its output cannot
/// appear any more, however late its request reaches the store. Then looks at the output.
///
/// # Errors
/// If the store fails. Then the earlier output may still appear.
pub(crate) async fn abort(
    stores: &Stores,
    to: &Location,
    fence: &Fence,
) -> Result<AtOutput, Failure> {
    match &fence.by {
        PublishMethod::Upload(upload) => stores.abort(to, upload).await.map_err(input::failure)?,
        // A run is a message, so it may name only our own hidden files.
        PublishMethod::File(name) if is_hidden(name) => {
            stores
                .delete(&to.sibling(name))
                .await
                .map_err(input::failure)?;
        }
        PublishMethod::File(_) => {}
    }
    look(stores, to, fence).await.map_err(input::failure)
}

/// Removes the files that the attempts at a job may have left: hidden files beside its output, and the output that
/// the fence announces. An upload without a fence is left to the store, which lets its parts expire.
pub(crate) async fn clean_up(stores: &Stores, run: &Run) {
    staged_file::remove_leftovers(stores, &run.job.output, &run.job.id).await;
    if let Some(fence) = &run.fence
        && let Err(error) = abort(stores, &run.job.output, fence).await
    {
        tracing::warn!(job = %run.job.id, %error, "an output may still appear");
    }
}

/// Whether `name` is one of our hidden names, without a path.
fn is_hidden(name: &str) -> bool {
    name.starts_with(HIDDEN) && !name.contains(['/', '\\'])
}

/// The failure of a job whose output's name is taken by another file.
pub(crate) fn occupied(to: &Location) -> Failure {
    Failure::input(format!(
        "another file has appeared at the output since the job was enqueued, and was left as it is: \
         move it away and retry the job, or enqueue it again with --overwrite ({to})"
    ))
}
