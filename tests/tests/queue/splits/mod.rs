//! Split jobs: the parts are claimed and run like jobs, the join follows the last one, and nothing is lost, done twice or
//! left behind, whatever breaks in between.
//!
//! The attempts here encode nothing: they write what an attempt writes, in its order.

mod crashes;
mod ends;
mod headers;
mod life;
mod steer;
mod storm;

use common::broker::{Broker, Claim, ClaimError, CompletedJob, Lanes};
use common::farm::queue::{Lane, Queue};
use common::job::Job;
use common::job::id::JobId;
use common::job::part::Part;
use common::job::run::report::Report;
use common::job::run::{Run, RunState};
use common::job::split::{PartReport, Plan, Split, SplitReport};
use common::names::subject;
use common::{testing, wire};
use futures::StreamExt;
use harness::poll;

use crate::{Server, claim, claim_in_time, job, lane, report, start};

/// The lane in which pieces are joined: one priority more urgent than that of the parts.
fn join_lane() -> Lane {
    Lane {
        queue: Queue::Copy,
        ..lane(6)
    }
}

/// A job that may be split.
fn film(name: &str) -> Job {
    Job {
        split: Split::Every(10),
        ..job(name)
    }
}

/// A plan of so many chunks of 250 frames, and of other tracks.
fn plan_of(job: &Job, lane: &Lane, chunks: u32) -> Plan {
    testing::plan(job, lane, &vec![250; chunks as usize])
}

/// A film whose parts are enqueued; its planner has not written it as split yet.
async fn planned(chunks: u32) -> (Server, Broker, Lanes, Claim, Plan) {
    let (server, broker, mut known) = start().await;
    enqueue(&broker, &film("film")).await;
    find(&broker, &mut known).await;
    let planner = claim_in_time(&broker, &known, "planner").await;
    let plan = plan_only(&broker, &planner, chunks).await;
    (server, broker, known, planner, plan)
}

/// A broker with a job that is split into so many chunks and the rest.
async fn split(chunks: u32) -> (Server, Broker, Lanes, Plan) {
    split_with(3, chunks).await
}

/// The same, with so many attempts.
async fn split_with(attempts: u32, chunks: u32) -> (Server, Broker, Lanes, Plan) {
    let (server, broker, mut known) = start().await;
    let job = Job {
        attempts,
        ..film("film")
    };
    enqueue(&broker, &job).await;
    find(&broker, &mut known).await;
    let planner = claim_in_time(&broker, &known, "planner").await;
    let plan = plan(&broker, planner, chunks).await;
    (server, broker, known, plan)
}

async fn enqueue(broker: &Broker, job: &Job) {
    let jobs = [(job.clone(), lane(5))];
    broker.enqueue(&jobs, |_| {}).await.expect("enqueued");
}

/// Gets to know the lanes of encodes and of joins.
async fn find(broker: &Broker, known: &mut Lanes) {
    let queues = ["libx264", "copy"].map(|queue| queue.parse().expect("a queue"));
    broker.find_lanes(&queues, known).await.expect("lanes");
    let join = broker.add_lane(known, join_lane());
    join.await.expect("a lane");
}

async fn all_lanes(broker: &Broker) -> Lanes {
    let mut known = Lanes::default();
    find(broker, &mut known).await;
    known
}

/// Stores the plan and enqueues the parts, as a planner does before it writes the job as split.
async fn plan_only(broker: &Broker, claim: &Claim, chunks: u32) -> Plan {
    let plan = plan_of(claim.job(), &lane(5), chunks);
    let plan = broker.put_plan(&plan).await.expect("stored");
    broker.enqueue_parts(&plan).await.expect("enqueued");
    plan
}

/// Splits a claimed job.
async fn plan(broker: &Broker, claim: Claim, chunks: u32) -> Plan {
    let plan = plan_only(broker, &claim, chunks).await;
    let run = claim.split(chunks + 1).await.expect("ours");
    assert!(matches!(run.state, RunState::Split { parts, .. } if parts == chunks + 1));
    plan
}

fn part(plan: &Plan, part: Part) -> JobId {
    plan.job.id.with_part(part)
}

/// Does an attempt up to its record: encodes and publishes a piece.
async fn make(mut claim: Claim, worker: &str) -> Result<CompletedJob, ClaimError> {
    claim.fence(testing::fence(worker, "an upload")).await?;
    claim.record_completed(report(worker)).await
}

/// Does what follows from a completion, the first time or again.
async fn finish(broker: &Broker, done: CompletedJob) {
    if !done.job().id.is_whole() {
        broker.part_completed(done).await.expect("an answer");
        return;
    }
    if let Some(plan) = broker.plan(&done.job().id).await.expect("an answer") {
        broker.forget_split(&plan).await.expect("an answer");
    }
    done.ack().await.expect("acknowledged");
}

