//! The decision about each file that is submitted: pure, and the same for every program.
//!
//! [`Case::first`] decides by the file at the output and the last job of that output. If these leave it open, the
//! broker is asked about the job itself, and [`Case::next`] decides by the answer.

#[cfg(test)]
mod tests;

use uuid::Uuid;

use crate::job::Job;
use crate::job::id::JobId;
use crate::job::record::JobRecord;
use crate::job::run::{Run, RunState};
use crate::job::work::Work;
use crate::submit::existing_outputs::{ExistingFile, ExistingOutputs};
use crate::submit::output_job::{ClaimHolder, OutputJob};
use crate::submit::result::{Occupied, SubmitResult};
use crate::submit::terms::{JobTerms, Renew};

/// A wanted job, with all that decides about it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    job: &'a Job,
    /// The file at the output.
    file: Option<ExistingFile>,
    /// The job that claimed the output last.
    last_job: Option<&'a OutputJob>,
    /// The job that has made the input, if it has put it in the place of its own source.
    maker: Option<&'a OutputJob>,
    terms: &'a JobTerms,
}

/// What the broker says about a job.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// The broker does not know the job.
    Unknown,
    /// The job was enqueued now.
    Added,
    /// The job waits, and no worker has taken it yet.
    Pending,
    /// The job has a run.
    Run(Box<Run>),
    /// The job was refused: this live job makes its output.
    OutputTaken(ClaimHolder),
}

impl From<Option<&JobRecord>> for Answer {
    fn from(record: Option<&JobRecord>) -> Self {
        match record {
            None => Self::Unknown,
            Some(record) => match record.run() {
                None => Self::Pending,
                Some(run) => Self::Run(Box::new(run.clone())),
            },
        }
    }
}

/// What to do next about a wanted job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Enqueue the job, if the broker does not know it.
    Enqueue,
    /// Ask the broker whether it knows the job. If it does not, the file at the output is not the job's own.
    LookUp,
    /// Put a new job in the place of this one, which has ended.
    Renew,
    /// Nothing: the result is known.
    Done(SubmitResult),
}

impl<'a> Case<'a> {
    pub(crate) fn new(job: &'a Job, existing: &'a ExistingOutputs, terms: &'a JobTerms) -> Self {
        // A check has no output: what lies there is its input.
        let is_output = job.kind.writes();
        let file = || existing.file(&job.output);
        let last_job = || existing.last_job(&job.output);
        Self {
            job,
            file: is_output.then(file).flatten(),
            last_job: is_output.then(last_job).flatten(),
            maker: existing.last_job(&job.input.location),
            terms,
        }
    }

    /// The step before the broker is asked about the job.
    pub(crate) fn first(&self) -> Step {
        if let Some(last_job) = self.last_job {
            if last_job.job().id == self.job.id {
                return Step::Enqueue;
            }
            if let Some(run) = self.replaces_now() {
                return Step::Done(SubmitResult::Run(run));
            }
            if last_job.blocks(&self.job.work(), self.terms) {
                return Step::Done(SubmitResult::OutputTaken(last_job.holder()));
            }
        }
        if let Some(run) = self.replaced_earlier() {
            return Step::Done(SubmitResult::Run(run));
        }
        let Some(file) = self.protected_file() else {
            return Step::Enqueue;
        };
        match self.last_job {
            Some(last_job) if last_job.made(file.size) => Step::Done(match last_job {
                OutputJob::Taken(run) if self.is_same_but_rules(last_job) => {
                    SubmitResult::Run(run.clone())
                }
                _ => SubmitResult::Occupied(Occupied::by(last_job, self.job)),
            }),
            None if file.is_download => self.occupied(),
            _ => Step::LookUp,
        }
    }

    /// The step after the broker's answer.
    pub(crate) fn next(&self, answer: Answer) -> Step {
        match answer {
            Answer::Unknown if self.protected_file().is_some() => self.occupied(),
            Answer::Unknown => Step::Enqueue,
            Answer::Added => Step::Done(SubmitResult::Added),
            Answer::Pending => Step::Done(SubmitResult::Pending),
            Answer::Run(run) if self.renews(&run) => Step::Renew,
            Answer::Run(run) if self.is_replaced(&run) => self.occupied(),
            Answer::Run(run) => Step::Done(SubmitResult::Run(run)),
            Answer::OutputTaken(holder) => match self.stand_in() {
                Some(last_job) if last_job.job().id == holder.job => match last_job {
                    OutputJob::Waiting(_) => Step::Done(SubmitResult::Pending),
                    OutputJob::Taken(run) => self.next(Answer::Run(run.clone())),
                },
                _ => Step::Done(SubmitResult::OutputTaken(holder)),
            },
        }
    }

