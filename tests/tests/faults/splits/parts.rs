//! What befalls the parts of a split job: a chunk that cannot be encoded, a cancel, lost pieces, a source that changes,
//! a disk that takes nothing.

use std::path::Path;
use std::time::Duration;

use common::broker::SteerResult;
use common::job::Job;
use common::job::run::{Run, RunState};
use common::job::split::{PIECES, Split, SplitReport};
use harness::farm::Farm;
use harness::faults::disk::SmallDisk;
use harness::faults::stand_in::{Fault, StandIn};
use harness::programs::Worker;
use harness::{outside, poll};

use super::{assert_settled, chunks_done, film, job, output, parts, reference};

const SECONDS: u32 = 8;

/// A farm with a split job, and a worker whose ffmpeg the test controls. The job is not enqueued yet.
struct Case {
    farm: Farm,
    reference: String,
    ffmpeg: StandIn,
    _worker: Worker,
    job: Job,
}

impl Case {
    async fn new() -> Self {
        let farm = Farm::start().await;
        let film = film(farm.folder(), "film.mkv", SECONDS).await;
        let reference = reference(&farm, &film).await;
        let ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
        let setup = farm.worker("a").encoders("libx264").ffmpeg(&ffmpeg);
        let worker = farm
            .join(setup.environment([("RETRY_AFTER", "200ms".to_owned())]))
            .await;
        let job = job(&farm, &film, "film.mkv", Split::Every(1));
        Self {
            farm,
            reference,
            ffmpeg,
            _worker: worker,
            job,
        }
    }

    /// Enqueues the job, and holds its worker at a chunk when some are done.
    async fn hold_halfway(&mut self) {
        // Long enough that the order comes before the last chunk.
        self.ffmpeg
            .set_fault(Fault::Late(Duration::from_millis(300)));
        self.farm.enqueue(&self.job).await;
        chunks_done(&self.farm, &self.job, 2).await;
        self.ffmpeg.set_fault(Fault::Held);
        let is_held = Duration::from_millis(700);
        let mut before = usize::MAX;
        poll::until("a chunk to be held", async || {
            let state = self.farm.view.split_state(&self.job.id).await.ok()?;
            let is_same = state.chunks.len() == before;
            before = state.chunks.len();
            tokio::time::sleep(is_held).await;
            (is_same && !outside::encodes_in(&self.farm.scratch()).is_empty()).then_some(())
        })
        .await;
    }

    async fn part_runs(&self) -> Vec<Run> {
        let plan = self.farm.view.plan(&self.job.id).await.expect("an answer");
        let runs = self.farm.view.part_runs(&plan.expect("a plan")).await;
        runs.expect("an answer")
    }

    async fn retry(&self) {
        let retried = self.farm.view.retry(&self.job.id).await;
        let retried = retried.expect("an answer");
        assert!(matches!(retried, SteerResult::Done(_)), "{retried:?}");
    }

    async fn assert_settled(&self) {
        assert_settled(&self.farm, std::slice::from_ref(&self.job), &self.reference).await;
    }
}

/// Waits until the parts of a job run nowhere and wait nowhere.
async fn parts_ended(case: &Case) {
    poll::until("all parts to end", async || {
        let runs = case.part_runs().await;
        let is_over = runs.iter().all(|run| run.state.is_terminal());
        let encodes = outside::encodes_in(&case.farm.scratch());
        (is_over && encodes.is_empty() && case.farm.queued().await == 0).then_some(())
    })
    .await;
    assert_eq!(
        outside::scratch_files(&case.farm.scratch()),
        Vec::<&Path>::new()
    );
}

#[tokio::test]
async fn a_film_is_encoded_as_a_whole_if_one_of_its_chunks_always_fails() {
    let mut case = Case::new().await;
    case.ffmpeg
        .set_fault(Fault::Refuse("start_pts=50".to_owned()));
    case.farm.enqueue(&case.job).await;
    let (run, report) = case.farm.completed(&case.job.id).await;
    match &report.split {
        Some(SplitReport::Whole(why)) => assert!(why.contains("chunk 5: "), "{why}"),
        other => panic!("{other:#?}"),
    }
    assert_eq!(run.failures.len(), 0, "{run:#?}");
    case.assert_settled().await;
}

