//! Split jobs, as programs see them.

use common::job::part::Part;
use serde_json::{Value, json};

use crate::Monitor;
use crate::client::get;
use crate::split::{SplitJob, progress};

async fn parts(monitor: &Monitor, job: &SplitJob) -> Vec<Value> {
    let path = format!("/api/v1/jobs/{}/parts", job.whole.job.id);
    let answer = get(&monitor.address, &path, "").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json().as_array().expect("a list").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_split_job_is_one_job_with_parts_and_no_part_is_a_job() {
    let monitor = Monitor::start().await;
    let job = SplitJob::begin(&monitor, "Napoléon.mkv").await;
    let first = job.claim(&monitor, Part::Chunk(0), "north").await;
    job.complete(&monitor, &first).await;
    let second = job.claim(&monitor, Part::Chunk(1), "south").await;
    let mut page = monitor.page().await;
    page.until("the split job", |state| {
        state["running"][0]["split"]["done"] == 1
    })
    .await;
    progress(&monitor, &second, 0.5, 24.0).await;
    page.until("the speed of its parts", |state| {
        state["totals"]["fps"] == 24.0
    })
    .await;
    let state = &page.state;
    assert_eq!(state["totals"]["running"], 1);
    assert_eq!(state["recent"], json!([]));
    let row = &state["running"][0];
    assert_eq!(row["worker"], Value::Null);
    assert_eq!(row["split"]["parts"], 5);
    assert_eq!(row["split"]["workers"], json!(["south"]));
    assert!(row["fraction"].as_f64().expect("a share") > 0.5, "{row}");
    assert!(row["eta"].as_f64().is_some(), "{row}");

    let rows = parts(&monitor, &job).await;
    let told = |field: &str| rows.iter().map(|row| row[field].clone()).collect::<Value>();
    let names = ["chunk-0", "chunk-1", "chunk-2", "chunk-3", "rest"];
    assert_eq!(told("part"), json!(names));
    let states = ["completed", "running", "pending", "pending", "pending"];
    assert_eq!(told("state"), json!(states));
    assert_eq!(told("worker"), json!(["north", "south", null, null, null]));
    assert_eq!(told("frames"), json!([500, 300, 150, 50, null]));
    assert_eq!(told("start_seconds"), json!([0.0, 20.0, 32.0, 38.0, null]));
    assert_eq!(rows[0]["encode_seconds"], 16.0);
    let fraction = rows[1]["fraction"].as_f64().expect("a share");
    assert!((0.1..0.9).contains(&fraction), "{fraction}");

    page.until("all jobs", |state| state["listing"]["complete"] == true)
        .await;
    let listed = get(&monitor.address, "/api/v1/jobs", "").await.json();
    assert_eq!(listed["total"], 1, "{listed}");
    assert_eq!(listed["jobs"][0]["state"], "running");

    job.finish(&monitor).await;
    page.until("its end", |state| state["totals"]["completed"] == 1)
        .await;
    let rows = parts(&monitor, &job).await;
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[1]["part"], "chunk-1");
    assert_eq!(rows[1]["fraction"], 1.0);
    assert_eq!(rows[1]["encode_seconds"], 4.0);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_parts_of_a_failed_job_are_told_as_they_stand() {
    let monitor = Monitor::start().await;
    let job = SplitJob::begin(&monitor, "Faust.mkv").await;
    let first = job.claim(&monitor, Part::Chunk(0), "north").await;
    job.complete(&monitor, &first).await;
    let failure = common::job::failure::Failure::input("chunk 1: no picture in it");
    let failed = job.whole.fail_split(failure, None, jiff::Timestamp::now());
    crate::farm::write_run(&monitor.broker, &failed.expect("it is split")).await;
    let rows = parts(&monitor, &job).await;
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[0]["state"], "completed");
    assert_eq!(rows[1]["state"], "pending");

    let unknown = "/api/v1/jobs/00000000-0000-0000-0000-000000000000/parts";
    let unknown = get(&monitor.address, unknown, "").await;
    assert_eq!(unknown.status, 404);
    let unsplit = monitor.enqueue("Greed.mkv", "libx265").await;
    let path = format!("/api/v1/jobs/{}/parts", unsplit.id);
    assert_eq!(get(&monitor.address, &path, "").await.json(), json!([]));
    monitor.stop().await;
}
