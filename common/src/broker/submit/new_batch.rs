//! Submitting jobs as one batch: each job once, and none that would replace a file by accident.

use crate::broker::queue::enqueue::check;
use crate::broker::{Broker, BrokerError, EnqueueResult};
use crate::farm::queue::Lane;
use crate::job::Job;
use crate::job::batch::{Batch, SampledFilm};
use crate::job::id::{BatchId, JobId};
use crate::job::work::Work;
use crate::names::location::Location;
use crate::names::token::Token;
use crate::submit::decide::{Answer, Case, Step, renewed};
use crate::submit::existing_outputs::ExistingOutputs;
use crate::submit::output_job::OutputJob;
use crate::submit::result::SubmitResult;
use crate::submit::terms::JobTerms;

/// A batch that is about to be submitted. The broker hears of it once there are jobs to enqueue.
pub struct NewBatch<'a> {
    pub(super) broker: &'a Broker,
    pub(super) terms: &'a JobTerms,
    pub(super) existing: ExistingOutputs,
    batch: Batch,
    is_kept: bool,
    added: u64,
}

/// A file that was submitted.
#[derive(Clone, Debug)]
pub struct SubmittedJob {
    /// The job that stands for the file: the new one, or an earlier one.
    pub job: Job,
    /// What has become of the file.
    pub result: SubmitResult,
    /// Whether the job has completed and its output is missing.
    pub is_gone: bool,
}

/// The steps that files wait for, by their indices.
#[derive(Default)]
struct Steps {
    look_up: Vec<usize>,
    enqueue: Vec<usize>,
    renew: Vec<usize>,
}

fn jobs_of(files: &[SubmittedJob]) -> Vec<Job> {
    files.iter().map(|file| file.job.clone()).collect()
}

impl Broker {
    /// Prepares a batch whose outputs lie below `folder`, and that people know by `label`. Writes nothing.
    pub fn new_batch<'a>(
        &'a self,
        label: &str,
        folder: &Location,
        existing: ExistingOutputs,
        terms: &'a JobTerms,
    ) -> NewBatch<'a> {
        self.batch_in(Some(folder.clone()), label, existing, terms)
    }

    /// Prepares a batch of samples of a film. Writes nothing.
    pub fn new_batch_of_samples<'a>(
        &'a self,
        label: &str,
        folder: &Location,
        existing: ExistingOutputs,
        terms: &'a JobTerms,
        film: SampledFilm,
    ) -> NewBatch<'a> {
        let mut new = self.batch_in(Some(folder.clone()), label, existing, terms);
        new.batch.film = Some(film);
        new
    }

    /// Prepares a batch of checks, which have no outputs. Writes nothing.
    pub fn new_batch_of_checks<'a>(&'a self, label: &str, terms: &'a JobTerms) -> NewBatch<'a> {
        self.batch_in(None, label, ExistingOutputs::default(), terms)
    }

    fn batch_in<'a>(
        &'a self,
        folder: Option<Location>,
        label: &str,
        existing: ExistingOutputs,
        terms: &'a JobTerms,
    ) -> NewBatch<'a> {
        NewBatch {
            broker: self,
            terms,
            existing,
            batch: Batch {
                id: BatchId::new(),
                label: label.to_owned(),
                jobs: 0,
                enqueued: self.now(),
                folder,
                trash: Vec::new(),
                film: None,
                library: None,
            },
            is_kept: false,
            added: 0,
        }
    }
}

