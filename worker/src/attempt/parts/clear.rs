//! Removes the pieces and the plan of a job that needs them no more.

use std::io;

use common::broker::{BrokerError, CompletedJob};
use common::job::Job;
use common::job::part::Part;
use common::job::run::Run;
use common::job::split::{Plan, Split};
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
    let remove = |roots: &Roots, at: &Location| {
        let failed = |source: io::Error| StoreError::Local {
            what: format!("removing {at}"),
            source,
        };
        match roots.folder(at) {
            Ok(pieces) => pieces.remove_own(staged_file::HIDDEN).map_err(failed)?,
            Err(StoreError::Missing(_)) => return Ok(()),
            Err(error) => return Err(error),
        }
        let (above, name) = roots.folder_of(at)?;
        above.remove_folder(&name).map_err(failed)?;
        let (beside, name) = roots.folder_of(&at.folder())?;
        match beside.remove_folder(&name) {
            // Another job has pieces there.
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(()),
            removed => removed.map_err(failed),
        }
    };
    stores.on_disk(folder, remove).await
}
