//! Two live jobs never own one output: the second is refused when it is enqueued.

use std::time::Duration;

use common::broker::{Broker, EnqueueResult, Enqueued, SteerResult};
use common::job::Job;
use common::job::failure::Failure;
use common::names::subject;
use futures::future::join_all;
use tokio::time::Instant;

use crate::{claim_in_time, job, lane, lanes, report, start};

/// Another job with the same output.
fn rival(first: &Job, name: &str) -> Job {
    let rival = job(name);
    Job::new(
        rival.batch,
        rival.input,
        first.output.clone(),
        rival.recipe,
        None,
    )
}

async fn enqueue(broker: &Broker, job: &Job) -> EnqueueResult {
    let mut outcomes = all(broker, std::slice::from_ref(job)).await;
    outcomes.remove(0).1
}

async fn all(broker: &Broker, jobs: &[Job]) -> Vec<Enqueued> {
    let jobs: Vec<_> = jobs.iter().map(|job| (job.clone(), lane(5))).collect();
    broker.enqueue(&jobs, |_| {}).await.expect("an answer")
}

fn is_taken(outcome: &EnqueueResult, by: &Job) -> bool {
    matches!(outcome, EnqueueResult::OutputTaken(holder)
        if holder.job == by.id && holder.input.as_ref() == Some(&by.input.location))
}

#[tokio::test]
async fn an_output_belongs_to_one_live_job() {
    let (_server, broker, mut known) = start().await;
    let (first, second) = (job("a"), rival(&job("a"), "b"));
    assert_eq!(enqueue(&broker, &first).await, EnqueueResult::Added);
    assert!(is_taken(&enqueue(&broker, &second).await, &first));
    // The same job again is known.
    assert_eq!(
        enqueue(&broker, &first).await,
        EnqueueResult::AlreadyPending
    );
    lanes(&broker, &mut known).await;
    let running = claim_in_time(&broker, &known, "w").await;
    assert_eq!(running.job().id, first.id);
    assert!(is_taken(&enqueue(&broker, &second).await, &first));

    // A job that waits for its retry is live, too.
    running.fail(Failure::worker("full")).await.expect("ours");
    assert!(is_taken(&enqueue(&broker, &second).await, &first));
    let again = claim_in_time(&broker, &known, "w2").await;
    again.fail(Failure::input("broken")).await.expect("ours");

    // A failed job gives its output up to the next job, and does not get it back.
    assert_eq!(enqueue(&broker, &second).await, EnqueueResult::Added);
    let steered = broker.retry(&first.id).await.expect("an answer");
    assert!(
        matches!(&steered, SteerResult::OutputTaken(holder) if holder.job == second.id),
        "{steered:?}"
    );
    broker.cancel(&second.id).await.expect("an answer");
    let steered = broker.retry(&first.id).await.expect("an answer");
    assert!(matches!(steered, SteerResult::Done(_)), "{steered:?}");
    assert!(is_taken(
        &enqueue(&broker, &rival(&first, "c")).await,
        &first
    ));
    let claim = claim_in_time(&broker, &known, "w").await;
    claim.complete(report("w")).await.expect("ours");

    // The queue does not decide whether a finished output may be replaced: the programs that look at the output do.
    assert_eq!(
        enqueue(&broker, &rival(&first, "c")).await,
        EnqueueResult::Added
    );
}

#[tokio::test]
async fn the_first_job_of_a_batch_gets_the_output() {
    let (_server, broker, _) = start().await;
    let first = job("a");
    let jobs = [first.clone(), rival(&first, "b"), job("c")];
    let outcomes = all(&broker, &jobs).await;
    assert_eq!(outcomes[0].1, EnqueueResult::Added);
    assert!(is_taken(&outcomes[1].1, &first));
    assert_eq!(outcomes[2].1, EnqueueResult::Added);
}

#[tokio::test]
async fn one_of_many_concurrent_jobs_gets_the_output() {
    let (_server, broker, _) = start().await;
    let outputs: Vec<Job> = (0..20).map(|nth| job(&format!("out{nth}"))).collect();
    let producers = (0..8).map(|nth| {
        let jobs: Vec<Job> = outputs
            .iter()
            .map(|first| rival(first, &format!("in{nth}")))
            .collect();
        let broker = broker.clone();
        async move { all(&broker, &jobs).await }
    });
    let outcomes: Vec<_> = join_all(producers).await;
    for output in 0..outputs.len() {
        let added = outcomes
            .iter()
            .filter(|outcomes| outcomes[output].1 == EnqueueResult::Added)
            .count();
        assert_eq!(added, 1, "output {output}");
    }
}