/// Makes a part.
async fn complete(broker: &Broker, claim: Claim, worker: &str) {
    assert!(!claim.job().id.is_whole(), "a part");
    let done = make(claim, worker).await.expect("ours");
    finish(broker, done).await;
}

/// Claims and makes parts until none is left to claim.
async fn complete_all(broker: &Broker, known: &Lanes, worker: &str) {
    while let Some(claim) = claim(broker, known, worker).await {
        if claim.job().id.is_whole() {
            claim.release().await.expect("ours");
            return;
        }
        complete(broker, claim, worker).await;
    }
}

/// What a worker reports that has joined the pieces of a plan.
async fn joined(broker: &Broker, plan: &Plan, worker: &str) -> Report {
    let runs = broker.part_runs(plan).await.expect("an answer");
    let part = |run: Run| {
        let report = run.report()?;
        Some(PartReport {
            part: run.job.id.part(),
            worker: report.worker.clone(),
            attempt: run.attempt,
            frames: 250,
            encode_seconds: report.encode_seconds,
            size: report.output_size,
        })
    };
    let parts: Vec<PartReport> = runs.into_iter().filter_map(part).collect();
    for needed in plan.parts() {
        let is_there = |made: &PartReport| {
            made.part == needed || (needed != Part::Rest && made.part.chunk() == needed.chunk())
        };
        assert!(parts.iter().any(is_there), "{needed} is missing: {parts:?}");
    }
    Report {
        split: Some(SplitReport::Parts(parts)),
        ..report(worker)
    }
}

/// Joins the pieces: the job is claimed from the lane of copies, or from that of the worker that a person has chosen.
async fn join(broker: &Broker, known: &Lanes, plan: &Plan) {
    let claim = claim_in_time(broker, known, "joiner").await;
    assert_eq!(claim.job().id, plan.job.id, "all parts are done");
    let queue = match &plan.queue {
        pinned @ Queue::On(_) => pinned.clone(),
        _ => join_lane().queue,
    };
    let place = format!("jobs.{queue}.{}.", u8::from(join_lane().priority));
    let messages = subjects(broker, "JOBS").await;
    let is_there = |one: &String| one.starts_with(&place);
    assert!(messages.iter().any(is_there), "{place}: {messages:?}");
    assert_eq!(claim.lane(), plan.lane(), "the job keeps its lane");
    let report = joined(broker, plan, "joiner").await;
    let done = claim.record_completed(report).await.expect("ours");
    finish(broker, done).await;
    is_clean(broker, plan).await;
}

async fn run_of(broker: &Broker, job: &JobId) -> Run {
    let known = broker.job(job).await.expect("an answer");
    known.expect("known").run().expect("it has one").clone()
}

/// The next completed job whose message comes again.
async fn comes_again(broker: &Broker, known: &Lanes) -> CompletedJob {
    poll::until("the message to come again", async || {
        let look = broker.poll(known, &crate::name("other"), 1).await.ok()?;
        assert!(look.claims.is_empty(), "it is completed");
        look.completed.into_iter().next()
    })
    .await
}

/// The subjects of a stream.
async fn subjects(broker: &Broker, stream: &str) -> Vec<String> {
    let stream = broker.jetstream().get_stream(stream).await.expect("it");
    let subjects = stream.info_with_subjects(">").await.expect("them");
    subjects
        .map(|subject| subject.expect("one").0)
        .collect()
        .await
}

/// The keys of a bucket that hold a value.
async fn keys(broker: &Broker, bucket: &str) -> Vec<String> {
    let bucket = broker.jetstream().get_key_value(bucket).await.expect("it");
    let keys = bucket.keys().await.expect("them");
    keys.map(|key| key.expect("one")).collect().await
}

/// Polls as any other worker does until no message is left.
async fn is_queue_empty(broker: &Broker) {
    let known = all_lanes(broker).await;
    poll::until("the queue to be empty", async || {
        let look = broker.poll(&known, &crate::name("other"), 9).await.ok()?;
        assert!(look.claims.is_empty(), "nothing is to be done");
        for done in look.completed {
            finish(broker, done).await;
        }
        subjects(broker, "JOBS").await.is_empty().then_some(())
    })
    .await;
}

/// Nothing is left of the split but the run of the whole job.
async fn is_clean(broker: &Broker, plan: &Plan) {
    is_queue_empty(broker).await;
    assert_eq!(keys(broker, subject::PLANS).await, Vec::<String>::new());
    assert_eq!(
        keys(broker, subject::RUNS).await,
        [subject::run(&plan.job.id)]
    );
}

/// Writes a run as a program does that dies at once.
async fn write_and_die(broker: &Broker, run: &Run) {
    let key = subject::kv(subject::RUNS, &subject::run(&run.job.id));
    let sent = broker.jetstream().publish(key, wire::encode(run)).await;
    sent.expect("sent").await.expect("stored");
}
