//! Looks after the split jobs of the farm while this worker has a free slot: has chunks that take too long encoded a
//! second time, has jobs go on that would stand still, and removes what ended jobs have left.

use std::sync::Arc;
use std::time::Duration;

use common::broker::BrokerError;
use common::farm::worker_name::WorkerName;
use common::job::part::Part;
use common::job::run::{Run, RunState};
use common::job::split::{Plan, SplitState};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::Executor;
use crate::attempt::parts::mend::LastLook;
use crate::attempt::parts::stuck::Alone;

/// The wait between two looks for chunks that take too long.
const LOOK: Duration = Duration::from_secs(5);
/// The wait between two looks for parts without a message.
const MEND: Duration = Duration::from_secs(60);
/// The wait between two looks for what ended jobs have left.
const SWEEP: Duration = Duration::from_secs(3600);
/// The wait before the first of these.
const FIRST_SWEEP: Duration = Duration::from_secs(20);
/// How long the pieces of a failed or cancelled job are kept: a retry makes only what is missing.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// A chunk takes too long if it has run for so many times as long as others of its length took.
const TOO_LONG: f64 = 2.0;
/// And if it has run for so much longer, in seconds.
const LEAST_LATE: f64 = 5.0;

/// Looks after split jobs until `stop` is cancelled.
pub async fn serve(executor: Arc<Executor>, stop: CancellationToken) {
    let mut next_sweep = Instant::now() + FIRST_SWEEP;
    let mut next_mend = Instant::now() + MEND;
    let (mut alone, mut last) = (Alone::default(), LastLook::default());
    while stop.run_until_cancelled(sleep(LOOK)).await.is_some() {
        if executor.heartbeater.has_free_slot() {
            let looked = stop
                .run_until_cancelled(executor.look_at_splits(&mut alone))
                .await;
            if let Some(Err(error)) = looked {
                tracing::debug!(%error, "no look at the chunks of split jobs");
            }
        }
        if Instant::now() >= next_mend {
            next_mend = Instant::now() + MEND;
            let mended = stop
                .run_until_cancelled(executor.mend_splits(&mut last))
                .await;
            if let Some(Err(error)) = mended {
                tracing::debug!(%error, "no look for parts without a message");
            }
        }
        if Instant::now() >= next_sweep {
            next_sweep = Instant::now() + SWEEP;
            let swept = stop.run_until_cancelled(executor.sweep_pieces()).await;
            if let Some(Err(error)) = swept {
                tracing::debug!(%error, "not all pieces of ended jobs are removed");
            }
        }
    }
}

impl Executor {
    async fn look_at_splits(&self, alone: &mut Alone) -> Result<(), BrokerError> {
        let plans = self.plans().await?;
        self.second_runs(&plans).await?;
        self.give_up_splits(&plans, alone).await
    }

    /// Has the slowest chunk of each split job encoded a second time, if nothing else of the job waits.
    async fn second_runs(&self, plans: &[(Plan, SplitState)]) -> Result<(), BrokerError> {
        for (plan, state) in plans {
            if state.is_complete(plan) || !self.serves(plan) {
                continue;
            }
            let runs = self.broker.part_runs(plan).await?;
            let now = self.broker.now();
            if let Some(chunk) = straggler(plan, state, &runs, &self.name, now)
                && self.broker.enqueue_twin(plan, chunk).await?
            {
                tracing::info!(job = %plan.job.id, chunk, "a chunk takes long: encoded a second time");
            }
        }
        Ok(())
    }

    fn serves(&self, plan: &Plan) -> bool {
        let card = self.card.borrow();
        card.queues(&self.name).contains(&plan.queue)
            && card.proof(&plan.encoder).is_some()
            && !self.unfit.has(&plan.job.id.with_part(Part::Chunk(0)))
            && self.stores.places().admit_all(&plan.job.needed()).is_ok()
    }

    /// Removes the pieces of jobs that have ended, and were not cleared or retried.
    async fn sweep_pieces(&self) -> Result<(), BrokerError> {
        let now = self.broker.now();
        for (plan, _) in self.plans().await? {
            if !self.stores.places().admit(&plan.folder()) {
                continue;
            }
            let record = self.broker.job(&plan.job.id).await?;
            let is_over = match record.as_ref().and_then(|record| record.run()) {
                Some(run) => is_over(run, now),
                None => record.is_none(),
            };
            if is_over {
                tracing::info!(job = %plan.job.id, "the pieces of an ended job are removed");
                self.clear(&plan).await?;
            }
        }
        Ok(())
    }
}

/// Whether nobody needs the pieces of the job any more.
fn is_over(run: &Run, now: Timestamp) -> bool {
    match run.state {
        RunState::Completed { .. } | RunState::Kept { .. } => true,
        RunState::Failed { .. } | RunState::Cancelled => now.duration_since(run.changed) > KEPT,
        RunState::Running { .. }
        | RunState::Split { .. }
        | RunState::Queued { .. }
        | RunState::Waiting { .. } => false,
    }
}

