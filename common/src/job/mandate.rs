//! Mandates: what the signed settings of a library allow its jobs. A worker that scans a library gives orders for it
//! without a key that other workers trust: each job carries the library's mandate, signed by whoever saved the library.

use serde::{Deserialize, Serialize};

use crate::job::further::FurtherInput;
use crate::job::replacement::Replacement;
use crate::job::sidecar::Sidecars;
use crate::job::{Fallbacks, Job};
use crate::names::digest::Digest;
use crate::names::location::Location;
use crate::recipe::Recipe;
use crate::rules::Rules;

/// What the jobs of a library may do. Which of its files they are about is left to whoever scans it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mandate {
    /// The folder or prefix of the files.
    pub location: Location,
    /// The folder or prefix of the outputs; `None` if they go where their sources are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outputs: Option<Location>,
    /// The replacement of the sources, if outputs take their places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacement: Option<Replacement>,
    /// The digest of the recipe, the rules, and what becomes of sidecars and of jobs that wait too long.
    pub work: Digest,
}

impl Mandate {
    /// The digest of how the files are encoded.
    pub fn work(
        recipe: &Recipe,
        rules: &Rules,
        sidecars: Sidecars,
        fallbacks: Option<&Fallbacks>,
    ) -> Digest {
        let work = serde_json::to_vec(&(recipe, rules, sidecars, fallbacks));
        Digest::of(&work.expect("plain data with string keys always serialises"))
    }

    /// Whether the job is one that the library may order.
    ///
    /// # Errors
    /// The first thing that the settings do not allow, as the end of a sentence about the job.
    pub(crate) fn allows(&self, job: &Job) -> Result<(), &'static str> {
        let fault = |is_allowed: bool, why: &'static str| match is_allowed {
            true => Ok(()),
            false => Err(why),
        };
        let input = &job.input.location;
        fault(
            input.is_below(&self.location),
            "its input is not below the folder of the library",
        )?;
        if !job.kind.writes() {
            let reads_only = job.reads_only() && job.further.is_empty();
            return fault(reads_only, "it is a check that writes");
        }
        let work = Self::work(
            &job.recipe,
            &job.rules,
            job.sidecars,
            job.fallbacks.as_ref(),
        );
        fault(work == self.work, "it has another recipe or other rules")?;
        fault(
            job.replacement == self.replacement,
            "it replaces its source otherwise",
        )?;
        fault(
            !job.replace && job.ladder.is_none(),
            "it may replace other files",
        )?;
        let is_placed = match &self.outputs {
            Some(folder) => job.output.is_below(folder),
            None => job.output.folder() == input.folder(),
        };
        fault(is_placed, "its output belongs elsewhere")?;
        let is_known = |further: &FurtherInput| {
            let location = &further.input.location;
            location.is_below(&self.location) || job.recipe.names(location)
        };
        fault(
            job.further.iter().all(is_known),
            "it reads a file that is not below the folder of the library",
        )
    }
}
