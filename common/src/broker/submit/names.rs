//! Names of new outputs beside the names that earlier jobs have. Every program that makes jobs names its outputs here.

use crate::broker::{Broker, BrokerError};
use crate::names::location::Location;
use crate::submit::naming;
use crate::submit::naming::{NamedSource, NamingError, Output, OutputOwner, OutputOwners};
use crate::submit::output_job::JobsByOutput;
use crate::submit::output_set::OutputSet;

/// The outputs of new jobs.
#[derive(Debug)]
pub struct Outputs {
    /// The outputs, in the order of the sources: all outputs of the first, then those of the next.
    pub outputs: Vec<Output>,
    /// The last jobs of these outputs.
    pub jobs_by_output: JobsByOutput,
}

/// Outputs could not be named.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// At least one output can have no name.
    #[error(transparent)]
    Naming(#[from] NamingError),
    /// The broker gave no answer.
    #[error(transparent)]
    Broker(#[from] BrokerError),
}

impl Broker {
    /// Names the outputs of sources, see [`naming::outputs`].
    ///
    /// # Errors
    /// If they cannot be named, or the broker gives no answer.
    pub async fn name_outputs(
        &self,
        sources: &[NamedSource<'_>],
        folder: &Location,
        set: &OutputSet,
    ) -> Result<Outputs, NamesError> {
        let candidates = naming::candidates(sources, folder, set).map_err(NamingError::from)?;
        let jobs_by_output = self.jobs_by_output(candidates).await?;
        let given: OutputOwners = jobs_by_output
            .iter()
            .map(|(output, last_job)| {
                let owner = OutputOwner {
                    source: naming::source_name(&last_job.job().input.location),
                    holds: last_job.lives() || last_job.report().is_some(),
                };
                (output.clone(), owner)
            })
            .collect();
        let outputs = naming::outputs(sources, folder, set, &given)?;
        Ok(Outputs {
            outputs,
            jobs_by_output,
        })
    }
}