#[tokio::test]
async fn a_job_that_is_retried_and_a_new_one_do_not_share_an_output() {
    let (_server, broker, _) = start().await;
    let firsts: Vec<Job> = (0..40).map(|nth| job(&format!("out{nth}"))).collect();
    let seconds: Vec<Job> = firsts.iter().map(|first| rival(first, "in")).collect();
    all(&broker, &firsts).await;
    for first in &firsts {
        broker.cancel(&first.id).await.expect("an answer");
    }
    let retried = async {
        let mut retried = Vec::new();
        for first in &firsts {
            let result = broker.retry(&first.id).await.expect("an answer");
            retried.push(matches!(result, SteerResult::Done(_)));
        }
        retried
    };
    let enqueued = async {
        let mut enqueued = Vec::new();
        // In the opposite order, so that the two meet.
        for second in seconds.iter().rev() {
            enqueued.push(enqueue(&broker, second).await == EnqueueResult::Added);
        }
        enqueued.reverse();
        enqueued
    };
    let (retried, enqueued) = tokio::join!(retried, enqueued);
    for (output, (retried, enqueued)) in retried.into_iter().zip(enqueued).enumerate() {
        assert!(
            retried != enqueued,
            "output {output}: retried {retried}, enqueued {enqueued}"
        );
    }
    let live: Vec<_> = broker
        .jobs(true)
        .await
        .expect("them")
        .into_iter()
        .filter(|record| record.run().is_none_or(|run| !run.state.is_terminal()))
        .collect();
    assert_eq!(live.len(), firsts.len());
}

/// A program that claimed an output died before its job was enqueued.
#[tokio::test]
async fn a_claim_without_a_job_strands_nothing() {
    let (_server, broker, _) = start().await;
    let (dead, next) = (job("a"), rival(&job("a"), "b"));
    let key = subject::kv(subject::OUTPUTS, &subject::output(&dead.output));
    let id = dead.id.to_string();
    let stored = broker.jetstream().publish(key, id.into()).await;
    stored.expect("sent").await.expect("stored");
    let asked = Instant::now();
    assert_eq!(enqueue(&broker, &next).await, EnqueueResult::Added);
    assert!(
        asked.elapsed() > Duration::from_secs(3),
        "somebody may be at it"
    );
    assert!(asked.elapsed() < Duration::from_secs(20));
    // The program that had died continues late.
    assert!(is_taken(&enqueue(&broker, &dead).await, &next));
}

#[tokio::test]
async fn a_job_that_is_forgotten_leaves_no_claim() {
    let (_server, broker, _) = start().await;
    let first = job("a");
    assert_eq!(enqueue(&broker, &first).await, EnqueueResult::Added);
    broker.forget(&first.id).await.expect("forgotten");
    let claims = broker.jetstream().get_key_value(subject::OUTPUTS).await;
    let claims = claims.expect("made");
    let claim = claims.get(subject::output(&first.output)).await;
    assert_eq!(claim.expect("an answer"), None);
    assert_eq!(
        enqueue(&broker, &rival(&first, "b")).await,
        EnqueueResult::Added
    );
}

/// The outputs of later jobs of one batch are claimed while earlier jobs are published.
#[tokio::test]
async fn a_long_batch_keeps_its_order_and_gives_no_output_twice() {
    let (_server, broker, mut known) = start().await;
    let mut jobs: Vec<Job> = (0..2500).map(|number| job(&number.to_string())).collect();
    jobs.insert(1200, rival(&jobs[0], "rival"));
    let rival_id = jobs[1200].id;
    let outcomes = all(&broker, &jobs).await;
    let given: Vec<_> = outcomes.iter().map(|(id, _)| *id).collect();
    let asked: Vec<_> = jobs.iter().map(|job| job.id).collect();
    assert_eq!(given, asked);
    for (id, outcome) in &outcomes {
        if *id == rival_id {
            assert!(is_taken(outcome, &jobs[0]), "{outcome:?}");
        } else {
            assert_eq!(*outcome, EnqueueResult::Added);
        }
    }
    let queued = broker
        .queued(None, 1, jobs.len())
        .await
        .expect("an answer")
        .0;
    let stored: Vec<_> = queued.iter().map(|queued| queued.job.id).collect();
    let added: Vec<_> = asked.into_iter().filter(|id| *id != rival_id).collect();
    assert_eq!(stored, added);
    lanes(&broker, &mut known).await;
    assert_eq!(
        claim_in_time(&broker, &known, "w").await.job().id,
        jobs[0].id
    );
}
