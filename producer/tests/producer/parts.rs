//! A split job, as people see it while its parts run.

use common::broker::{Broker, ConnectOptions};
use common::farm::queue::Lane;
use common::job::part::Part;
use common::job::run::Run;
use common::job::split::Split;
use common::names::subject;
use common::names::subject::RUNS;
use common::recipe::Choice;
use common::recipe::encoder::Codec;
use common::{testing, wire};
use jiff::Timestamp;

use crate::farm::Farm;

async fn write(broker: &Broker, run: &Run) {
    let key = subject::kv(RUNS, &subject::run(&run.job.id));
    let sent = broker.jetstream().publish(key, wire::encode(run)).await;
    sent.unwrap().await.unwrap();
}

/// A job in two chunks with other tracks: one chunk is done, one runs.
async fn begin(broker: &Broker) -> String {
    let mut job = testing::job(Choice::Codec(Codec::Hevc), 1000);
    job.split = Split::Auto;
    let lane = Lane {
        queue: job.recipe.queue(),
        priority: Default::default(),
    };
    let plan = testing::plan(&job, &lane, &[75, 25]);
    broker.put_plan(&plan).await.unwrap();
    let claim =
        |job, worker: &str| Run::first(job, &lane, 1, worker.parse().unwrap(), Timestamp::now());
    let whole = claim(job.clone(), "north").split(3, Timestamp::now());
    write(broker, &whole).await;
    let first = claim(plan.job_of(Part::Chunk(0)), "north");
    let report = testing::report("north", "libx265", 1000, 4.0);
    write(broker, &first.complete(report, Timestamp::now())).await;
    write(broker, &claim(plan.job_of(Part::Chunk(1)), "south")).await;
    job.id.to_string()
}

#[test]
fn the_parts_of_a_split_job_are_listed_with_it_and_nowhere_else() {
    let farm = Farm::start();
    let id = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let options = ConnectOptions::new(farm.url(), "test");
        let broker = Broker::set_up(&options).await.unwrap();
        begin(&broker).await
    });
    let jobs = farm.producer(["jobs", "--json"]).succeeded().json();
    assert_eq!(jobs.as_array().unwrap().len(), 1, "{jobs:#}");
    assert_eq!(jobs[0]["state"], "running");

    let job = farm.producer(["job", &id, "--json"]).succeeded().json();
    let told = |field: &str| {
        let rows = job["parts"].as_array().unwrap().iter();
        rows.map(|row| row[field].clone()).collect::<Vec<_>>()
    };
    assert_eq!(told("part"), ["chunk-0", "chunk-1", "rest"]);
    assert_eq!(told("state"), ["completed", "running", "pending"]);
    let table = farm.producer(["job", &id]).succeeded().stdout;
    assert!(table.contains("into 3 parts"), "{table}");
    let line = |part: &str| {
        let mut lines = table.lines().filter(|line| line.contains(part));
        lines.next().unwrap_or_else(|| panic!("{part}: {table}"))
    };
    assert!(line("chunk 0").contains("north"), "{table}");
    assert!(line("chunk 0").contains("100%"), "{table}");
    assert!(line("chunk 1").contains("south"), "{table}");
    assert!(line("rest").contains("pending"), "{table}");
}
