//! The jobs that a request names.

use common::job::id::JobId;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::web::refusal::Refusal;

/// The most jobs of one request.
const MOST: usize = 1000;
/// Requests to the broker at the same time.
pub(super) const AT_ONCE: usize = 16;

/// The jobs of a request.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Jobs {
    /// At most 1000 ids.
    pub(super) jobs: Vec<JobId>,
}

pub(super) fn checked(jobs: &[JobId]) -> Result<(), Refusal> {
    match jobs.len() {
        0 => Err(Refusal::unsound("no job is named")),
        1..=MOST => Ok(()),
        many => Err(Refusal::unsound(format!(
            "{many} jobs are too many for one request: at the most {MOST}"
        ))),
    }
}
