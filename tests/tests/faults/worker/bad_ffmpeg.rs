//! An ffmpeg that hangs, lies, crashes, or prints rubbish.

use std::path::Path;

use common::job::Job;
use common::job::failure::{Failure, Fault as Whose};
use common::job::run::{Run, RunState};
use harness::farm::Farm;
use harness::faults::stand_in::{Fault, StandIn, Trick};
use harness::outside::media::Media;
use harness::{outside, paths};

/// A farm with one worker whose ffmpeg has a fault, and a job that the worker has taken.
struct Case {
    farm: Farm,
    ffmpeg: StandIn,
    _worker: harness::programs::Worker,
    job: Job,
}

impl Case {
    async fn with(fault: Fault, attempts: u32) -> Self {
        let farm = Farm::start().await;
        // On a busy machine, even an ffprobe may need seconds to begin.
        let stall = match fault {
            Fault::Hang => "2s",
            _ => "15s",
        };
        let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
        ffmpeg.set_fault(fault);
        let setup = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
        let worker = farm.join(setup.option("--stall-timeout", stall)).await;
        let mut job = farm.job(&paths::media("h264.mp4"), "libx264");
        job.attempts = attempts;
        farm.enqueue(&job).await;
        Self {
            farm,
            ffmpeg,
            _worker: worker,
            job,
        }
    }

    /// Waits for the end of a job that cannot complete.
    async fn failure(&self) -> (Run, Failure) {
        let run = self.farm.ended(&self.job.id).await;
        let RunState::Failed { failure } = &run.state else {
            panic!("it passed: {run:#?}")
        };
        let failure = failure.clone();
        (run, failure)
    }

