//! Workers whose ffmpeg makes chunks that cannot be joined with those that are done: they leave the chunks to others, until
//! the workers are gone whose chunks are done. Then the job would stand still.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use common::broker::{BrokerError, CompletedJob};
use common::job::id::JobId;
use common::job::run::Run;
use common::job::split::{Fits, Plan, SplitState};
use tokio::time::Instant;

use crate::attempt::executor::Executor;

/// A worker whose chunks can be joined is waited for at least this long: it may just be started anew.
const LEAST_WAIT: Duration = Duration::from_secs(20);
/// And at most this long.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

const WHY: &str = "the workers that encoded its first chunks are gone, and the ffmpeg of all others writes another header";

/// The jobs that no worker makes chunks for, and since when.
#[derive(Default)]
pub(super) struct Alone(HashMap<JobId, Instant>);

impl Executor {
    /// Does what follows from the completion of a part.
    pub(in crate::attempt) async fn finish_part(
        &self,
        done: CompletedJob,
    ) -> Result<(), BrokerError> {
        let part = done.run().job.id;
        let report = done.run().report();
        let is_mine = report.is_some_and(|report| report.worker == self.name);
        if self.broker.part_completed(done).await? == Fits::OtherHeader && is_mine {
            self.leave_chunks(&part);
        }
        Ok(())
    }

    /// Leaves the chunks of the job of this one to other workers.
    pub(in crate::attempt) fn leave_chunks(&self, part: &JobId) {
        tracing::warn!(
            "this ffmpeg makes another header than that of the other chunks: left to others"
        );
        self.unfit.add(part);
    }

    /// Gives up the splits whose chunks only refused builds of ffmpeg are left for. Other workers are waited for as long
    /// as it took to make what is done.
    pub(super) async fn give_up_splits(
        &self,
        plans: &[(Plan, SplitState)],
        alone: &mut Alone,
    ) -> Result<(), BrokerError> {
        let build = self.card.borrow().ffmpeg.build.clone();
        let stands_still = |(plan, state): &&(Plan, SplitState)| {
            state.unsplit.is_none() && !state.is_complete(plan) && state.refused.contains(&build)
        };
        let refused: Vec<&(Plan, SplitState)> = plans.iter().filter(stands_still).collect();
        let jobs: HashSet<JobId> = refused.iter().map(|(plan, _)| plan.job.id).collect();
        alone.0.retain(|job, _| jobs.contains(job));
        // If the pieces are gone that it did not fit, it may make the first one.
        self.unfit.forget(|job| !jobs.contains(job));
        if refused.is_empty() {
            return Ok(());
        }
        let workers = self.broker.workers().await?;
        for (plan, state) in refused {
            let job = plan.job.id;
            let able = workers
                .iter()
                .filter(|worker| worker.encodes(&plan.job, &plan.queue, &plan.encoder));
            let (fit, unfit): (Vec<_>, Vec<_>) =
                able.partition(|worker| !state.refused.contains(&worker.card.ffmpeg.build));
            let is_mine = unfit.iter().any(|worker| worker.name == self.name);
            if !fit.is_empty() || !is_mine {
                alone.0.remove(&job);
                continue;
            }
            let since = *alone.0.entry(job).or_insert_with(Instant::now);
            let runs = self.broker.part_runs(plan).await?;
            if since.elapsed() >= patience(state, &runs) {
                tracing::warn!(%job, why = WHY, "the split is given up: the job is encoded as a whole");
                self.broker.give_up_split(&job, WHY).await?;
            }
        }
        Ok(())
    }
}

/// How long a worker is waited for whose chunks can be joined with those that are done.
fn patience(state: &SplitState, runs: &[Run]) -> Duration {
    let is_done = |run: &&Run| run.job.id.part().chunk().is_some() && state.has(run.job.id.part());
    let done = runs.iter().filter(is_done).filter_map(Run::report);
    let seconds = done.map(|report| report.total_seconds).sum();
    let spent = Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_WAIT);
    spent.clamp(LEAST_WAIT, LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use common::farm::queue::Lane;
    use common::job::part::Part;
    use common::recipe::Choice;
    use common::testing;
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_worker_is_waited_for_as_long_as_the_chunks_took_that_are_done() {
        let lane = Lane::from_consumer("libx264_p5").expect("a lane");
        let job = testing::job(Choice::Encoder("libx264".parse().expect("an encoder")), 10);
        let plan = testing::plan(&job, &lane, &[100; 3]);
        let run = |part, seconds| {
            let worker = "a".parse().expect("a name");
            let run = Run::first(plan.job_of(part), &lane, 1, worker, Timestamp::UNIX_EPOCH);
            let mut report = testing::report("a", "libx264", 10, seconds);
            report.total_seconds = seconds;
            run.complete(report, run.changed)
        };
        let runs = [
            run(Part::Rest, 5000.0),
            run(Part::Chunk(0), 200.0),
            run(Part::Chunk(1), 400.0),
        ];
        let mut state = SplitState::default();
        assert_eq!(patience(&state, &runs), LEAST_WAIT, "nothing is done");
        state.mark(Part::Chunk(0));
        state.mark(Part::Twin(1));
        state.mark(Part::Rest);
        assert_eq!(patience(&state, &runs).as_secs(), 600);
        let slow = run(Part::Chunk(1), 9e9);
        assert_eq!(patience(&state, &[slow]), LONGEST_WAIT);
    }
}
