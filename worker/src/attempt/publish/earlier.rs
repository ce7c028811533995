//! What earlier attempts at a job have published, were about to publish, or have left.
//!
//! What is at an output is decided by looking, never by what anybody remembers. Before a worker looks, it makes sure
//! that nothing appears any more by a request that an earlier attempt sent and the network kept.

use common::job::failure::Failure;
use common::job::run::Run;
use common::job::run::fence::{Fence, PublishMethod};
use common::names::location::Location;
use common::store::{StoreError, Stores};

use crate::attempt::input;
use crate::attempt::publish::staged_file;

/// How every hidden name begins.
const HIDDEN: &str = ".ffmpeg-easy-";

/// What is at a job's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AtOutput {
    Nothing,
    /// What the fence says was about to appear.
    Ours,
    Foreign,
}

/// Compares what is at the output with what was about to appear there. It is read only where its size is right.
///
/// # Errors
/// Where the store fails.
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
        // A link, and no job makes links.
        Err(StoreError::LeadsOut(_)) => Ok(AtOutput::Foreign),
        Err(error) => Err(error),
    }
}

/// Aborts what an earlier attempt was about to publish, so that nothing appears by it however late its request reaches
/// the store. Then looks what is at the output.
///
/// # Errors
/// Where the store fails: it may still appear then.
pub(crate) async fn abort(
    stores: &Stores,
    to: &Location,
    fence: &Fence,
) -> Result<AtOutput, Failure> {
    match &fence.by {
        PublishMethod::Upload(upload) => stores.abort(to, upload).await.map_err(input::failure)?,
        // A run is a message: it names no file but a hidden one of ours.
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

/// Removes what the attempts at a job may have left: hidden files beside its output, and what was about to appear. The
/// parts of an upload that did not get so far are the store's to expire.
pub(crate) async fn clean_up(stores: &Stores, run: &Run) {
    staged_file::remove_leftovers(stores, &run.job.output, &run.job.id).await;
    if let Some(fence) = &run.fence
        && let Err(error) = abort(stores, &run.job.output, fence).await
    {
        tracing::warn!(job = %run.job.id, %error, "an output may still appear");
    }
}

/// A hidden name of ours, and nothing else.
fn is_hidden(name: &str) -> bool {
    name.starts_with(HIDDEN) && !name.contains(['/', '\\'])
}

/// That the output's place is taken, and what to do about it.
pub(crate) fn occupied(to: &Location) -> Failure {
    Failure::input(format!(
        "another file has appeared at the output since the job was enqueued, and was left as it is: \
         move it away and retry the job, or enqueue it again with --overwrite ({to})"
    ))
}
