//! A job that kills its worker, whichever that is.

use common::job::Job;
use common::run::State;
use harness::audit::Tally;
use harness::poison;

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
    let State::Failed { failure } = &run.state else {
        panic!("{run:#?}")
    };
    assert!(failure.message.contains("vanished"), "{failure}");
}
