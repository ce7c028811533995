//! A job that kills every worker that runs it.

use common::job::Job;
use common::job::run::RunState;
use harness::farm::Farm;
use harness::faults::poison;
use harness::faults::stand_in::{Fault, StandIn};
use harness::outside::audit::Tally;
use harness::paths;
use jiff::SignedDuration;

#[tokio::test]
async fn a_job_that_kills_its_workers_ends_as_a_dead_letter_and_all_others_end_well() {
    let poisoned = poison::among(30, &["w"]).await;
    assert!(poisoned.findings.is_empty(), "{:#?}", poisoned.findings);
    let expected = Tally {
        completed: 30,
        failed: 1,
    };
    assert_eq!(poisoned.tally, expected);
    assert_eq!(poisoned.deaths, Job::ATTEMPTS);
    let run = poisoned.farm.run(&poisoned.job.id).await.unwrap();
    let RunState::Failed { failure } = &run.state else {
        panic!("{run:#?}")
    };
    assert!(failure.message.contains("vanished"), "{failure}");
}

#[tokio::test]
async fn jobs_that_lost_their_worker_together_are_tried_again_one_by_one() {
    let farm = Farm::start().await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let setup = |ffmpeg: &StandIn| {
        let worker = farm.worker("w").encoders("libx264").ffmpeg(ffmpeg);
        worker.option("--max-jobs", "4")
    };
    let mut first = farm.join(setup(&ffmpeg)).await;
    let films = farm.folder().join("films");
    std::fs::create_dir(&films).unwrap();
    let mut jobs = Vec::new();
    for number in 0..4 {
        let film = films.join(format!("{number}.webm"));
        std::fs::copy(paths::media("odd-size.webm"), &film).unwrap();
        let job = farm.job(&film, "libx264");
        farm.enqueue(&job).await;
        farm.encoding(&job.id, &first).await;
        jobs.push(job.id);
    }
    first.process.kill();
    ffmpeg.recover();
    let _second = farm.join(setup(&ffmpeg)).await;
    let mut tried = Vec::new();
    for job in &jobs {
        let (run, report) = farm.completed(job).await;
        let took = SignedDuration::from_secs_f64(report.total_seconds);
        tried.push((run.changed - took, run.changed));
    }
    tried.sort();
    for pair in tried.windows(2) {
        assert!(pair[0].1 <= pair[1].0, "at once: {tried:#?}");
    }
}
