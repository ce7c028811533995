//! Naming outputs beside those that were named before: the farm remembers in whose
//! name each output is, and every program that makes jobs asks it here.

use crate::broker::submit::output_jobs::JobsByOutput;
use crate::broker::{Broker, BrokerError};
use crate::names::location::Location;
use crate::recipe::Container;
use crate::submit::naming;
use crate::submit::naming::{NamedSource, NamingError, Output, OutputOwner, OutputOwners};

/// The outputs of an order.
#[derive(Debug)]
pub struct Outputs {
    /// One for each source, in their order.
    pub outputs: Vec<Output>,
    /// The jobs that have made, make or are to make any of them.
    pub jobs_by_output: JobsByOutput,
}

/// Outputs could not be named.
#[derive(Debug, thiserror::Error)]
pub enum NamesError {
    /// They cannot be.
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
    /// Where they cannot be named, or the broker gives no answer.
    pub async fn name_outputs(
        &self,
        sources: &[NamedSource<'_>],
        folder: &Location,
        container: Container,
    ) -> Result<Outputs, NamesError> {
        let candidates =
            naming::candidates(sources, folder, container).map_err(NamingError::from)?;
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
        let outputs = naming::outputs(sources, folder, container, &given)?;
        Ok(Outputs {
            outputs,
            jobs_by_output,
        })
    }
}
