//! The files beside the source go along with the output, or with a copy of the original.
//!
//! The report names them before the fence, so that a worker that takes the job over knows all of them, the moved ones
//! too. They go once the output has appeared: an output that never appears takes nothing along.

use common::job::Job;
use common::job::failure::Failure;
use common::job::run::kept::KeptReport;
use common::job::run::report::Report;
use common::job::sidecar::Sidecar;
use common::store::Stores;

use crate::attempt::input;

/// Has the sidecars go along with the output. Can be repeated.
///
/// # Errors
/// A store is out of reach.
pub(crate) async fn carry(
    stores: &Stores,
    job: &Job,
    mut report: Report,
) -> Result<Report, Failure> {
    let carried = stores.carry_sidecars(job, &job.output, &mut report.sidecars);
    carried.await.map_err(input::failure)?;
    tell(&report.sidecars);
    Ok(report)
}

/// Has the sidecars go along with a copy of the original, if there is one. Can be repeated.
///
/// # Errors
/// A store is out of reach.
pub(crate) async fn carry_with_copy(
    stores: &Stores,
    job: &Job,
    mut kept: KeptReport,
) -> Result<KeptReport, Failure> {
    if let Some(copy) = kept.copy.clone() {
        let carried = stores.carry_sidecars(job, &copy, &mut kept.sidecars);
        carried.await.map_err(input::failure)?;
        tell(&kept.sidecars);
    }
    Ok(kept)
}

fn tell(sidecars: &[Sidecar]) {
    for news in sidecars.iter().filter_map(Sidecar::news) {
        tracing::warn!("{news}");
    }
}
