//! A farm that was restored from a copy: the work queue is older than the runs.

use common::job::run::RunState;
use common::names::subject;

use crate::{claim_in_time, job, lane, lanes, report, start};

/// Removes the message of a job, as a copy of the work queue lacks it that was made before the job was enqueued.
async fn forget(broker: &common::broker::Broker, job: &common::job::Job) {
    let jobs = broker
        .jetstream()
        .get_stream(subject::JOBS)
        .await
        .expect("it");
    let wanted = subject::job(&lane(5), &job.id);
    let message = jobs.get_last_raw_message_by_subject(&wanted).await;
    let sequence = message.expect("it is there").sequence;
    jobs.delete_message(sequence).await.expect("deleted");
}

#[tokio::test]
async fn jobs_without_a_message_get_one_and_others_do_not() {
    let (_server, broker, mut known) = start().await;
    let all = ["done", "lost", "kept"].map(job);
    let orders: Vec<_> = all.iter().map(|job| (job.clone(), lane(5))).collect();
    broker.enqueue(&orders, |_| {}).await.expect("enqueued");
    lanes(&broker, &mut known).await;
    let mut claims = Vec::new();
    for _ in &all {
        claims.push(claim_in_time(&broker, &known, "gone").await);
    }
    let done = claims.remove(0);
    assert_eq!(done.job().id, all[0].id);
    done.complete(report("gone")).await.expect("its own");
    forget(&broker, &all[1]).await;
    drop(claims);

    assert_eq!(broker.complete_restore().await.expect("an answer"), 1);
    assert_eq!(broker.complete_restore().await.expect("an answer"), 0);
    for _ in 0..2 {
        let claim = claim_in_time(&broker, &known, "live").await;
        assert_ne!(claim.job().id, all[0].id);
        claim.complete(report("live")).await.expect("its own");
    }
    for job in &all {
        let record = broker
            .job(&job.id)
            .await
            .expect("an answer")
            .expect("known");
        let state = &record.run().expect("a run").state;
        assert!(matches!(state, RunState::Completed { .. }), "{state:?}");
    }
}
