//! What a trash holds, and removing it for good. Only originals with a record in a marked trash count.

use std::ffi::OsStr;
use std::io::Read;

use futures::StreamExt;
use jiff::Timestamp;
use object_store::ObjectStoreExt;

use super::disk::{MARK, find, is_trash, local, remove_entry};
use super::error::ReplaceError;
use crate::farm::trash::{TrashContents, TrashedBatch};
use crate::job::id::BatchId;
use crate::job::trash::{TrashEntry, TrashRecord};
use crate::names::location::Location;
use crate::store::marked::MARKER;
use crate::store::roots::{OpenFolder, Roots};
use crate::store::{StoreError, Stores};
use crate::wire;

/// The largest record.
const LARGEST: u64 = 1 << 20;

/// Which originals are removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emptied {
    /// Those whose time is over at this moment.
    Until(Timestamp),
    /// All of a batch.
    Batch(BatchId),
}

impl Emptied {
    fn takes(self, record: &TrashRecord) -> bool {
        match self {
            Self::Until(now) => record.until <= now,
            Self::Batch(batch) => record.batch == batch,
        }
    }
}

#[derive(Default)]
struct Tally(Vec<TrashedBatch>);

impl Tally {
    fn add(&mut self, trash: &Location, record: &TrashRecord) {
        let known = self.0.iter_mut().find(|known| known.batch == record.batch);
        match known {
            Some(known) => {
                known.files += 1;
                known.bytes = known.bytes.saturating_add(record.original.size);
                known.until = known.until.max(record.until);
            }
            None => self.0.push(TrashedBatch {
                trash: trash.clone(),
                batch: record.batch,
                files: 1,
                bytes: record.original.size,
                until: record.until,
            }),
        }
    }

    fn contents(mut self) -> TrashContents {
        self.0.sort_by_key(|batch| batch.batch);
        TrashContents { batches: self.0 }
    }
}

impl Stores {
    /// What a trash holds; nothing if there is no such trash.
    ///
    /// # Errors
    /// The store fails.
    pub async fn trash_contents(&self, trash: &Location) -> Result<TrashContents, ReplaceError> {
        let mut tally = Tally::default();
        for (_, record) in self.records(trash).await? {
            tally.add(trash, &record);
        }
        Ok(tally.contents())
    }

    /// Removes originals from a trash for good, and tells which.
    ///
    /// # Errors
    /// The store fails. What was removed until then is gone.
    pub async fn empty_trash(
        &self,
        trash: &Location,
        which: Emptied,
    ) -> Result<TrashContents, ReplaceError> {
        let mut tally = Tally::default();
        for (entry, record) in self.records(trash).await? {
            if !which.takes(&record) {
                continue;
            }
            let is_removed = if trash.is_remote() {
                self.delete(&entry.original).await?;
                self.delete(&entry.record).await?;
                true
            } else {
                let record = record.clone();
                self.with_roots(trash, move |roots| remove(roots, &entry, &record))
                    .await?
            };
            if is_removed {
                tally.add(trash, &record);
            }
        }
        Ok(tally.contents())
    }

    /// The records in a trash, each with the entry that follows from it.
    async fn records(
        &self,
        trash: &Location,
    ) -> Result<Vec<(TrashEntry, TrashRecord)>, ReplaceError> {
        let records = if trash.is_remote() {
            self.records_in_bucket(trash).await?
        } else {
            let at = trash.clone();
            self.with_roots(trash, move |roots| records_on_disk(roots, &at))
                .await?
        };
        let entry = |record: &TrashRecord| {
            let source = &record.original.location;
            TrashEntry::new(trash, &record.batch, &record.job, source)
        };
        // A record counts only where it belongs.
        let sound = records
            .into_iter()
            .filter(|(at, record)| entry(record).record == *at);
        Ok(sound.map(|(_, record)| (entry(&record), record)).collect())
    }

    async fn records_in_bucket(
        &self,
        trash: &Location,
    ) -> Result<Vec<(Location, TrashRecord)>, StoreError> {
        match self.small_object(&trash.join(MARKER)).await {
            Ok(marker) if marker.as_slice() == MARK.as_bytes() => {}
            Ok(_) | Err(StoreError::Missing(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        }
        let mut records = Vec::new();
        for object in self.list(trash).await? {
            let at = object.location;
            let is_record = at.folder().name() == "records" && at.name().ends_with(".json");
            if !is_record || object.size > LARGEST {
                continue;
            }
            let bytes = self.small_object(&at).await?;
            records.extend(wire::decode(&bytes).ok().map(|record| (at, record)));
        }
        Ok(records)
    }

    async fn small_object(&self, at: &Location) -> Result<Vec<u8>, StoreError> {
        let (store, path) = self.object(at)?;
        let remote = StoreError::remote(at);
        let mut pieces = store.get(&path).await.map_err(&remote)?.into_stream();
        let mut bytes = Vec::new();
        while let Some(piece) = pieces.next().await {
            bytes.extend(piece.map_err(&remote)?);
            if bytes.len() as u64 > LARGEST {
                break;
            }
        }
        Ok(bytes)
    }
}

fn records_on_disk(
    roots: &Roots,
    trash: &Location,
) -> Result<Vec<(Location, TrashRecord)>, ReplaceError> {
    let mut found = Vec::new();
    let folder = match roots.folder(trash) {
        Err(StoreError::Missing(_)) => return Ok(found),
        folder => folder?,
    };
    if !is_trash(&folder) {
        return Ok(found);
    }
    for (batch, _) in folder.entries().map_err(local(trash))? {
        if batch.parse::<BatchId>().is_err() {
            continue;
        }
        let at = trash.join(&batch).join("records");
        let Ok(records) = roots.folder(&at) else {
            continue;
        };
        for (name, _) in records.entries().map_err(local(&at))? {
            if let Some(record) = read(&records, OsStr::new(&name)) {
                found.push((at.join(&name), record));
            }
        }
    }
    Ok(found)
}

fn read(folder: &OpenFolder, name: &OsStr) -> Option<TrashRecord> {
    let mut bytes = Vec::new();
    let opened = folder.open(name).ok()?;
    opened.file.take(LARGEST).read_to_end(&mut bytes).ok()?;
    wire::decode(&bytes).ok()
}

/// Removes an original with its record. An original that somebody has changed stays. Returns whether it is gone.
fn remove(roots: &Roots, entry: &TrashEntry, record: &TrashRecord) -> Result<bool, ReplaceError> {
    let at = &entry.original;
    if let Some(kept) = find(roots, at)? {
        let size = kept.opened.file.metadata().map_err(local(at))?.len();
        if size != record.original.size {
            return Ok(false);
        }
        kept.folder.remove(&kept.name).map_err(local(at))?;
    }
    remove_entry(roots, entry, &record.job)?;
    Ok(true)
}
