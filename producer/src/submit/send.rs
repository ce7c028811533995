//! Submitting jobs: each once, and none that would replace a file by accident.

use std::collections::HashMap;
use std::path::Path;

use common::broker::{Broker, ClaimHolder, EnqueueResult, JobsByOutput, OutputJob};
use common::farm::queue::Lane;
use common::job::Job;
use common::job::id::JobId;
use common::job::record::JobRecord;
use common::job::run::{Run, RunState};
use common::names::location::Location;
use common::store::Stores;
use uuid::Uuid;

use crate::cli::exit::Error;
use crate::download::target::DownloadTarget;
use crate::submit::entry::{Entry, EntryState};
use crate::submit::existing_outputs::ExistingOutputs;
use crate::submit::sources::SourceFile;
use crate::submit::terms::{JobTerms, Renew};

/// A source with its output.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub source: SourceFile,
    pub output: Location,
    /// Why it gets no job, where that is known already.
    pub verdict: Option<EntryState>,
}

/// The folder of the outputs, and what is there.
pub(crate) struct Place<'a> {
    pub folder: &'a Location,
    pub present: ExistingOutputs,
    pub jobs_by_output: JobsByOutput,
}

impl<'a> Place<'a> {
    /// Reads what is at the outputs of these pairs, and at their downloads.
    pub(crate) async fn look(
        stores: &Stores,
        folder: &'a Location,
        download_to: Option<&DownloadTarget>,
        pairs: &[(SourceFile, Location)],
        jobs_by_output: JobsByOutput,
    ) -> Result<Self, Error> {
        let outputs = pairs.iter().map(|(_, output)| output);
        Ok(Self {
            folder,
            present: ExistingOutputs::look(stores, folder, download_to, outputs).await?,
            jobs_by_output,
        })
    }

    /// Why there will be no job for an output, as far as that is known before its source is uploaded to `input`.
    pub(crate) fn verdict(
        &self,
        input: &Location,
        output: &Location,
        terms: &JobTerms,
    ) -> Option<EntryState> {
        let Some(last_job) = self.jobs_by_output.get(output) else {
            let spares = !terms.replaces() && self.present.is_only_downloaded(output);
            return spares.then(|| EntryState::Occupied(unknown(output)));
        };
        let job = last_job.job();
        if job.input.location == *input && job.recipe == terms.recipe {
            return None;
        }
        if last_job.lives() {
            return Some(EntryState::OutputTaken(last_job.holder()));
        }
        let spares = !terms.replaces() && self.is_of(last_job, output);
        spares.then(|| another(last_job, input, terms))
    }

    /// Why each of these jobs would not be submitted as a new one; `None` where it would. Changes nothing.
    pub(crate) async fn foretell(
        &self,
        broker: &Broker,
        jobs: &[Job],
        terms: &JobTerms,
    ) -> Result<Vec<Option<EntryState>>, Error> {
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        let known = match terms.again {
            true => HashMap::new(),
            false => broker.jobs_of(&ids).await?,
        };
        let states = jobs.iter().map(|job| {
            let known = known.get(&job.id);
            self.verdict(&job.input.location, &job.output, terms)
                .or_else(|| self.state_of(job, known, terms).filter(|_| !terms.again))
        });
        Ok(states.collect())
    }

    fn state_of(
        &self,
        job: &Job,
        known: Option<&JobRecord>,
        terms: &JobTerms,
    ) -> Option<EntryState> {
        if let Some(state) = self.verdict_of(job, terms) {
            return Some(state);
        }
        let size = self.present.size(&job.output);
        let Some(record) = known else {
            let is_occupied = size.is_some() && !terms.replaces();
            return is_occupied.then(|| EntryState::Occupied(unknown(&job.output)));
        };
        match record.run() {
            None => Some(EntryState::Pending),
            Some(run) => {
                (!renews(run, size, terms)).then(|| EntryState::Run(Box::new(run.clone())))
            }
        }
    }

    /// The same for a job. An output of the same input and recipe counts as its own.
    fn verdict_of(&self, job: &Job, terms: &JobTerms) -> Option<EntryState> {
        let last_job = self.jobs_by_output.get(&job.output)?;
        if terms.replaces() || last_job.job().id == job.id || !self.is_of(last_job, &job.output) {
            return None;
        }
        match last_job {
            OutputJob::Taken(run) if last_job.does(&job.input, &job.recipe) => {
                Some(EntryState::Run(run.clone()))
            }
            _ => Some(another(last_job, &job.input.location, terms)),
        }
    }

    /// Whether something is at the output of a job that has not claimed it, and must not be replaced.
    fn is_doubtful(&self, job: &Job, terms: &JobTerms) -> bool {
        let is_claimed = |last_job: &OutputJob| last_job.job().id == job.id;
        self.present.size(&job.output).is_some()
            && !terms.replaces()
            && !self.jobs_by_output.get(&job.output).is_some_and(is_claimed)
    }

    /// Whether the file at an output was made by this job.
    fn is_of(&self, last_job: &OutputJob, output: &Location) -> bool {
        let made = last_job.report().map(|report| report.output_size);
        made.is_some() && made == self.present.size(output)
    }
}

fn another(last_job: &OutputJob, input: &Location, terms: &JobTerms) -> EntryState {
    let differs = last_job.differs(input, &terms.recipe);
    EntryState::Occupied(format!(
        "{differs}; choose another -o, or replace it with --overwrite"
    ))
}

fn unknown(output: &Location) -> String {
    format!("the output exists, and no job is known to have made it; --overwrite replaces {output}")
}

