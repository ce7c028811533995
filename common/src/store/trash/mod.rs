//! Trashes: where the originals of replaced files are kept until their time is over.
//!
//! A trash is a hidden folder or prefix with a marker. The original of a job lies in it at a path that follows from
//! the job, beside a record of the replacement. Nothing else in a trash is ever removed.

mod contents;
#[cfg(all(test, unix))]
mod crash;
mod disk;
mod disk_undo;
mod error;
#[cfg(all(test, unix))]
mod foreseen;
#[cfg(test)]
mod gone;
mod objects;

use jiff::Timestamp;

pub use contents::Emptied;
pub use error::{ReplaceError, UndoError};

use crate::job::Job;
use crate::job::run::report::Report;
use crate::job::sidecar::Sidecar;
use crate::job::trash::TrashRecord;
use crate::names::digest::Digest;
use crate::store::roots::Roots;
use crate::store::{StoreError, Stores};

/// What an undo has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// The original is back.
    Now,
    /// The original was back already.
    Already,
}

/// The output that is to take a source's place.
#[derive(Clone, Copy, Debug)]
pub struct NewFile<'a> {
    /// Bytes of the output.
    pub size: u64,
    /// Digest of the output.
    pub digest: &'a Digest,
    /// The sidecars of the source, which are renamed with it.
    pub sidecars: &'a [Sidecar],
}

impl Stores {
    /// Checks before the encode that a job can replace its source. A job that replaces nothing passes.
    ///
    /// # Errors
    /// The source cannot be replaced, or the trash cannot take it.
    pub async fn can_replace(&self, job: &Job) -> Result<(), ReplaceError> {
        let Some(entry) = job.trash_entry() else {
            return Ok(());
        };
        if job.input.location.is_remote() {
            return objects::unchanged(self, job).await;
        }
        let job = job.clone();
        self.with_roots(&job.input.location.clone(), move |roots| {
            disk::check(roots, &job, &entry)
        })
        .await
    }

    /// Foresees whether a job on this disk could replace its source, and writes nothing: a trash that is not there yet
    /// may prove impossible to make.
    ///
    /// # Errors
    /// The source would not be replaced.
    pub async fn could_replace(&self, job: &Job) -> Result<(), ReplaceError> {
        let Some(entry) = job.trash_entry() else {
            return Ok(());
        };
        let job = job.clone();
        self.with_roots(&job.input.location.clone(), move |roots| {
            disk::foresee(roots, &job, &entry)
        })
        .await
    }

    /// Puts a job's source into the trash as well; it keeps its name. To be called before the output appears. Can be
    /// repeated.
    ///
    /// # Errors
    /// The source has changed, or the trash does not take it. The source is as it was.
    pub async fn keep_original(
        &self,
        job: &Job,
        output: NewFile<'_>,
        now: Timestamp,
    ) -> Result<(), ReplaceError> {
        let (Some(entry), Some(replacement)) = (job.trash_entry(), &job.replacement) else {
            return Ok(());
        };
        let record = TrashRecord {
            job: job.id,
            batch: job.batch,
            original: job.input.clone(),
            mode: None,
            output: job.output.clone(),
            output_size: output.size,
            output_digest: output.digest.clone(),
            sidecars: Sidecar::carried(output.sidecars),
            replaced: now,
            until: replacement.until(now),
        };
        if job.input.location.is_remote() {
            return objects::keep(self, job, &entry, &record).await;
        }
        let job = job.clone();
        self.with_roots(&job.input.location.clone(), move |roots| {
            disk::keep(roots, &job, &entry, record)
        })
        .await
    }

    /// Checks that a job's source is still as it was enqueued, right before its name changes.
    ///
    /// # Errors
    /// It has changed.
    pub async fn original_is_unchanged(&self, job: &Job) -> Result<(), ReplaceError> {
        let Some(entry) = job.trash_entry() else {
            return Ok(());
        };
        if job.input.location.is_remote() {
            return objects::unchanged(self, job).await;
        }
        let job = job.clone();
        self.with_roots(&job.input.location.clone(), move |roots| {
            disk::unchanged(roots, &job, &entry)
        })
        .await
    }

    /// Removes a job's source after its output has appeared under another name. Returns whether the source is gone: a
    /// source that has changed, or that the trash does not hold, stays. Can be repeated.
    ///
    /// # Errors
    /// The store fails.
    pub async fn remove_original(&self, job: &Job) -> Result<bool, ReplaceError> {
        let Some(entry) = job.trash_entry() else {
            return Ok(false);
        };
        if job.input.location.is_remote() {
            return objects::remove(self, job, &entry).await;
        }
        let job = job.clone();
        self.with_roots(&job.input.location.clone(), move |roots| {
            disk::remove(roots, &job, &entry)
        })
        .await
    }

    /// Takes a job's source out of the trash again, after its output has not appeared. A source that has lost its name
    /// stays in the trash.
    ///
    /// # Errors
    /// The store fails.
    pub async fn drop_original(&self, job: &Job) -> Result<(), ReplaceError> {
        let Some(entry) = job.trash_entry() else {
            return Ok(());
        };
        if job.input.location.is_remote() {
            return objects::drop_entry(self, job, &entry).await;
        }
        let job = job.clone();
        self.with_roots(&job.input.location.clone(), move |roots| {
            disk::drop_entry(roots, &job, &entry)
        })
        .await
    }

    /// Puts a job's source and its sidecars back, and removes its output, of which `report` and `digest` tell. With `is_dry`, only finds
    /// out whether that can be done. Can be repeated.
    ///
    /// # Errors
    /// The output or the original has changed, or the trash does not hold the original any more. All files are as they
    /// were.
    pub async fn undo(
        &self,
        job: &Job,
        (report, digest): (&Report, &Digest),
        is_dry: bool,
    ) -> Result<Undone, UndoError> {
        let entry = job.trash_entry().filter(|_| report.replaced.is_some());
        let entry = entry.ok_or(UndoError::NotReplaced)?;
        if let Some((old, new)) = self.sidecar_in_the_way(job, &report.sidecars).await? {
            return Err(UndoError::SidecarOccupied(Box::new(old), Box::new(new)));
        }
        let undone = if job.input.location.is_remote() {
            objects::undo(self, job, &entry, (report, digest), is_dry).await?
        } else {
            let (job, report, digest) = (job.clone(), report.clone(), digest.clone());
            self.with_roots(&job.input.location.clone(), move |roots| {
                disk_undo::undo(roots, &job, &entry, (&report, &digest), is_dry)
            })
            .await?
        };
        if !is_dry {
            self.bring_sidecars_back(job, &report.sidecars).await?;
        }
        Ok(undone)
    }

    /// Like [`Stores::on_disk`], for errors of their own.
    async fn with_roots<T: Send + 'static, E: From<StoreError> + Send + 'static>(
        &self,
        at: &crate::names::location::Location,
        work: impl FnOnce(&Roots) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        self.on_disk(at, move |roots, _| Ok(work(roots))).await?
    }
}
