//! Names of new outputs beside the names that earlier jobs have. Every program that makes jobs names its outputs here.

use crate::broker::{Broker, BrokerError};
use crate::job::ladder::Ladder;
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
    /// The ladder of each source, in the order of the sources, if the outputs are renditions of ladders.
    pub ladders: Vec<Option<Ladder>>,
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
        let mut candidates = naming::candidates(sources, folder, set).map_err(NamingError::from)?;
        if set.replaces() {
            // A source may be the output of an earlier replacement.
            candidates.extend(sources.iter().map(|source| source.location.clone()));
        }
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
        let mut named = naming::outputs(sources, folder, set, &given)?;
        if !set.is_ladder() {
            return Ok(Outputs {
                outputs: named,
                ladders: vec![None; sources.len()],
                jobs_by_output,
            });
        }
        let (mut outputs, mut ladders) = (Vec::new(), Vec::new());
        while !named.is_empty() {
            let mut renditions: Vec<Output> = named.drain(..=set.recipes().len()).collect();
            // A ladder is made whole or not at all.
            if let Some(why) = renditions.iter().find_map(|output| output.clone().err()) {
                renditions.fill(Err(why));
            }
            let master = renditions.pop().and_then(Result::ok);
            let members = renditions.iter().flatten().cloned().collect();
            ladders.push(master.map(|master| Ladder { master, members }));
            outputs.extend(renditions);
        }
        Ok(Outputs {
            outputs,
            ladders,
            jobs_by_output,
        })
    }
}
