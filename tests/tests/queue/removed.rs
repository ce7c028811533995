//! What is removed stays removed, also if the broker is killed right after.

use common::broker::{Broker, Lanes};
use common::job::Job;
use common::job::batch::Batch;
use common::job::failure::Failure;
use common::job::id::BatchId;
use common::names::subject;
use harness::poll;

use crate::{claim_in_time, job, lane, lanes, report, start};

async fn enqueue(broker: &Broker, known: &mut Lanes, name: &str) -> Job {
    let job = job(name);
    let jobs = [(job.clone(), lane(5))];
    broker.enqueue(&jobs, |_| {}).await.expect("enqueued");
    lanes(broker, known).await;
    job
}

async fn complete(broker: &Broker, known: &Lanes) {
    let claim = claim_in_time(broker, known, "w1").await;
    claim.complete(report("w1")).await.expect("ours");
}

async fn fail(broker: &Broker, known: &Lanes) {
    let claim = claim_in_time(broker, known, "w1").await;
    claim.fail(Failure::input("corrupt")).await.expect("ours");
}

fn batch() -> Batch {
    Batch {
        id: BatchId::new(),
        label: "films".to_owned(),
        jobs: 0,
        enqueued: job("a").enqueued,
        folder: None,
        trash: Vec::new(),
        film: None,
        library: None,
    }
}

#[tokio::test]
async fn what_is_removed_is_not_back_after_the_broker_was_killed() {
    let (mut server, broker, mut known) = start().await;
    // Of each kind, something is stored before and after what is removed.
    let mut dead = Vec::new();
    for name in ["a", "b", "c"] {
        let job = enqueue(&broker, &mut known, name).await.id;
        fail(&broker, &known).await;
        // Once more, so that there were two letters.
        broker.retry(&job).await.expect("an answer");
        fail(&broker, &known).await;
        dead.push(job);
    }
    let mut done = Vec::new();
    for name in ["d", "e", "f"] {
        let job = enqueue(&broker, &mut known, name).await;
        fail(&broker, &known).await;
        // This claims its output anew.
        broker.retry(&job.id).await.expect("an answer");
        complete(&broker, &known).await;
        done.push(job);
    }
    let batches = [batch(), batch(), batch()];
    for batch in batches.iter().chain(&batches) {
        broker.keep_batch(batch).await.expect("kept");
    }
    broker.retry(&dead[1]).await.expect("an answer");
    complete(&broker, &known).await;
    broker.forget(&done[1].id).await.expect("forgotten");
    broker
        .forget_batch(&batches[1].id)
        .await
        .expect("forgotten");
    server.0.kill();
    server.0.restart().await;
    poll::until("the broker to answer", async || broker.batches().await.ok()).await;
    let mut back = Vec::new();
    for (job, is_dead) in dead.iter().zip([true, false, true]) {
        let letter = broker.dead_letter(job).await.expect("an answer");
        if letter.is_some() != is_dead {
            back.push(format!("the dead letter of {job}: {}", !is_dead));
        }
    }
    let claims = broker.jetstream().get_key_value(subject::OUTPUTS).await;
    let claims = claims.expect("it");
    for (job, is_known) in done.iter().zip([true, false, true]) {
        let record = broker.job(&job.id).await.expect("an answer");
        if record.is_some() != is_known {
            back.push(format!("job {}: {}", job.id, !is_known));
        }
        let claim = claims.get(subject::output(&job.output)).await;
        if claim.expect("an answer").is_some() != is_known {
            back.push(format!("the claim of {}: {}", job.output, !is_known));
        }
    }
    let kept = broker.batches().await.expect("an answer");
    if kept
        .iter()
        .map(|batch| batch.id)
        .ne([batches[0].id, batches[2].id])
    {
        back.push(format!("{} batches", kept.len()));
    }
    assert_eq!(back, Vec::<String>::new());
    // What was removed can be made anew.
    enqueue(&broker, &mut known, "e").await;
    complete(&broker, &known).await;
}