#[tokio::test]
async fn a_cancel_ends_all_chunks_and_a_retry_goes_on_with_them() {
    let mut case = Case::new().await;
    let other = case
        .farm
        .worker("b")
        .encoders("libx264")
        .ffmpeg(&case.ffmpeg);
    let _b = case.farm.join(other).await;
    case.hold_halfway().await;
    let cancelled = case.farm.view.cancel(&case.job.id).await;
    assert!(matches!(
        cancelled.expect("an answer"),
        SteerResult::Done(_)
    ));
    parts_ended(&case).await;
    let run = case.farm.run(&case.job.id).await.expect("a run");
    assert_eq!(run.state, RunState::Cancelled);
    assert!(!output(&case.job).exists());
    let before = case.part_runs().await;
    let done = before.iter().filter(|run| run.report().is_some()).count();
    assert!(done >= 2, "{before:#?}");

    case.ffmpeg.recover();
    case.retry().await;
    let (_, report) = case.farm.completed(&case.job.id).await;
    let again = parts(&report)
        .iter()
        .filter(|part| part.attempt > 1)
        .count();
    assert!(again + done <= parts(&report).len(), "{report:#?}");
    case.assert_settled().await;
}

#[tokio::test]
async fn a_piece_that_is_lost_before_the_join_is_made_again() {
    let mut case = Case::new().await;
    case.hold_halfway().await;
    let pieces = case.farm.out().join(PIECES);
    let lost: Vec<_> = outside::names(&pieces)
        .into_iter()
        .filter(|name| name.to_string_lossy().contains("chunk"))
        .collect();
    assert!(lost.len() >= 2, "{lost:?}");
    let mut before = case.part_runs().await;
    before.retain(|run| run.report().is_some());
    std::fs::remove_file(pieces.join(&lost[0])).unwrap();
    std::fs::write(pieces.join(&lost[1]), "torn").unwrap();
    case.ffmpeg.recover();
    let (_, report) = case.farm.completed(&case.job.id).await;
    let again = before.iter().filter(|run| {
        let now = parts(&report)
            .iter()
            .find(|part| part.part == run.job.id.part());
        let earlier = run.report().map(|report| report.encode_seconds);
        now.map(|part| part.encode_seconds) != earlier
    });
    assert_eq!(again.count(), 2, "{before:#?}\n{report:#?}");
    case.assert_settled().await;
}

#[tokio::test]
async fn a_source_that_changes_halfway_fails_the_job_and_nothing_is_published() {
    let mut case = Case::new().await;
    case.hold_halfway().await;
    film(case.farm.folder(), "film.mkv", SECONDS + 1).await;
    case.ffmpeg.recover();
    let run = case.farm.ended(&case.job.id).await;
    let RunState::Failed { failure } = &run.state else {
        panic!("{run:#?}")
    };
    assert!(failure.message.contains("changed"), "{failure}");
    assert!(!output(&case.job).exists());
    parts_ended(&case).await;
}

#[tokio::test]
async fn chunks_wait_while_the_disk_of_outputs_takes_nothing() {
    let mut case = Case::new().await;
    std::fs::remove_dir_all(case.farm.out()).unwrap();
    let Some(disk) = SmallDisk::mount(&case.farm.out(), 16 << 10) else {
        eprintln!("skipped: only root can mount a small disk");
        return;
    };
    case.hold_halfway().await;
    disk.lock(true);
    case.ffmpeg.recover();
    poll::until(
        "the worker to say that the disk takes nothing",
        async || {
            let heartbeat = case.farm.heartbeat("a").await?;
            heartbeat.away.into_iter().next()
        },
    )
    .await;
    disk.lock(false);
    let ballast = case.farm.out().join("ballast");
    let _ = std::fs::write(&ballast, vec![0; 16 << 20]);
    // It is full now, if not before.
    let full = std::fs::metadata(&ballast).unwrap().len();
    assert!(full < 16 << 20);
    tokio::time::sleep(Duration::from_secs(3)).await;
    std::fs::remove_file(&ballast).unwrap();
    let (run, _) = case.farm.completed(&case.job.id).await;
    assert_eq!(run.failures.len(), 0, "{run:#?}");
    case.assert_settled().await;
}