    /// The job that stands for the file in the end: the wanted one, or an earlier one.
    pub(crate) fn job_of(&self, result: &SubmitResult) -> Job {
        match (result, self.stand_in()) {
            (SubmitResult::Run(run), _) => run.job.clone(),
            (SubmitResult::Pending, Some(last_job)) => last_job.job().clone(),
            _ => self.job.clone(),
        }
    }

    /// Whether the job has completed and its output is missing.
    pub(crate) fn is_gone(&self, result: &SubmitResult) -> bool {
        matches!(result, SubmitResult::Run(run) if self.lacks_output(run))
    }

    /// The file at the output, if it must not be replaced.
    fn protected_file(&self) -> Option<ExistingFile> {
        let is_own = self.job.replaces_in_place();
        self.file.filter(|_| !self.terms.replaces() && !is_own)
    }

    /// The run that is putting its output, which looks like a source, in the place of an earlier source.
    fn replaces_now(&self) -> Option<Box<Run>> {
        self.job.replacement.as_ref()?;
        let Some(OutputJob::Taken(run)) = self.maker else {
            return None;
        };
        (run.is_replacing() && run.job.recipe == self.job.recipe).then(|| run.clone())
    }

    /// The run that has put the source in the place of an earlier one, by the same recipe. Replacing it again would
    /// never end.
    fn replaced_earlier(&self) -> Option<Box<Run>> {
        self.job.replacement.as_ref()?;
        let Some(maker @ OutputJob::Taken(run)) = self.maker else {
            return None;
        };
        let is_its_output = maker.made(self.job.input.size) && run.has_replaced();
        (is_its_output && run.job.recipe == self.job.recipe).then(|| run.clone())
    }

    fn occupied(&self) -> Step {
        let output = self.job.output.clone();
        Step::Done(SubmitResult::Occupied(Occupied::ByUnknown { output }))
    }

    /// The last job of the output, if it does the same work.
    fn stand_in(&self) -> Option<&'a OutputJob> {
        self.last_job
            .filter(|last_job| !self.terms.again && self.is_same_work(last_job))
    }

    fn is_same_work(&self, last_job: &OutputJob) -> bool {
        last_job.job().makes_the_same(&self.job.work())
    }

    /// Whether the job does the same work, by whatever rules: an output that was made stays made.
    fn is_same_but_rules(&self, last_job: &OutputJob) -> bool {
        let work = Work {
            rules: last_job.job().rules.clone(),
            ..self.job.work()
        };
        last_job.job().makes_the_same(&work)
    }

    fn lacks_output(&self, run: &Run) -> bool {
        let is_completed = matches!(run.state, RunState::Completed { .. });
        is_completed && run.job.kind.writes() && self.file.is_none()
    }

    /// Whether the job has completed and the file at its output is another one.
    fn is_replaced(&self, run: &Run) -> bool {
        match (&run.state, self.file) {
            (RunState::Completed { report }, Some(file)) => {
                !self.job.replaces_in_place()
                    && !file.is_download
                    && file.size != report.output_size
            }
            _ => false,
        }
    }

    /// Whether a job that has a run is replaced by a new one.
    fn renews(&self, run: &Run) -> bool {
        // A job that failed because of a file at its output leaves that file to the next one.
        let has_failed = self.file.is_some() && matches!(run.state, RunState::Failed { .. });
        if self.terms.replaces() && (has_failed || self.is_replaced(run)) {
            return true;
        }
        // It may have failed because of the trash or of hard links, and a retry would go by the old terms again.
        let has_other_terms = self.job.replacement != run.job.replacement;
        if has_other_terms && matches!(run.state, RunState::Failed { .. }) {
            return true;
        }
        // A person has put the source back by hand.
        if self.job.replaces_in_place()
            && matches!(&run.state, RunState::Completed { report } if report.output_size != self.job.input.size)
        {
            return true;
        }
        match self.terms.renew {
            Renew::Never => false,
            Renew::Gone => self.lacks_output(run),
            Renew::Ended => match &run.state {
                RunState::Completed { report } => {
                    run.job.kind.writes()
                        && self.file.map(|file| file.size) != Some(report.output_size)
                }
                // Its original would be the better result again.
                RunState::Kept { .. } => false,
                state => state.is_terminal(),
            },
        }
    }
}

/// The job that replaces one that has ended. Its id follows from the id of the first job, so the next command finds it.
pub(crate) fn renewed(job: &Job, first: &JobId, generation: u32) -> Job {
    let salt = Uuid::new_v5(
        &Uuid::NAMESPACE_OID,
        format!("{first} renewed {generation}").as_bytes(),
    );
    Job {
        id: JobId::of(&job.work(), Some(salt)),
        ..job.clone()
    }
}
