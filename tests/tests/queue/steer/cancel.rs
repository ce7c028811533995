//! Cancelling.

use std::time::Duration;

use common::broker::{ClaimError, Lease, LeaseEnd, SteerResult};
use common::job::state::JobState;

use super::{messages, only_job, state};
use crate::{claim, report, with_one_job};

#[tokio::test]
async fn a_pending_job_is_cancelled_and_leaves_nothing() {
    let (_server, broker, known) = with_one_job().await;
    let job = only_job(&broker).await;
    let done = broker.cancel(&job.id).await.expect("an answer");
    assert!(matches!(done, SteerResult::Done(_)), "{done:?}");
    assert_eq!(messages(&broker).await, 0);
    assert!(claim(&broker, &known, "w1").await.is_none());
    assert_eq!(state(&broker, &job).await, JobState::Cancelled);
    let again = broker.cancel(&job.id).await.expect("an answer");
    assert!(matches!(again, SteerResult::TooLate(_)), "{again:?}");
    let stranger = crate::job("never enqueued").id;
    let unknown = broker.cancel(&stranger).await.expect("an answer");
    assert_eq!(unknown, SteerResult::Unknown);
}

#[tokio::test]
async fn the_owner_of_a_cancelled_job_hears_of_it_and_can_write_nothing() {
    let (_server, broker, known) = with_one_job().await;
    let owner = claim(&broker, &known, "w1").await.expect("a job");
    let lease = Lease::keep(&owner);
    broker.cancel(&owner.job().id).await.expect("an answer");
    tokio::time::timeout(Duration::from_secs(2), lease.over().cancelled())
        .await
        .expect("told at once");
    assert_eq!(lease.ended(), Some(LeaseEnd::Cancelled));
    let job = owner.job().clone();
    assert!(matches!(
        owner.complete(report("w1")).await,
        Err(ClaimError::Elsewhere)
    ));
    assert_eq!(state(&broker, &job).await, JobState::Cancelled);
}

#[tokio::test]
async fn a_request_for_a_retry_goes_with_the_next_cancel() {
    let (_server, broker, _) = with_one_job().await;
    let job = only_job(&broker).await.id;
    for _ in 0..2 {
        broker.cancel(&job).await.expect("an answer");
        broker.retry(&job).await.expect("an answer");
    }
    broker.cancel(&job).await.expect("an answer");
    let (_, messages) = broker.queue_extent().await.expect("an answer");
    assert_eq!(messages, 0, "a message of an ended job stays");
    // The request for a retry stays until a worker meets it.
    broker.retry(&job).await.expect("an answer");
    let (_, messages) = broker.queue_extent().await.expect("an answer");
    assert_eq!(messages, 1);
}
