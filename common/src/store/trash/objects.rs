//! Sources in buckets. An object is copied by its store; the copy counts once it has the source's size, and the source
//! still its version.

use futures::StreamExt;
use object_store::{ObjectStoreExt, PutPayload, WriteMultipart};

use super::Undone;
use super::disk::MARK;
use super::error::{ReplaceError, UndoError};
use crate::job::Job;
use crate::job::input::Input;
use crate::job::run::report::Report;
use crate::job::trash::{TrashEntry, TrashRecord};
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::store::marked::MARKER;
use crate::store::{StoreError, Stores};
use crate::wire;

/// The largest object that stores copy by one request.
const COPIED_AT_ONCE: u64 = 5 << 30;
/// Parts that are under way while an object goes through this machine.
const PARTS: usize = 4;

/// The version of an object; `None` if there is none.
async fn version(stores: &Stores, at: &Location) -> Result<Option<Input>, StoreError> {
    match stores.head(at).await {
        Ok(found) => Ok(Some(found)),
        Err(StoreError::Missing(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Stores {
    /// Copies an object, in its store where that can be. An object at `to` is replaced.
    pub(in crate::store) async fn copy_object(
        &self,
        from: &Input,
        to: &Location,
    ) -> Result<(), StoreError> {
        let (source, from_path) = self.object(&from.location)?;
        let (target, to_path) = self.object(to)?;
        let remote = StoreError::remote(to);
        if from.location.bucket() == to.bucket() && from.size <= COPIED_AT_ONCE {
            return source.copy(&from_path, &to_path).await.map_err(remote);
        }
        let object = source.get(&from_path).await;
        let mut pieces = object
            .map_err(StoreError::remote(&from.location))?
            .into_stream();
        let upload = target.put_multipart(&to_path).await.map_err(&remote)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, 64 << 20);
        while let Some(piece) = pieces.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    let _ = upload.abort().await;
                    return Err(StoreError::remote(&from.location)(error));
                }
            };
            upload.wait_for_capacity(PARTS).await.map_err(&remote)?;
            upload.put(piece);
        }
        upload.finish().await.map(drop).map_err(remote)
    }

    /// Writes a small object.
    async fn put_small(&self, at: &Location, bytes: Vec<u8>) -> Result<(), StoreError> {
        let (store, path) = self.object(at)?;
        let put = store.put(&path, PutPayload::from(bytes)).await;
        put.map(drop).map_err(StoreError::remote(at))
    }
}

/// Checks that the source is still as it was enqueued.
pub(super) async fn unchanged(stores: &Stores, job: &Job) -> Result<(), ReplaceError> {
    match version(stores, &job.input.location).await? {
        Some(now) if now == job.input => Ok(()),
        Some(_) => Err(ReplaceError::Changed(job.input.location.clone())),
        None => Err(ReplaceError::Gone(job.input.location.clone())),
    }
}

/// Copies the source into the trash. The record comes first. The source keeps its key.
pub(super) async fn keep(
    stores: &Stores,
    job: &Job,
    entry: &TrashEntry,
    record: &TrashRecord,
) -> Result<(), ReplaceError> {
    unchanged(stores, job).await?;
    let marker = entry.trash.join(MARKER);
    if version(stores, &marker).await?.is_none() {
        stores.put_small(&marker, MARK.into()).await?;
    }
    let bytes = wire::encode(record).to_vec();
    stores.put_small(&entry.record, bytes).await?;
    match version(stores, &entry.original).await? {
        Some(kept) if kept.size == job.input.size => {
            if stores.digest(&entry.original).await? != stores.digest(&job.input.location).await? {
                return Err(ReplaceError::Occupied(entry.original.clone()));
            }
        }
        Some(_) => return Err(ReplaceError::Occupied(entry.original.clone())),
        None => stores.copy_object(&job.input, &entry.original).await?,
    }
    let kept = version(stores, &entry.original).await?;
    if kept.map(|kept| kept.size) != Some(job.input.size) {
        return Err(ReplaceError::BadCopy(entry.original.clone()));
    }
    unchanged(stores, job).await
}

