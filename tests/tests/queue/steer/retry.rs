//! Retries of failed jobs.

use common::broker::{Broker, Lanes, SteerResult};
use common::job::failure::Failure;
use common::job::record::JobRecord;
use common::job::run::{Run, RunState};
use common::job::state::JobState;
use harness::poll;
use jiff::Timestamp;

use super::state;
use crate::{ask_again, claim, claim_in_time, report, revision, with_one_job};

async fn fail_for_good(broker: &Broker, known: &Lanes) -> Run {
    let owner = claim_in_time(broker, known, "w1").await;
    owner.fail(Failure::input("corrupt")).await.expect("ours")
}

async fn dead_letters(broker: &Broker) -> u64 {
    let stream = broker.jetstream().get_stream("DEAD").await;
    stream.expect("there").cached_info().state.messages
}

#[tokio::test]
async fn a_dead_letter_is_tried_again_with_all_its_attempts() {
    let (_server, broker, known) = with_one_job().await;
    let failed = fail_for_good(&broker, &known).await;
    assert_eq!(dead_letters(&broker).await, 1);
    let again = broker.retry(&failed.job.id).await.expect("an answer");
    assert!(matches!(again, SteerResult::Done(_)), "{again:?}");
    assert_eq!(dead_letters(&broker).await, 0);
    assert_eq!(state(&broker, &failed.job).await, JobState::Pending);
    let once = broker.retry(&failed.job.id).await.expect("an answer");
    assert!(matches!(once, SteerResult::TooLate(_)), "{once:?}");
    let taken = claim_in_time(&broker, &known, "w1").await;
    assert_eq!((taken.run().attempt, taken.run().spent()), (2, 1));
    assert_eq!(taken.run().failures.len(), 1, "its history is kept");
    taken.complete(report("w1")).await.expect("ours");
}

#[tokio::test]
async fn a_retry_whose_program_died_is_taken_exactly_once() {
    let (_server, broker, known) = with_one_job().await;
    let failed = fail_for_good(&broker, &known).await;
    let of = revision(&broker, &failed.job.id).await;
    ask_again(&broker, &failed.job, of).await;
    let taken = claim_in_time(&broker, &known, "w1").await;
    assert_eq!(taken.run().spent(), 1);
    assert_eq!(dead_letters(&broker).await, 0);
    taken.complete(report("w1")).await.expect("ours");
    ask_again(&broker, &failed.job, of).await;
    assert!(claim(&broker, &known, "w1").await.is_none(), "it is done");
    assert_eq!(state(&broker, &failed.job).await, JobState::Completed);
}

#[tokio::test]
async fn a_job_that_failed_by_a_workers_fault_is_offered_to_other_workers_first() {
    let (_server, broker, known) = with_one_job().await;
    let first = claim(&broker, &known, "w1").await.expect("a job");
    let job = first.job().clone();
    first.fail(Failure::worker("no disk")).await.expect("ours");
    poll::until("its time", async || {
        let stored = broker.job(&job.id).await.ok()??;
        let due = match stored {
            JobRecord::Run(run) => match run.state {
                RunState::Waiting { until, .. } => until < Timestamp::now(),
                _ => false,
            },
            _ => false,
        };
        due.then_some(())
    })
    .await;
    assert!(claim(&broker, &known, "w1").await.is_none());
    let second = claim_in_time(&broker, &known, "w2").await;
    assert_eq!(second.run().attempt, 2);
}
