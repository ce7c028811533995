//! Submitting sources with their outputs as one batch.

use common::broker::{NewBatch, SubmittedJob};
use common::job::ladder::Ladder;
use common::job::replacement::Replacement;
use common::job::work::Work;
use common::names::location::Location;
use common::recipe::Recipe;
use common::submit::result::SubmitResult;

use crate::cli::exit::Error;
use crate::submit::entry::Entry;
use crate::submit::sources::SourceFile;

/// An output that is wanted of a source.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub source: SourceFile,
    pub recipe: Recipe,
    pub output: Location,
    /// The ladder that the output is a rendition of.
    pub ladder: Option<Ladder>,
    /// Whether the output takes the place of the source.
    pub replacement: Option<Replacement>,
    /// What tells the output from the other outputs of its source; `None` if there is only one.
    pub label: Option<String>,
    /// Why the source gets no job, if that was decided before its upload.
    pub decided: Option<SubmitResult>,
}

impl Wanted {
    /// The name of the source, with what tells the output from the others.
    pub(crate) fn name(&self) -> String {
        let name = self.source.name.to_string_lossy();
        match &self.label {
            Some(label) => format!("{name} {label}"),
            None => name.into_owned(),
        }
    }

    /// What its job does.
    pub(crate) fn work(&self) -> Work {
        self.work_from(&self.source)
    }

    /// What its job does that reads the files of `source`: the source, or its copies.
    pub(crate) fn work_from(&self, source: &SourceFile) -> Work {
        Work {
            ladder: self.ladder.clone(),
            replacement: self.replacement.clone(),
            ..source.work(&self.recipe, self.output.clone())
        }
    }
}

/// Submits the outputs that nothing was decided about. There is an entry for each output, in the same order.
pub(crate) async fn submit(batch: NewBatch<'_>, wanted: Vec<Wanted>) -> Result<Vec<Entry>, Error> {
    let mut files = Vec::with_capacity(wanted.len());
    let mut jobs = Vec::new();
    for one in wanted {
        let (name, job) = (one.name(), batch.job(one.work()));
        let decided = match one.decided {
            // The members of a ladder are submitted together, whatever is known of each.
            Some(_) if one.ladder.is_some() => {
                jobs.push(job);
                None
            }
            None => {
                jobs.push(job);
                None
            }
            Some(result) => Some(SubmittedJob {
                job: match &result {
                    SubmitResult::Run(run) => run.job.clone(),
                    _ => job,
                },
                result,
                is_gone: false,
            }),
        };
        files.push((name, decided));
    }
    let mut submitted = batch.submit(jobs).await?.into_iter();
    let entry = |(name, decided): (String, Option<SubmittedJob>)| {
        let file = decided.or_else(|| submitted.next())?;
        Some(Entry::new(name, file))
    };
    Ok(files.into_iter().filter_map(entry).collect())
}