    /// The record of the failure is all that is left.
    async fn assert_nothing_left(&self) {
        assert_eq!(outside::names(&self.farm.out()), Vec::<&Path>::new());
        harness::poll::until("the attempt's scratch files to be gone", async || {
            outside::scratch_files(&self.farm.scratch())
                .is_empty()
                .then_some(())
        })
        .await;
        assert!(outside::encodes_in(&self.farm.scratch()).is_empty());
        harness::poll::until("the message to be acknowledged", async || {
            (self.farm.queued().await == 0).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_stalled_ffmpeg_is_killed_and_costs_an_attempt() {
    let mut case = Case::with(Fault::Hang, 2).await;
    let waiting = |run: &Run| matches!(run.state, RunState::Waiting { .. });
    let run = case
        .farm
        .run_that(&case.job.id, "waiting for its next attempt", waiting)
        .await;
    let [attempt] = run.failures.as_slice() else {
        panic!("{run:#?}")
    };
    assert_eq!(attempt.failure.fault, Whose::Worker);
    assert!(
        attempt.failure.message.contains("no progress"),
        "{}",
        attempt.failure
    );
    assert!(outside::encodes_in(&case.farm.scratch()).is_empty());

    case.ffmpeg.recover();
    let (run, _) = case.farm.completed(&case.job.id).await;
    assert_eq!((run.attempt, run.failures.len()), (2, 1));
}

#[tokio::test]
async fn an_output_that_is_too_short_is_a_failure_whatever_ffmpeg_says() {
    let case = Case::with(Fault::Short { frames: 25 }, 3).await;
    let (run, failure) = case.failure().await;
    assert!(failure.message.contains("25"), "{failure}");
    assert_eq!(failure.fault, Whose::Input, "the worker's own encodes pass");
    assert_eq!(run.failures.len(), 2, "{run:#?}");
    assert_eq!(run.failures[0].failure.fault, Whose::Worker, "{run:#?}");
    case.assert_nothing_left().await;
    assert_eq!(case.farm.dead_letters().await, 1);
}

#[tokio::test]
async fn a_short_output_is_the_inputs_fault_only_if_two_workers_agree() {
    let farm = Farm::start().await;
    let mut workers = Vec::new();
    for name in ["one", "two"] {
        let folder = farm.folder().join(format!("ffmpeg-{name}"));
        let mut ffmpeg = StandIn::new(&folder).with_encoder("h264_nvenc", "libx264");
        ffmpeg.set_fault(Fault::Short { frames: 25 });
        let setup = farm.worker(name).encoders("h264_nvenc").ffmpeg(&ffmpeg);
        workers.push(farm.join(setup).await);
    }
    let mut job = farm.job(&paths::media("h264.mp4"), "h264_nvenc");
    // On a busy machine, the same worker may get the job again.
    job.attempts = 9;
    farm.enqueue(&job).await;
    let run = farm.ended(&job.id).await;
    let RunState::Failed { failure } = &run.state else {
        panic!("{run:#?}")
    };
    assert_eq!(failure.fault, Whose::Input, "{failure}");
    let (last, before) = run.failures.split_last().expect("a failure");
    assert!(!before.is_empty(), "one worker's hardware is not believed");
    for attempt in before {
        assert_eq!(attempt.failure.fault, Whose::Worker, "{run:#?}");
        assert_ne!(attempt.worker, last.worker, "{run:#?}");
    }
}

#[tokio::test]
async fn an_output_that_breaks_off_is_a_failure_whatever_ffmpeg_says() {
    let case = Case::with(Fault::Torn, 1).await;
    case.failure().await;
    case.assert_nothing_left().await;
}

#[tokio::test]
async fn a_job_that_crashes_ffmpeg_ends_as_a_dead_letter_and_takes_no_other_down() {
    let mut case = Case::with(Fault::Crash { after_frames: 10 }, 2).await;
    let (run, failure) = case.failure().await;
    // The worker's proof encode passes, and the file crashes ffmpeg again.
    assert_eq!(run.failures.len(), 2);
    assert_eq!(failure.fault, Whose::Input, "{run:#?}");
    assert!(
        failure.message.contains("ffmpeg crashed over this file"),
        "{failure}"
    );
    case.assert_nothing_left().await;
    assert_eq!(case.farm.dead_letters().await, 1);

    case.ffmpeg.recover();
    let other = case.farm.job(&paths::media("vp9.webm"), "libx264");
    case.farm.enqueue(&other).await;
    case.farm.completed(&other.id).await;
}

#[tokio::test]
async fn a_machine_that_is_sick_for_a_moment_costs_an_attempt_and_no_job() {
    for fault in [
        Fault::Crash { after_frames: 10 },
        Fault::Torn,
        Fault::Short { frames: 25 },
    ] {
        let mut case = Case::with(fault, 2).await;
        let has_failed = |run: &Run| !run.failures.is_empty();
        let run = case
            .farm
            .run_that(&case.job.id, "failed once", has_failed)
            .await;
        // The worker's proof encode passed, so only a second failure shows that the file is at fault.
        assert_eq!(run.failures[0].failure.fault, Whose::Worker, "{run:#?}");
        case.ffmpeg.recover();
        case.farm.completed(&case.job.id).await;
    }
}

#[tokio::test]
async fn a_sick_machine_does_not_decide_alone_while_another_worker_takes_such_jobs() {
    let farm = Farm::start().await;
    let mut healthy = StandIn::new(&farm.folder().join("ffmpeg-healthy"));
    let setup = farm.worker("healthy").encoders("libx264");
    let _healthy = farm.join(setup.ffmpeg(&healthy)).await;
    healthy.set_fault(Fault::Held);
    let long = farm.job(&paths::media("hevc.mkv"), "libx264");
    farm.enqueue(&long).await;
    farm.run_that(&long.id, "running", |run| {
        matches!(run.state, RunState::Running { .. })
    })
    .await;

    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg-sick"));
    ffmpeg.set_fault(Fault::Crash { after_frames: 10 });
    let setup = farm.worker("sick").encoders("libx264").ffmpeg(&ffmpeg);
    let _sick = farm.join(setup).await;
    let mut job = farm.job(&paths::media("h264.mp4"), "libx264");
    job.attempts = 9;
    farm.enqueue(&job).await;
    let has_failed_twice = |run: &Run| run.failures.len() == 2;
    let run = farm
        .run_that(&job.id, "failed twice", has_failed_twice)
        .await;
    for attempt in &run.failures {
        assert_eq!(attempt.worker.as_str(), "sick", "{run:#?}");
        assert_eq!(attempt.failure.fault, Whose::Worker, "{run:#?}");
    }
    healthy.recover();
    farm.completed(&long.id).await;
    farm.completed(&job.id).await;
}

#[tokio::test]
async fn an_ffmpeg_that_breaks_right_after_its_proof_costs_no_job() {
    let mut case = Case::with(Fault::Crash { after_frames: 10 }, 2).await;
    let (_, failure) = case.failure().await;
    assert_eq!(failure.fault, Whose::Input, "a proof encode passed");
    for (says, clip) in [
        ("", "vp9.webm"),
        (
            "/usr/bin/ffmpeg: line 2: /opt/ffmpeg: No such file or directory\n",
            "hevc.mkv",
        ),
    ] {
        case.ffmpeg.set_fault(Fault::Broken(says.to_owned()));
        let mut job = case.farm.job(&paths::media(clip), "libx264");
        job.attempts = 9;
        case.farm.enqueue(&job).await;
        let has_failed = |run: &Run| !run.failures.is_empty();
        let run = case.farm.run_that(&job.id, "failed once", has_failed).await;
        let first = &run.failures[0].failure;
        assert_eq!(first.fault, Whose::Worker, "{run:#?}");
        case.ffmpeg.recover();
        case.farm.completed(&job.id).await;
    }
}

#[tokio::test]
async fn rubbish_in_front_of_progress_harms_nothing() {
    let case = Case::with(Fault::Garbage, 1).await;
    let (_, report) = case.farm.completed(&case.job.id).await;
    let output = Media::of(&case.farm.out().join("h264.mkv"));
    assert_eq!(report.frames, output.frames());
}

/// A file that this test's user may read, and ffmpeg may not.
fn secret() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("room");
    std::fs::write(file.path(), "TOP-SECRET").expect("room");
    file
}

#[tokio::test]
async fn an_ffmpeg_that_leaves_a_link_or_a_pipe_fails_and_nothing_is_read_through_it() {
    let secret = secret();
    let link = Trick::Link(secret.path().to_owned());
    for trick in [link, Trick::Pipe] {
        let case = Case::with(Fault::Trick(trick), 3).await;
        let (run, failure) = case.failure().await;
        assert_eq!(failure.fault, Whose::Input, "{failure}");
        assert!(failure.message.contains("no plain file"), "{failure}");
        assert_eq!(run.attempt, 1, "nobody else is to try");
        case.assert_nothing_left().await;
    }
}

#[tokio::test]
async fn a_child_that_outlives_ffmpeg_replaces_no_output() {
    let secret = secret();
    let survivor = Fault::Trick(Trick::Survivor(secret.path().to_owned()));
    let case = Case::with(survivor, 1).await;
    let run = case.farm.ended(&case.job.id).await;
    // The child may have been quick enough to leave a link before ffmpeg had ended.
    if let RunState::Completed { .. } = run.state {
        let output = case.farm.out().join("h264.mkv");
        assert!(output.symlink_metadata().expect("there").is_file());
        let frames = Media::of(&paths::media("h264.mp4")).frames();
        assert_eq!(Media::of(&output).frames(), frames);
    }
    let alive = outside::processes_of(&case.farm.scratch_of("w"));
    assert!(alive.is_empty(), "{alive:?}");
}

#[tokio::test]
async fn a_picture_that_is_a_link_shows_nothing() {
    let mut case = Case::with(Fault::Late(std::time::Duration::ZERO), 1).await;
    case.farm.completed(&case.job.id).await;
    let secret = secret();
    let link = Trick::Link(secret.path().to_owned());
    case.ffmpeg.set_fault(Fault::Trick(link));
    let preview = common::farm::preview::Preview {
        job: case.job.id,
        side: common::farm::preview::JobFile::Output,
        what: common::farm::preview::PreviewKind::Still(0.0),
    };
    let name = "w".parse().expect("a name");
    let seen = case.farm.view.preview(&name, &preview).await;
    let why = seen.expect_err("nothing is to be seen").to_string();
    assert!(why.contains("no plain file"), "{why}");
}