impl NewBatch<'_> {
    /// The batch, enqueued by a library.
    #[must_use]
    pub fn of_library(mut self, library: &Token) -> Self {
        self.batch.library = Some(library.clone());
        self
    }

    /// The job of the batch that does this work.
    pub fn job(&self, work: Work) -> Job {
        Job {
            enqueued: self.broker.now(),
            ..self.terms.job(self.batch.id, work)
        }
    }

    /// The last job of an output.
    pub fn last_job(&self, output: &Location) -> Option<&OutputJob> {
        self.existing.last_job(output)
    }

    /// The result for a job, if it is known without the broker: before its input is uploaded.
    pub fn decided(&self, job: &Job) -> Option<SubmitResult> {
        match self.case(job).first() {
            Step::Done(result) => Some(result),
            Step::Enqueue | Step::LookUp | Step::Renew => None,
        }
    }

    /// The results that submitting these jobs would have; `None` for a job that would be enqueued. Changes nothing.
    ///
    /// # Errors
    /// As of [`NewBatch::submit`].
    pub async fn dry_run(&self, jobs: &[Job]) -> Result<Vec<Option<SubmitResult>>, BrokerError> {
        check(jobs.iter())?;
        let refused = self.refused_ladders(jobs).await?;
        let results = self.results(jobs).await?;
        let result = |(job, result): (&Job, Option<SubmitResult>)| match result {
            None => refused
                .get(&job.ladder.as_ref()?.master)
                .cloned()
                .map(SubmitResult::Occupied),
            known => known,
        };
        Ok(jobs.iter().zip(results).map(result).collect())
    }

    /// Like [`Self::dry_run`], of each job on its own.
    pub(super) async fn results(
        &self,
        jobs: &[Job],
    ) -> Result<Vec<Option<SubmitResult>>, BrokerError> {
        let ids: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        let known = self.broker.jobs_of(&ids).await?;
        let result = |job: &Job| {
            self.decided(job)
                .or_else(|| match self.case(job).next(known.get(&job.id).into()) {
                    Step::Done(result) => Some(result),
                    Step::Enqueue | Step::LookUp | Step::Renew => None,
                })
        };
        Ok(jobs.iter().map(result).collect())
    }

    /// Enqueues the missing jobs, and new ones in the place of ended ones as far as the terms say so. The results are in
    /// the order of the jobs. Submitting the same jobs again finds them. Of a ladder, all members are to be submitted
    /// together: if one of them is refused, none is enqueued.
    ///
    /// # Errors
    /// [`BrokerError::UnsoundJob`] before any job is enqueued; or the broker gives no answer. Jobs that were enqueued
    /// until then stay.
    pub async fn submit(mut self, jobs: Vec<Job>) -> Result<Vec<SubmittedJob>, BrokerError> {
        check(jobs.iter())?;
        let first: Vec<JobId> = jobs.iter().map(|job| job.id).collect();
        let mut files: Vec<SubmittedJob> = jobs
            .into_iter()
            .map(|job| SubmittedJob {
                job,
                result: SubmitResult::Added,
                is_gone: false,
            })
            .collect();
        let refused = self.refused_ladders(&jobs_of(&files)).await?;
        let mut open: Vec<usize> = (0..files.len()).collect();
        if !refused.is_empty() {
            let known = self.dry_run(&jobs_of(&files)).await?;
            let is_refused = |file: &SubmittedJob| {
                let ladder = file.job.ladder.as_ref();
                ladder.is_some_and(|ladder| refused.contains_key(&ladder.master))
            };
            open.retain(|index| !is_refused(&files[*index]));
            for (file, result) in files.iter_mut().zip(known) {
                if let Some(result) = result.filter(|_| is_refused(file)) {
                    self.settle(file, result);
                }
            }
        }
        let mut generation = 0;
        while !open.is_empty() {
            generation += 1;
            let mut steps = Steps::default();
            for index in open {
                let step = self.case(&files[index].job).first();
                self.take(step, index, &mut files, &mut steps);
            }
            let look_up = std::mem::take(&mut steps.look_up);
            let ids: Vec<JobId> = look_up.iter().map(|index| files[*index].job.id).collect();
            let known = self.broker.jobs_of(&ids).await?;
            for (index, id) in look_up.into_iter().zip(ids) {
                let step = self.case(&files[index].job).next(known.get(&id).into());
                self.take(step, index, &mut files, &mut steps);
            }
            let enqueue = std::mem::take(&mut steps.enqueue);
            let jobs = enqueue.iter().map(|index| files[*index].job.clone());
            let answers = self.enqueue(jobs.collect()).await?;
            for (index, answer) in enqueue.into_iter().zip(answers) {
                let step = self.case(&files[index].job).next(answer);
                self.take(step, index, &mut files, &mut steps);
            }
            for index in &steps.renew {
                files[*index].job = renewed(&files[*index].job, &first[*index], generation);
            }
            open = steps.renew;
        }
        self.remake_masters(&files).await?;
        self.close(&files).await?;
        Ok(files)
    }

    fn case<'a>(&'a self, job: &'a Job) -> Case<'a> {
        Case::new(job, &self.existing, self.terms)
    }

    /// Notes the next step of a file, or its result.
    fn take(&self, step: Step, index: usize, files: &mut [SubmittedJob], steps: &mut Steps) {
        match step {
            Step::LookUp => steps.look_up.push(index),
            Step::Enqueue => steps.enqueue.push(index),
            Step::Renew => steps.renew.push(index),
            Step::Done(result) => self.settle(&mut files[index], result),
        }
    }

    /// Notes the result for a file.
    fn settle(&self, file: &mut SubmittedJob, result: SubmitResult) {
        let case = self.case(&file.job);
        *file = SubmittedJob {
            job: case.job_of(&result),
            is_gone: case.is_gone(&result),
            result,
        };
    }

    /// Enqueues those of the jobs that are missing.
    async fn enqueue(&mut self, jobs: Vec<Job>) -> Result<Vec<Answer>, BrokerError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        if !self.is_kept {
            // The batch is kept before its jobs, so that no job ever names an unknown batch.
            self.batch.jobs = jobs.len() as u64;
            for replacement in jobs.iter().filter_map(|job| job.replacement.as_ref()) {
                if !self.batch.trash.contains(&replacement.trash) {
                    self.batch.trash.push(replacement.trash.clone());
                }
            }
            if let Some(film) = &mut self.batch.film {
                film.jobs = jobs.iter().map(|job| job.id).collect();
            }
            self.batch.enqueued = self.broker.now();
            self.broker.keep_batch(&self.batch).await?;
            self.is_kept = true;
        }
        let with_lane = |job: Job| {
            let lane = self.terms.lane(&job.recipe);
            (job, lane)
        };
        let jobs: Vec<(Job, Lane)> = jobs.into_iter().map(with_lane).collect();
        let results = self.broker.enqueue(&jobs, |_| {}).await?;
        let answers: Vec<Answer> = results
            .into_iter()
            .map(|(_, result)| match result {
                EnqueueResult::Added => Answer::Added,
                EnqueueResult::AlreadyPending => Answer::Pending,
                EnqueueResult::Known(run) => Answer::Run(run),
                EnqueueResult::OutputTaken(holder) => Answer::OutputTaken(holder),
            })
            .collect();
        let is_added = |answer: &&Answer| matches!(answer, Answer::Added);
        self.added += answers.iter().filter(is_added).count() as u64;
        Ok(answers)
    }

    /// Corrects the number of jobs of the batch and its samples, or forgets a batch to which no job was added.
    async fn close(mut self, files: &[SubmittedJob]) -> Result<(), BrokerError> {
        if self.added == 0 && self.is_kept {
            return self.broker.forget_batch(&self.batch.id).await;
        }
        let kept = self.batch.clone();
        self.batch.jobs = self.added;
        if let Some(film) = &mut self.batch.film {
            film.jobs = files.iter().map(|file| file.job.id).collect();
        }
        if self.is_kept && self.batch != kept {
            self.broker.keep_batch(&self.batch).await?;
        }
        Ok(())
    }
}
