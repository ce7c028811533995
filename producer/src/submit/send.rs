//! Submitting sources with their outputs as one batch.

use common::broker::{NewBatch, SubmittedJob};
use common::names::location::Location;
use common::recipe::Recipe;
use common::submit::result::SubmitResult;

use crate::cli::exit::Error;
use crate::submit::entry::Entry;
use crate::submit::sources::SourceFile;

/// A source with its output.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub source: SourceFile,
    pub output: Location,
    /// Why the source gets no job, if that was decided before its upload.
    pub decided: Option<SubmitResult>,
}

/// Submits the sources that nothing was decided about. There is an entry for each source, in the same order.
pub(crate) async fn submit(
    batch: NewBatch<'_>,
    recipe: &Recipe,
    wanted: Vec<Wanted>,
) -> Result<Vec<Entry>, Error> {
    let mut files = Vec::with_capacity(wanted.len());
    let mut jobs = Vec::new();
    for one in wanted {
        let name = one.source.name.to_string_lossy().into_owned();
        let job = batch.job(one.source.work(recipe, one.output));
        let decided = match one.decided {
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
