//! Removes the pieces and the plan of a job that needs them no more.

use std::io;

use common::broker::{BrokerError, CompletedJob};
use common::job::Job;
use common::job::part::Part;
use common::job::run::Run;
use common::job::split::{Plan, Split, folder_of_piece};
use common::names::location::Location;
use common::store::roots::Roots;
use common::store::{StoreError, Stores};

use crate::attempt::executor::Executor;
use crate::attempt::publish::staged_file;
use crate::attempt::trust::PlanError;

impl Executor {
    /// Does what follows from the completion of a job that was split: its pieces go, then its message is acknowledged.
    pub(in crate::attempt) async fn finish_split(&self, done: CompletedJob) {
        let job = done.run().job.id;
        self.clear_of(&done.run().job).await;
        if let Err(error) = done.ack().await {
            tracing::debug!(%job, %error, "not acknowledged; the broker delivers it again");
        }
    }

    /// Removes the pieces of a job that was split and then kept: the original is the better result.
    pub(in crate::attempt) async fn clear_kept(&self, run: &Run) {
        if run.job.split != Split::Off {
            self.clear_of(&run.job).await;
        }
    }

    /// Removes the pieces of an ended job, if it has some. What cannot be removed is left to a sweep.
    async fn clear_of(&self, job: &Job) {
        let cleared = async {
            match self.plan_of(job).await? {
                Some(plan) => Ok::<_, PlanError>(self.clear(&plan).await?),
                None => Ok(()),
            }
        };
        let job = job.id;
        if let Err(error) = cleared.await {
            tracing::warn!(%job, %error, "its pieces are not removed yet");
        }
    }

    /// Removes what an attempt at a part has made in vain: its folder if it is empty, and its piece if the split is over
    /// meanwhile. A worker that was held up may make both anew after all else was cleared.
    pub(in crate::attempt) async fn clear_after_part(&self, part: &Job) {
        // A part is a message, so it may name only a piece of its own job.
        let Some(folder) = folder_of_piece(part) else {
            return;
        };
        let cleared = async {
            if self.broker.plan(&part.id).await?.is_none() {
                match self.stores.delete(&part.output).await {
                    Ok(()) | Err(StoreError::Missing(_)) => {}
                    Err(error) => {
                        tracing::warn!(piece = %part.output, %error, "a piece is not removed")
                    }
                }
            }
            if let Err(error) = remove_empty(&self.stores, &folder).await {
                tracing::debug!(%error, "the folder of the pieces stays");
            }
            Ok::<_, BrokerError>(())
        };
        if let Err(error) = cleared.await {
            tracing::debug!(%error, "what a part has left may stay");
        }
    }

    /// Removes the pieces of a job, and what the broker knows of its parts. If a piece cannot be removed, the plan stays,
    /// so that a later sweep finds it.
    pub(in crate::attempt) async fn clear(&self, plan: &Plan) -> Result<(), BrokerError> {
        let runs = self.broker.part_runs(plan).await?;
        let twins = runs.iter().map(|run| run.job.id.part());
        let twins = twins.filter(|part| matches!(part, Part::Twin(_)));
        let mut is_clear = true;
        for part in plan.parts().chain(twins) {
            let piece = plan.piece(part);
            match self.stores.delete(&piece).await {
                Ok(()) | Err(StoreError::Missing(_)) => {}
                Err(error) => {
                    tracing::warn!(%piece, %error, "a piece is not removed");
                    is_clear = false;
                }
            }
        }
        if let Err(error) = remove_folder(&self.stores, &plan.folder()).await {
            tracing::debug!(%error, "the folder of the pieces stays");
        }
        match is_clear {
            true => self.broker.forget_split(plan).await,
            false => Ok(()),
        }
    }
}

/// Removes the folder of a job's pieces, with what killed workers have left there, and the folder above it if it is empty.
async fn remove_folder(stores: &Stores, folder: &Location) -> Result<(), StoreError> {
    if folder.is_remote() {
        return Ok(());
    }
    let sweep = |roots: &Roots, at: &Location| match roots.folder(at) {
        Ok(pieces) => pieces
            .remove_own(staged_file::HIDDEN)
            .map_err(unremoved(at)),
        Err(StoreError::Missing(_)) => Ok(()),
        Err(error) => Err(error),
    };
    stores.on_disk(folder, sweep).await?;
    remove_empty(stores, folder).await
}

/// Removes the folder of a job's pieces if it is empty, and then the folder above it if that is empty. Either may be gone:
/// another worker may do the same, or was killed in between.
async fn remove_empty(stores: &Stores, folder: &Location) -> Result<(), StoreError> {
    if folder.is_remote() {
        return Ok(());
    }
    let remove = |roots: &Roots, at: &Location| {
        for at in [at, &at.folder()] {
            let (within, name) = match roots.folder_of(at) {
                Err(StoreError::Missing(_)) => continue,
                found => found?,
            };
            match within.remove_folder(&name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                // Another part or another job has pieces there.
                Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => return Ok(()),
                removed => removed.map_err(unremoved(at))?,
            }
        }
        Ok(())
    };
    stores.on_disk(folder, remove).await
}

fn unremoved(at: &Location) -> impl FnOnce(io::Error) -> StoreError {
    let what = format!("removing {at}");
    move |source| StoreError::Local { what, source }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use common::job::split::PIECES;

    use super::*;

    /// Outputs, and the folder of the pieces of a job beside them.
    fn place() -> (tempfile::TempDir, Stores, Location) {
        let root = tempfile::tempdir().expect("a folder");
        let roots = Roots::new([root.path()]).expect("a folder");
        let stores = Stores::new().within(roots, Vec::new());
        let pieces = Location::file(&root.path().join(PIECES).join("job")).expect("absolute");
        (root, stores, pieces)
    }

    fn make(path: &Path) {
        std::fs::create_dir_all(path).expect("room");
    }

    #[tokio::test]
    async fn the_folders_of_pieces_go_although_a_worker_was_killed_halfway() {
        let (root, stores, pieces) = place();
        let above = root.path().join(PIECES);
        // The first folder is gone already.
        make(&above);
        remove_folder(&stores, &pieces).await.expect("removed");
        assert!(!above.exists());
        // Both are.
        remove_folder(&stores, &pieces)
            .await
            .expect("nothing to do");
        // A killed worker has left a hidden file.
        make(&above.join("job"));
        std::fs::write(above.join("job/.ffmpeg-easy-1"), "half").expect("room");
        remove_folder(&stores, &pieces).await.expect("removed");
        assert!(!above.exists());
    }

    #[tokio::test]
    async fn a_folder_stays_while_something_is_in_it() {
        let (root, stores, pieces) = place();
        let above = root.path().join(PIECES);
        make(&above.join("job"));
        make(&above.join("another job"));
        std::fs::write(above.join("job/.ffmpeg-easy-1"), "staged").expect("room");
        remove_empty(&stores, &pieces).await.expect("nothing to do");
        assert!(above.join("job/.ffmpeg-easy-1").exists());
        remove_folder(&stores, &pieces).await.expect("removed");
        assert!(!above.join("job").exists() && above.join("another job").exists());
    }
}
