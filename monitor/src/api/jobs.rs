//! The jobs that a request names.

use common::job::id::JobId;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::refusal::Refusal;

/// Jobs of one order, at the most.
const MOST: usize = 1000;
/// Orders that the broker is given at the same time.
pub(super) const AT_ONCE: usize = 16;

/// Which jobs.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Jobs {
    /// Their ids, at the most 1000.
    #[schema(value_type = Vec<String>)]
    pub(super) jobs: Vec<JobId>,
}

pub(super) fn checked(jobs: &[JobId]) -> Result<(), Refusal> {
    match jobs.len() {
        0 => Err(Refusal::unsound("no job is named")),
        1..=MOST => Ok(()),
        many => Err(Refusal::unsound(format!(
            "{many} jobs are too many for one order: at the most {MOST}"
        ))),
    }
}
