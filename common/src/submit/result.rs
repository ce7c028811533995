//! The result of submitting a file, in words that fit a terminal and a page.

use std::fmt;

use crate::job::Job;
use crate::job::further::{FurtherInput, FurtherRole};
use crate::job::id::JobId;
use crate::job::run::Run;
use crate::names::location::Location;
use crate::submit::output_job::{ClaimHolder, OutputJob};

/// What becomes of a file that is submitted.
#[derive(Clone, Debug, PartialEq)]
pub enum SubmitResult {
    /// A new job was enqueued.
    Added,
    /// The job was submitted earlier, and no worker has taken it yet.
    Pending,
    /// The job has a run: it ended, or is under way.
    Run(Box<Run>),
    /// No job: another file is at the output.
    Occupied(Occupied),
    /// No job: another live job makes the output.
    OutputTaken(ClaimHolder),
}

impl SubmitResult {
    /// Why no job was added; `None` if one was.
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Added => None,
            Self::Pending => Some("its job is pending already".to_owned()),
            Self::Run(run) => Some(format!("its job is {} already", run.state.as_str())),
            Self::Occupied(why) => Some(why.to_string()),
            Self::OutputTaken(holder) => Some(holder.to_string()),
        }
    }
}

/// A file at an output that no new job may replace.
#[derive(Clone, Debug, PartialEq)]
pub enum Occupied {
    /// No known job made the file.
    ByUnknown {
        /// The output.
        output: Location,
    },
    /// No job is known that would have made this master file of the ladder.
    Master {
        /// The file.
        output: Location,
    },
    /// Another rendition of the same ladder is refused.
    Rendition {
        /// The output of that rendition.
        output: Location,
    },
    /// Another job made the file.
    ByOther {
        /// The output.
        output: Location,
        /// The job that made the file.
        job: JobId,
        /// How that job differs from the wanted one.
        difference: Difference,
    },
}

impl Occupied {
    pub(super) fn by(maker: &OutputJob, wanted: &Job) -> Self {
        let job = maker.job();
        Self::ByOther {
            output: job.output.clone(),
            job: job.id,
            difference: if job.input.location != wanted.input.location {
                Difference::Source(job.input.location.clone())
            } else if job.recipe != wanted.recipe {
                Difference::Recipe
            } else if names(&job.further) != names(&wanted.further) {
                Difference::Further
            } else if job.ladder != wanted.ladder {
                Difference::Ladder
            } else {
                Difference::Version
            },
        }
    }
}

/// The further inputs, whatever their versions.
fn names(further: &[FurtherInput]) -> Vec<(&Location, &FurtherRole)> {
    further
        .iter()
        .map(|further| (&further.input.location, &further.role))
        .collect()
}

/// How a job that made a file differs from the wanted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The file was made from this source.
    Source(Location),
    /// The file was made by another recipe.
    Recipe,
    /// The file was made from the source and other further inputs.
    Further,
    /// The file was made for another ladder, or for none.
    Ladder,
    /// The file was made from an earlier version of a source.
    Version,
}

impl fmt::Display for Occupied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ByUnknown { output } => {
                write!(
                    f,
                    "the output exists, and no job is known to have made {output}"
                )
            }
            Self::Master { output } => write!(
                f,
                "a file is where a master file of its ladder belongs, and no job of the ladder has made {output}"
            ),
            Self::Rendition { output } => write!(
                f,
                "a ladder is made whole, and another rendition of it cannot be made: {output}"
            ),
            Self::ByOther {
                output,
                job,
                difference,
            } => write!(f, "{output} was made {difference} by job {job}"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(source) => write!(f, "from {source}"),
            Self::Recipe => f.write_str("by another recipe"),
            Self::Further => f.write_str("with other further inputs"),
            Self::Ladder => f.write_str("for another ladder, or for none,"),
            Self::Version => f.write_str("from an earlier version of its source"),
        }
    }
}