/// The chunk that another worker than `me` has encoded for too long; `None` if a part still waits for a worker.
fn straggler(
    plan: &Plan,
    state: &SplitState,
    runs: &[Run],
    me: &WorkerName,
    now: Timestamp,
) -> Option<u32> {
    let run_of = |part: Part| runs.iter().find(|run| run.job.id.part() == part);
    let is_taken = |part: Part| {
        let running = |run: &Run| matches!(run.state, RunState::Running { .. });
        state.has(part) || run_of(part).is_some_and(running)
    };
    if !plan.parts().all(is_taken) {
        return None;
    }
    let pace = pace(runs)?;
    let late = (0..).zip(&plan.chunks).filter_map(|(number, chunk)| {
        let run = run_of(Part::Chunk(number))?;
        let RunState::Running { worker, since, .. } = &run.state else {
            return None;
        };
        if worker == me || state.has(Part::Chunk(number)) || run_of(Part::Twin(number)).is_some() {
            return None;
        }
        let expected = pace * chunk.frames as f64;
        let ran = now.duration_since(*since).as_secs_f64();
        let is_late = ran > TOO_LONG * expected && ran > expected + LEAST_LATE;
        is_late.then_some((number, ran - expected))
    });
    late.max_by(|one, other| one.1.total_cmp(&other.1))
        .map(|(number, _)| number)
}

/// The mean time that chunks took for a frame, in seconds; `None` if none is done yet.
fn pace(runs: &[Run]) -> Option<f64> {
    let done = runs
        .iter()
        .filter(|run| run.job.id.part().chunk().is_some());
    let (frames, seconds) = done
        .filter_map(Run::report)
        .fold((0, 0.0), |(frames, seconds), report| {
            (frames + report.frames, seconds + report.total_seconds)
        });
    (frames > 0).then(|| seconds / frames as f64)
}

#[cfg(test)]
mod tests {
    use common::farm::queue::Lane;
    use common::recipe::Choice;
    use common::testing;

    use super::*;

    fn plan(chunks: usize) -> Plan {
        let job = testing::job(Choice::Encoder("libx264".parse().expect("an encoder")), 10);
        let lane = Lane::from_consumer("libx264_p5").expect("a lane");
        let mut plan = testing::plan(&job, &lane, &vec![100; chunks]);
        plan.rest = None;
        plan
    }

    fn running(plan: &Plan, part: Part, worker: &str, since: i64) -> Run {
        let lane = Lane::from_consumer("libx264_p5").expect("a lane");
        let at = Timestamp::from_second(since).expect("a time");
        let worker = worker.parse().expect("a name");
        Run::first(plan.job_of(part), &lane, 1, worker, at)
    }

    fn done(plan: &Plan, part: Part, seconds: f64) -> Run {
        let run = running(plan, part, "a", 0);
        let mut report = testing::report("a", "libx264", 10, seconds);
        (report.frames, report.total_seconds) = (100, seconds);
        run.complete(report, run.changed)
    }

    #[test]
    fn a_chunk_that_takes_far_longer_than_the_others_is_run_again() {
        let plan = plan(3);
        let mut state = SplitState::default();
        let mut runs = vec![
            done(&plan, Part::Chunk(0), 10.0),
            running(&plan, Part::Chunk(1), "slow", 100),
        ];
        state.mark(Part::Chunk(0));
        let me: WorkerName = "me".parse().expect("a name");
        let now = |second| Timestamp::from_second(second).expect("a time");
        let look = |state: &SplitState, runs: &[Run], second| {
            straggler(&plan, state, runs, &me, now(second))
        };
        assert_eq!(look(&state, &runs, 200), None, "a part waits");
        runs.push(running(&plan, Part::Chunk(2), "me", 100));
        assert_eq!(look(&state, &runs, 119), None, "not yet");
        assert_eq!(look(&state, &runs, 121), Some(1), "not my own");
        runs.push(running(&plan, Part::Twin(1), "me", 121));
        assert_eq!(look(&state, &runs, 300), None, "twice is enough");
    }

    #[test]
    fn pieces_of_failed_jobs_are_kept_for_a_day() {
        let plan = plan(1);
        let whole = running(&plan, Part::Chunk(0), "a", 0);
        assert!(!is_over(
            &whole,
            Timestamp::from_second(1_000_000).expect("a time")
        ));
        let cancelled = whole.cancel(Timestamp::UNIX_EPOCH).expect("it runs");
        let hours = |hours: i64| Timestamp::from_second(hours * 3600).expect("a time");
        assert!(!is_over(&cancelled, hours(23)));
        assert!(is_over(&cancelled, hours(25)));
    }
}
