//! What follows from the end of a part: the join once all are done, the end of the job once one has failed.

use crate::broker::queue::runs::{Tries, Versioned, Write};
use crate::broker::{Broker, BrokerError, CompletedJob};
use crate::farm::queue::{Lane, Queue};
use crate::job::failure::Failure;
use crate::job::id::JobId;
use crate::job::part::Part;
use crate::job::run::report::Report;
use crate::job::run::{Run, RunState};
use crate::job::split::{Fits, Plan, SplitState};

/// The other run that makes the same chunk.
fn rival(part: Part) -> Option<Part> {
    match part {
        Part::Chunk(number) => Some(Part::Twin(number)),
        Part::Twin(number) => Some(Part::Chunk(number)),
        Part::Whole | Part::Rest => None,
    }
}

/// The failure of a job by that of one of its parts.
fn failure_of(part: Part, failure: &Failure) -> Failure {
    let of = match part {
        Part::Chunk(number) | Part::Twin(number) => format!("chunk {number}"),
        Part::Rest => "the tracks beside the film".to_owned(),
        Part::Whole => "the join".to_owned(),
    };
    Failure {
        message: format!("{of}: {}", failure.message),
        ..failure.clone()
    }
}

/// How a split job goes on.
pub(crate) enum AfterParts {
    /// By its parts, which are not all done.
    Wait,
    /// Its pieces are to be joined.
    Join(Box<Plan>),
    /// It is to be encoded as a whole, in this lane.
    Whole(Lane),
    /// Its plan is gone: it is planned anew.
    Anew,
}

impl Broker {
    /// Does what follows from the completion of a part: notes that its piece is there, has the pieces joined if it was
    /// the last one, ends the other run of the same chunk, and acknowledges the message. A chunk that cannot be joined with
    /// those that are done is enqueued again, which uses up no attempt: its next header is compared before it is published.
    ///
    /// # Errors
    /// The broker gives no answer. Then the message is delivered again.
    pub async fn part_completed(&self, done: CompletedJob) -> Result<Fits, BrokerError> {
        let run = done.run();
        let (part, made) = (run.job.id, run.report().and_then(Report::piece));
        let complete = |state: &mut SplitState| state.complete(part.part(), made);
        // Without a state, the split is forgotten.
        let mut fits = Fits::Yes;
        if let Some((state, found)) = self.change_state(&part, complete).await? {
            fits = found;
            match fits {
                Fits::Yes => self.part_done(&part, &state).await?,
                _ => self.redo(run, done.revision()).await?,
            }
        }
        done.ack().await?;
        Ok(fits)
    }

    /// Does what follows for the job of a part that is marked as done.
    async fn part_done(&self, part: &JobId, state: &SplitState) -> Result<(), BrokerError> {
        if let Some(plan) = self.plan(part).await?
            && state.is_complete(&plan)
        {
            self.send_to_join(&plan).await?;
        }
        match rival(part.part()) {
            Some(rival) => self.end_part(&part.with_part(rival)).await,
            None => Ok(()),
        }
    }

    /// Has any worker join the pieces of a job: the job's message goes to the lane of copies, one priority more urgent,
    /// since all that is left is short. If this is done twice, the worker that gets the second message drops it.
    async fn send_to_join(&self, plan: &Plan) -> Result<(), BrokerError> {
        // A person may have moved the job since the plan was read, which matters little here.
        let queue = match &plan.queue {
            // A person wants this worker to do all of the job.
            pinned @ Queue::On(_) => pinned.clone(),
            _ => Queue::Copy,
        };
        let lane = Lane {
            queue,
            priority: plan.priority.raised(),
        };
        self.open_lane(&lane).await?;
        self.send_to(&plan.job, &lane).await
    }

    /// Looks whether a job that was just written as split goes on by its parts, and sends its message if not: whoever
    /// completed the last part has sent it too early, the split was given up before, or the plan is gone.
    pub(crate) async fn look_after_split(&self, split: &Run) -> Result<(), BrokerError> {
        let job = &split.job.id;
        match self.after_parts(job).await? {
            AfterParts::Wait => Ok(()),
            AfterParts::Join(plan) => self.send_to_join(&plan).await,
            AfterParts::Whole(lane) => self.requeue_whole(job, &lane).await,
            AfterParts::Anew => self.send_to(&split.job, &split.lane()).await,
        }
    }

    /// How a split job goes on.
    pub(crate) async fn after_parts(&self, job: &JobId) -> Result<AfterParts, BrokerError> {
        let Some(plan) = self.plan(job).await? else {
            return Ok(AfterParts::Anew);
        };
        let state = self.split_state(job).await?;
        Ok(if state.unsplit.is_some() {
            AfterParts::Whole(plan.lane())
        } else if state.is_complete(&plan) {
            AfterParts::Join(plan.into())
        } else {
            AfterParts::Wait
        })
    }

    /// Does what follows from the failure of a job or part for good, before its message is acknowledged. A part that
    /// has failed fails its job. `false` if the message is needed again: the job belongs to a worker, or waits.
    pub(crate) async fn settle_failed(&self, failed: &Run) -> Result<bool, BrokerError> {
        if !matches!(failed.state, RunState::Failed { .. }) {
            return Ok(true);
        }
        match failed.job.id.part() {
            Part::Whole => self.end_parts(failed).await.map(|()| true),
            // The chunk itself goes on.
            Part::Twin(_) => Ok(true),
            Part::Chunk(_) | Part::Rest => self.fail_whole(&failed.job.id).await,
        }
    }

    /// Fails a split job because this part of it has failed for good, or has it encoded as a whole if the failure may
    /// follow from the split. `false` if the job is not split now.
    async fn fail_whole(&self, part: &JobId) -> Result<bool, BrokerError> {
        loop {
            let whole = part.whole();
            let Some(Versioned { run, revision }) = self.confirmed_run(&whole).await? else {
                return Ok(true);
            };
            if run.state.is_terminal() {
                self.end_parts(&run).await?;
                return Ok(true);
            }
            // Read after the job: an attempt at the job enqueues its failed parts anew before it writes the job as
            // split. So a part that has failed now, has failed since the job has this revision.
            let failed = self.confirmed_run(part).await?.map(|found| found.run);
            let (failure, worker) = match failed.as_ref().map(|run| (&run.state, run.worker())) {
                Some((RunState::Failed { failure }, worker)) => (failure, worker),
                _ => return Ok(true),
            };
            let state = self.split_state(&whole).await?;
            if state.unsplit.is_none() && state.has(part.part()) {
                return Ok(true);
            }
            let failure = failure_of(part.part(), failure);
            // A job that waits is about to enqueue its failed parts anew.
            let is_to_blame = failure.of_split && !run.state.is_waiting();
            if is_to_blame || state.unsplit.is_some() {
                self.give_up_parts(part, &failure.message).await?;
                return Ok(true);
            }
            let Some(next) = run.fail_split(failure, worker, self.now()) else {
                return Ok(false);
            };
            let written = self.record_run(&next, revision, Tries::ForAMinute).await?;
            if let Write::Done(_) = written {
                self.end_parts(&next).await?;
                return Ok(true);
            }
        }
    }
}