/// Submits what is missing as a batch. Submitting the same sources on the same terms again finds the same jobs.
pub(crate) async fn submit(
    broker: &Broker,
    wanted: Vec<Wanted>,
    place: &Place<'_>,
    terms: &JobTerms,
    label: &str,
) -> Result<Vec<Entry>, Error> {
    let mut submission = broker.submission(label, place.folder);
    let batch = submission.batch();
    let now = broker.now();
    let lane = terms.lane();
    let again = terms.again.then(Uuid::now_v7);
    let mut turn = Vec::new();
    let mut entries = Vec::with_capacity(wanted.len());
    for (index, wanted) in wanted.into_iter().enumerate() {
        let recipe = terms.recipe.clone();
        let mut job = Job::new(batch, wanted.source.input, wanted.output, recipe, again);
        job.enqueued = now;
        job.attempts = terms.attempts;
        job.fallbacks.clone_from(&terms.fallbacks);
        job.replace = terms.replaces();
        let verdict = wanted.verdict.or_else(|| place.verdict_of(&job, terms));
        if let Some(EntryState::Run(run)) = &verdict {
            job = run.job.clone();
        }
        if verdict.is_none() {
            turn.push(index);
        }
        entries.push(Entry {
            name: as_text(&wanted.source.name),
            job,
            state: verdict.unwrap_or(EntryState::Added),
            is_gone: false,
            download: None,
        });
    }
    let first: Vec<JobId> = entries.iter().map(|entry| entry.job.id).collect();

    for generation in 1_u32.. {
        // Unless their jobs are known, the files at these outputs are not theirs.
        let doubtful: Vec<JobId> = turn
            .iter()
            .map(|index| &entries[*index])
            .filter(|entry| place.is_doubtful(&entry.job, terms))
            .map(|entry| entry.job.id)
            .collect();
        let known = broker.jobs_of(&doubtful).await?;
        let mut wanted = Vec::new();
        for index in turn {
            let entry = &mut entries[index];
            if place.is_doubtful(&entry.job, terms) && !known.contains_key(&entry.job.id) {
                entry.state = EntryState::Occupied(unknown(&entry.job.output));
            } else {
                wanted.push(index);
            }
        }
        let jobs: Vec<(Job, Lane)> = wanted
            .iter()
            .map(|index| (entries[*index].job.clone(), lane.clone()))
            .collect();
        let outcomes = submission.enqueue(&jobs).await?;
        turn = Vec::new();
        for (index, (_, outcome)) in wanted.into_iter().zip(outcomes) {
            let entry = &mut entries[index];
            entry.state = match outcome {
                EnqueueResult::Added => EntryState::Added,
                EnqueueResult::AlreadyPending => {
                    // The job belongs to an earlier batch.
                    if let Some(last_job) = place.jobs_by_output.get(&entry.job.output) {
                        entry.job.batch = last_job.job().batch;
                    }
                    EntryState::Pending
                }
                EnqueueResult::Known(run) => {
                    entry.job.batch = run.job.batch;
                    EntryState::Run(run)
                }
                EnqueueResult::OutputTaken(holder) => taken(holder, entry, place, terms),
            };
            let EntryState::Run(run) = &entry.state else {
                continue;
            };
            let size = place.present.size(&entry.job.output);
            let is_renewed = renews(run, size, terms);
            entry.is_gone = is_gone(run, size);
            if is_renewed {
                entry.is_gone = false;
                entry.job = renewed(&entry.job, &first[index], generation);
                turn.push(index);
            }
        }
        if turn.is_empty() {
            break;
        }
    }
    submission.close().await?;
    Ok(entries)
}

/// Whether a job has completed and its output is missing: `size` is of the file at the output.
fn is_gone(run: &Run, size: Option<u64>) -> bool {
    matches!(run.state, RunState::Completed { .. }) && size.is_none()
}

/// Whether a job that was claimed before is replaced by a new one.
fn renews(run: &Run, size: Option<u64>, terms: &JobTerms) -> bool {
    let is_over = match &run.state {
        RunState::Completed { report } => size != Some(report.output_size),
        RunState::Failed { .. } | RunState::Cancelled => true,
        RunState::Running { .. } | RunState::Queued { .. } | RunState::Waiting { .. } => false,
    };
    match terms.renew {
        Renew::Never => false,
        Renew::Gone => is_gone(run, size),
        Renew::Ended => is_over,
    }
}

/// The state of an entry whose output belongs to another live job. A job with the same input and recipe stands in for
/// the entry's own.
fn taken(
    holder: ClaimHolder,
    entry: &mut Entry,
    place: &Place<'_>,
    terms: &JobTerms,
) -> EntryState {
    let last_job = place
        .jobs_by_output
        .get(&entry.job.output)
        .filter(|last_job| {
            let job = last_job.job();
            job.id == holder.job
                && last_job.does(&entry.job.input, &entry.job.recipe)
                && !terms.again
        });
    match last_job {
        None => EntryState::OutputTaken(holder),
        Some(last_job) => {
            entry.job = last_job.job().clone();
            match last_job {
                OutputJob::Taken(run) => EntryState::Run(run.clone()),
                OutputJob::Waiting(_) => EntryState::Pending,
            }
        }
    }
}

/// The job that replaces one that has ended. Its id follows from the first job's, so that the next command finds it.
fn renewed(job: &Job, first: &JobId, generation: u32) -> Job {
    let salt = Uuid::new_v5(
        &Uuid::NAMESPACE_OID,
        format!("{first} renewed {generation}").as_bytes(),
    );
    Job {
        id: JobId::of(&job.input, &job.recipe, &job.output, Some(salt)),
        ..job.clone()
    }
}

fn as_text(name: &Path) -> String {
    name.to_string_lossy().into_owned()
}
