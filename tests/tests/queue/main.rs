//! The queue's protocol on a real broker, through the library that the programs share.
//!
//! More than 12 entries: each holds the tests of one part of the queue's protocol.

mod claimant;
mod ladders;
mod look;
mod model;
mod outputs;
mod owners;
mod reading;
mod removed;
mod requests;
mod restored;
mod settings;
mod splits;
mod steer;
mod storm;
mod taken;
mod transitions;
mod unreadable;

use std::time::Duration;

use common::broker::{Broker, Claim, ConnectOptions, Lanes};
use common::farm::orders::Order;
use common::farm::queue::{Lane, Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::id::{BatchId, JobId};
use common::job::input::Input;
use common::job::run::report::Report;
use common::names::location::Location;
use common::names::subject;
use common::recipe::{Choice, Recipe, VideoEncode};
use common::{testing, wire};
use harness::servers::broker::TestBroker;
use jiff::Timestamp;
use tempfile::TempDir;

fn job(name: &str) -> Job {
    let folder = Location::s3("media", "in").expect("a location");
    let input = Input {
        location: folder.join(name),
        size: 1,
        version: "1".to_owned(),
    };
    let encoder = "libx264".parse().expect("an encoder");
    let recipe =
        Recipe::encode(VideoEncode::new(Choice::Encoder(encoder))).expect("a sound recipe");
    Job::new(
        BatchId::new(),
        input,
        folder.join("out").join(name),
        recipe,
        None,
    )
}

fn lane(priority: u8) -> Lane {
    Lane {
        priority: Priority::try_from(priority).expect("in range"),
        queue: "libx264".parse().expect("a queue"),
    }
}

fn name(text: &str) -> WorkerName {
    text.parse().expect("a name")
}

fn report(worker: &str) -> Report {
    testing::report(worker, "libx264", 1, 1.0)
}

/// A broker, and after it the folder of its data: dropped in this order.
type Server = (TestBroker, TempDir);

/// Connects with a lease of 1 s, and with very short waits before a retry.
async fn connect(server: &TestBroker) -> (Broker, Lanes) {
    connect_to(server.url()).await
}

async fn connect_to(url: String) -> (Broker, Lanes) {
    let mut options = ConnectOptions::new(url, "test");
    options.ack_wait = Duration::from_secs(1);
    options.retry_after = Duration::from_millis(300);
    let broker = Broker::set_up(&options).await.expect("a broker");
    (broker, Lanes::default())
}

/// An order that pauses its target.
fn paused() -> Order {
    Order {
        paused: true,
        hours: None,
        since: Timestamp::now(),
    }
}

/// The revision of a job's run.
async fn revision(broker: &Broker, job: &JobId) -> u64 {
    let key = subject::kv(subject::RUNS, &subject::run(job));
    let runs = broker.jetstream().get_stream("KV_runs").await.expect("it");
    let run = runs.get_last_raw_message_by_subject(&key).await;
    run.expect("there is a run").sequence
}

/// Requests a retry as a program does that dies before the run is written. `of` is the revision of the failed run.
async fn ask_again(broker: &Broker, job: &Job, of: u64) {
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Farm-Retry-Of", of.to_string());
    let sent = broker.jetstream().publish_with_headers(
        subject::job(&lane(5), &job.id),
        headers,
        wire::encode(job),
    );
    sent.await.expect("sent").await.expect("stored");
}

/// A broker, a connection to it, and no known lanes. The server must live as long as the test.
async fn start() -> (Server, Broker, Lanes) {
    let folder = tempfile::tempdir().expect("a folder");
    let server = TestBroker::start(folder.path()).await;
    let (broker, known) = connect(&server).await;
    ((server, folder), broker, known)
}

/// A broker with one pending job in a known lane.
async fn with_one_job() -> (Server, Broker, Lanes) {
    let (server, broker, mut known) = start().await;
    broker
        .enqueue(&[(job("a"), lane(5))], |_| {})
        .await
        .expect("enqueued");
    lanes(&broker, &mut known).await;
    (server, broker, known)
}

async fn lanes(broker: &Broker, lanes: &mut Lanes) {
    let queue: Queue = "libx264".parse().expect("a queue");
    broker.find_lanes(&[queue], lanes).await.expect("lanes");
}

async fn claim(broker: &Broker, lanes: &Lanes, worker: &str) -> Option<Claim> {
    let look = broker.poll(lanes, &name(worker), 1).await;
    let mut claims = look.expect("an answer").claims;
    claims.pop().map(|(claim, ())| claim)
}

/// Polls until a job comes, for jobs that only time brings.
async fn claim_in_time(broker: &Broker, lanes: &Lanes, worker: &str) -> Claim {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(claim) = claim(broker, lanes, worker).await {
            return claim;
        }
        assert!(
            tokio::time::Instant::now() < deadline,
            "nothing to claim in time"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