/// Removes the source after the output has appeared under another key, if the trash holds it. Returns whether the
/// source is gone.
pub(super) async fn remove(
    stores: &Stores,
    job: &Job,
    entry: &TrashEntry,
) -> Result<bool, ReplaceError> {
    if job.replaces_in_place() {
        return Ok(true);
    }
    match version(stores, &job.input.location).await? {
        None => return Ok(true),
        Some(now) if now != job.input => return Ok(false),
        Some(_) => {}
    }
    let kept = version(stores, &entry.original).await?;
    if kept.map(|kept| kept.size) != Some(job.input.size) {
        return Ok(false);
    }
    stores.delete(&job.input.location).await?;
    Ok(true)
}

/// Takes the source out of the trash again if it still has its own key: nothing was replaced.
pub(super) async fn drop_entry(
    stores: &Stores,
    job: &Job,
    entry: &TrashEntry,
) -> Result<(), ReplaceError> {
    if version(stores, &job.input.location).await? != Some(job.input.clone()) {
        return Ok(());
    }
    stores.delete(&entry.original).await?;
    stores.delete(&entry.record).await?;
    Ok(())
}

/// Puts the original back, and removes the output. `is_dry` only finds out whether that can be done.
pub(super) async fn undo(
    stores: &Stores,
    job: &Job,
    entry: &TrashEntry,
    (report, digest): (&Report, &Digest),
    is_dry: bool,
) -> Result<Undone, UndoError> {
    let (source, output) = (&job.input.location, &job.output);
    let original = &entry.original;
    let is_ours =
        async |at: &Location, size: u64, digest: &Digest| match version(stores, at).await? {
            None => Ok::<_, StoreError>(None),
            Some(found) if found.size != size => Ok(Some(false)),
            Some(_) => Ok(Some(stores.digest(at).await? == *digest)),
        };
    let is_made = is_ours(output, report.output_size, digest).await?;
    let Some(kept) = version(stores, original).await? else {
        let at_source = version(stores, source).await?;
        let is_back = at_source.is_some_and(|found| found.size == job.input.size);
        let is_gone = job.replaces_in_place() || is_made.is_none();
        if is_back && is_gone && is_made != Some(true) {
            return Ok(Undone::Already);
        }
        return Err(UndoError::Emptied(original.clone()));
    };
    if kept.size != job.input.size {
        return Err(UndoError::OriginalChanged(original.clone()));
    }
    let mut is_back = false;
    if job.replaces_in_place() {
        if is_made == Some(false) {
            // An undo that was interrupted has put the original back, and the trash still holds it.
            is_back = stores.digest(source).await? == stores.digest(original).await?;
            if !is_back {
                return Err(UndoError::Changed(
                    Box::new(output.clone()),
                    Box::new(original.clone()),
                ));
            }
        }
    } else {
        if is_made == Some(false) {
            return Err(UndoError::Changed(
                Box::new(output.clone()),
                Box::new(original.clone()),
            ));
        }
        if version(stores, source).await?.is_some() {
            is_back = stores.digest(source).await? == stores.digest(original).await?;
            if !is_back {
                return Err(UndoError::Occupied(
                    Box::new(source.clone()),
                    Box::new(original.clone()),
                ));
            }
        }
    }
    if is_dry {
        return Ok(Undone::Now);
    }
    if !is_back {
        stores.copy_object(&kept, source).await?;
        let copied = version(stores, source).await?;
        if copied.map(|copied| copied.size) != Some(kept.size) {
            return Err(UndoError::OriginalChanged(source.clone()));
        }
    }
    if !job.replaces_in_place() && is_made == Some(true) {
        stores.delete(output).await?;
    }
    for file in &report.companions {
        let at = file.suffix.beside(output);
        if is_ours(&at, file.size, &file.digest).await? == Some(true) {
            stores.delete(&at).await?;
        }
    }
    stores.delete(original).await?;
    stores.delete(&entry.record).await?;
    Ok(Undone::Now)
}
