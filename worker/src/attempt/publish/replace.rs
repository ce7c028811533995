//! The output takes the place of its source, which goes to the trash.
//!
//! ```text
//! can_replace   before the encode: the source may be replaced, and the trash can take it
//! keep          before the fence: the record is written, and the trash holds the source as well
//! is_unchanged  right before the output appears under its name
//! finish        the source loses its name, if the output has another one; its sidecars are renamed with it
//! ```
//!
//! Each step can be repeated by the worker that takes the job over.

use common::job::Job;
use common::job::failure::Failure;
use common::job::run::report::Report;
use common::job::run::{Run, RunState};
use common::store::Stores;
use common::store::trash::ReplaceError;

use crate::attempt::input;
use crate::attempt::publish::sidecars;

/// The failure of a job whose source is not replaced. Another worker would find the same.
pub(crate) fn failure(error: ReplaceError) -> Failure {
    match error {
        ReplaceError::Store(error) => input::failure(error),
        other => Failure::input(other.to_string()),
    }
}

/// Checks before the encode that the job can replace its source.
pub(crate) async fn can_replace(stores: &Stores, job: &Job) -> Result<(), Failure> {
    stores.can_replace(job).await.map_err(failure)
}

/// Removes the source, if the output has another name, and has its sidecars go along. A report whose source has changed
/// meanwhile says that nothing was replaced.
pub(crate) async fn finish(
    stores: &Stores,
    job: &Job,
    mut report: Report,
) -> Result<Report, Failure> {
    if job.replacement.is_some() && !stores.remove_original(job).await.map_err(failure)? {
        tracing::warn!(
            source = %job.input.location,
            "the source has changed since the output appeared, and stays"
        );
        report.replaced = None;
        report.sidecars.clear();
    }
    sidecars::carry(stores, job, report).await
}

/// Takes the source of a job that has ended without an output out of the trash again.
pub(crate) async fn abandon(stores: &Stores, run: &Run) {
    let has_no_output = matches!(
        run.state,
        RunState::Failed { .. } | RunState::Kept { .. } | RunState::Cancelled
    );
    if !has_no_output {
        return;
    }
    if let Err(error) = stores.drop_original(&run.job).await {
        tracing::warn!(job = %run.job.id, %error, "the trash may hold a source that was not replaced");
    }
}
