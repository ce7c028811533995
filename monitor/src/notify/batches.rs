//! Whether a batch is done: pure.

use common::job::batch::Batch;
use common::job::state::JobState;
use common::notify::occurrence::{BatchDone, Occurrence};
use jiff::{SignedDuration, Timestamp};

use crate::index::BatchSum;

/// What the index may lag behind the runs.
const LAG: SignedDuration = SignedDuration::from_secs(10);

/// How far a batch is, of which a job has just ended.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    /// All jobs have ended.
    Done(Box<Occurrence>),
    /// It is to be looked at again.
    Unsure,
    /// Nothing is to be told of it until another job ends.
    Open,
}

/// `ended` is when a job of the batch was last seen to end, `told` the end of its jobs of which hooks were told.
pub(super) fn progress(
    batch: &Batch,
    sum: &BatchSum,
    ended: Timestamp,
    told: Option<Timestamp>,
    now: Timestamp,
) -> Progress {
    let count = |state| sum.counts.of(state) as u64;
    let completed = count(JobState::Completed);
    let kept = count(JobState::Kept);
    let failed = count(JobState::Failed);
    let cancelled = count(JobState::Cancelled);
    let all = sum.counts.sum() as u64;
    if completed + kept + failed + cancelled < all {
        return match now.duration_since(ended) < LAG {
            true => Progress::Unsure,
            false => Progress::Open,
        };
    }
    // The command that enqueues its jobs may still be at work.
    if batch
        .clone()
        .counted(all, now)
        .is_some_and(|batch| all < batch.jobs)
    {
        return Progress::Unsure;
    }
    // A batch that a person cancelled is no news to that person, and neither is an undone job.
    let last = sum
        .ended
        .and_then(|last| Timestamp::from_millisecond(last).ok());
    let Some(at) = last.filter(|at| told.is_none_or(|told| *at > told)) else {
        return match now.duration_since(ended) < LAG {
            true => Progress::Unsure,
            false => Progress::Open,
        };
    };
    let done = BatchDone {
        batch: Some(batch.id),
        label: batch.label.clone(),
        library: batch.library.clone(),
        folder: batch.folder.clone(),
        jobs: all,
        completed,
        kept,
        failed,
        cancelled,
        damaged: sum.damaged,
        // Clips of samples are looked at and thrown away: they are no news for a library.
        written: Some(if batch.film.is_some() { 0 } else { sum.written }),
    };
    Progress::Done(Box::new(Occurrence::batch_done(batch.id, done, at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::farm::queue::Lane;
    use common::job::batch::SampledFilm;
    use common::job::id::BatchId;
    use common::job::kind::{CheckDepth, JobKind};
    use common::job::run::Run;
    use common::job::run::health::{Damage, Health};
    use common::notify::occurrence::Fact;
    use common::recipe::Choice;
    use common::testing;

    use crate::index::Index;

    const T0: Timestamp = Timestamp::UNIX_EPOCH;

    fn after(seconds: i64) -> Timestamp {
        T0 + SignedDuration::from_secs(seconds)
    }

    fn batch(id: BatchId, jobs: u64) -> Batch {
        Batch {
            id,
            label: "films".to_owned(),
            jobs,
            enqueued: T0,
            folder: None,
            trash: Vec::new(),
            film: None,
            library: None,
        }
    }

    /// The sum of a batch of these runs.
    fn sum(id: BatchId, runs: impl IntoIterator<Item = Run>) -> BatchSum {
        let mut index = Index::default();
        runs.into_iter().for_each(|run| index.run(&run));
        index.batches().remove(&id).unwrap_or_default()
    }

    fn running(id: BatchId, size: u64) -> Run {
        let lane = Lane::from_consumer("libx265_p5").expect("a lane");
        let mut job = testing::job(Choice::Encoder("libx265".parse().expect("one")), size);
        job = common::job::Job::new(
            id,
            job.input,
            job.output,
            job.recipe,
            Some(uuid::Uuid::from_u128(size.into())),
        );
        Run::unclaimed(job, &lane, T0).take_over(&lane, 1, "w1".parse().expect("a name"), T0)
    }

    #[test]
    fn a_batch_is_done_once_all_its_jobs_have_ended() {
        let id = BatchId::new();
        let done = |size, second| {
            let report = testing::report("w1", "libx265", size, 1.0);
            running(id, size).complete(report, after(second))
        };
        let cancelled = |size, second| running(id, size).cancel(after(second)).expect("open");
        let look = |jobs, runs: Vec<Run>, told, now| {
            progress(&batch(id, jobs), &sum(id, runs), after(5), told, now)
        };
        // One still runs.
        let open = || vec![done(1, 5), running(id, 2)];
        assert_eq!(look(2, open(), None, after(6)), Progress::Unsure);
        assert_eq!(look(2, open(), None, after(60)), Progress::Open);
        // More are on their way, until ten minutes have shown that none are.
        assert_eq!(look(2, vec![done(1, 5)], None, after(60)), Progress::Unsure);
        assert!(matches!(
            look(2, vec![done(1, 5)], None, after(601)),
            Progress::Done(_)
        ));
        // Done: told once, and again only if a job ended anew.
        let both = || vec![done(1, 4), done(2, 5)];
        let Progress::Done(told) = look(2, both(), None, after(6)) else {
            panic!("not done");
        };
        assert_eq!(told.at, after(5));
        let Fact::BatchDone(facts) = &told.fact else {
            panic!("{told:?}");
        };
        assert_eq!((facts.jobs, facts.completed, facts.failed), (2, 2, 0));
        assert_eq!(look(2, both(), Some(after(5)), after(60)), Progress::Open);
        // A check that found damage is counted.
        let mut report = testing::report("w1", "libx265", 1, 1.0);
        let damage = Damage {
            track: None,
            from: 1.0,
            to: 2.0,
            what: "it breaks off".to_owned(),
        };
        report.health = Some(Health::new(CheckDepth::Full, vec![damage]));
        let checked = |report| {
            let mut run = running(id, 1);
            run.job.kind = JobKind::Check(CheckDepth::Full);
            run.complete(report, after(4))
        };
        let damaged = checked(report.clone());
        let Progress::Done(told) = look(2, vec![damaged, done(2, 5)], None, after(6)) else {
            panic!("not done");
        };
        assert!(matches!(&told.fact, Fact::BatchDone(facts) if facts.damaged == 1));
        // Of these two jobs, one wrote a file. Checks alone write none, and clips of samples are no news for a library.
        let written = |batch: &Batch, runs: Vec<Run>| {
            let sum = sum(id, runs);
            match progress(batch, &sum, after(5), None, after(6)) {
                Progress::Done(told) => match told.fact {
                    Fact::BatchDone(facts) => facts.written,
                    other => panic!("{other:?}"),
                },
                other => panic!("{other:?}"),
            }
        };
        let both = vec![checked(report.clone()), done(2, 5)];
        assert_eq!(written(&batch(id, 2), both), Some(1));
        assert_eq!(written(&batch(id, 1), vec![checked(report)]), Some(0));
        let film = SampledFilm {
            size: 1,
            length: 1.0,
            jobs: Vec::new(),
        };
        let samples = Batch {
            film: Some(film),
            ..batch(id, 1)
        };
        assert_eq!(written(&samples, vec![done(2, 5)]), Some(0));
        // Cancelled by a person after all had ended, as by an undo: no news.
        let undone = vec![done(1, 4), cancelled(2, 50)];
        assert_eq!(look(2, undone, Some(after(5)), after(70)), Progress::Open);
        let all_cancelled = vec![cancelled(1, 4), cancelled(2, 5)];
        assert_eq!(look(2, all_cancelled, None, after(70)), Progress::Open);
        assert!(matches!(
            look(2, vec![done(1, 4), cancelled(2, 5)], None, after(6)),
            Progress::Done(_)
        ));
    }
}
