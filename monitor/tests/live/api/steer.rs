//! Orders of people: about jobs, queues, workers.

use std::time::Duration;

use async_nats::Request;
use async_nats::client::RequestErrorKind;
use common::job::Job;
use common::job::failure::Failure;
use common::job::id::JobId;
use common::job::run::Run;
use common::names::subject;
use harness::poll;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::client::{get, send};
use crate::{Monitor, farm};

/// Asks until the answer is as wanted.
async fn until(address: &str, path: &str, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    let wait = async {
        loop {
            last = get(address, path, "").await.json();
            if is_so(&last) {
                return last.clone();
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(20), wait).await;
    found.unwrap_or_else(|_| panic!("not in time: {what}: {last:#}"))
}

async fn change(monitor: &Monitor, verb: &str, body: Value) -> Value {
    let path = format!("/api/v1/jobs/{verb}");
    let answer = send(&monitor.address, "POST", &path, "", &body).await;
    assert_eq!(answer.status, 200, "{verb}: {}", answer.body);
    answer.json()
}

/// A run that failed for good.
async fn failed(monitor: &Monitor, job: &Job, reason: &str) {
    let worker = "atelier".parse().expect("a name");
    let run = Run::first(
        job.clone(),
        &farm::lane(job, 5),
        1,
        worker,
        Timestamp::now(),
    );
    let run = run.fail(
        Failure::input(reason),
        SignedDuration::ZERO,
        Timestamp::now(),
    );
    farm::write_run(&monitor.broker, &run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_cancelled_retried_moved_and_listed() {
    let monitor = Monitor::start().await;
    let address = &monitor.address;
    let mut jobs = Vec::new();
    for name in ["a.mkv", "b.mkv", "c.mkv"] {
        jobs.push(monitor.enqueue(name, "libx265").await);
    }
    let page = until(address, "/api/v1/jobs?sort=name", "all jobs", |page| {
        page["total"] == 3
    })
    .await;
    assert_eq!(page["jobs"][0]["job"]["name"], "a.mkv");
    assert_eq!(page["jobs"][0]["state"], "pending");

    let stranger: JobId = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
        .parse()
        .expect("an id");
    let answer = change(
        &monitor,
        "cancel",
        json!({ "jobs": [jobs[0].id, stranger] }),
    )
    .await;
    assert_eq!(answer[0]["done"], true);
    assert_eq!(answer[1]["done"], false);
    assert_eq!(answer[1]["why"], "job not found");
    until(
        address,
        "/api/v1/jobs?state=cancelled",
        "a cancelled job",
        |page| page["total"] == 1 && page["jobs"][0]["job"]["name"] == "a.mkv",
    )
    .await;
    let again = change(&monitor, "cancel", json!({ "jobs": [jobs[0].id] })).await;
    assert_eq!(again[0]["why"], "it is cancelled");

    failed(&monitor, &jobs[1], "no video in it").await;
    let dead = "/api/v1/jobs?state=failed&text=B.MK";
    let page = until(address, dead, "a failed job", |page| page["total"] == 1).await;
    assert_eq!(page["jobs"][0]["reason"], "no video in it");
    assert_eq!(page["jobs"][0]["fault"], "input");
    let answer = change(
        &monitor,
        "retry",
        json!({ "jobs": [jobs[0].id, jobs[1].id, jobs[2].id] }),
    )
    .await;
    let done: Vec<&Value> = answer
        .as_array()
        .expect("answers")
        .iter()
        .map(|one| &one["done"])
        .collect();
    assert_eq!(done, [true, true, false]);
    until(
        address,
        "/api/v1/jobs?state=pending",
        "all wait again",
        |page| page["total"] == 3,
    )
    .await;
    for (query, error) in [
        ("state=foo", "unknown state 'foo': one of pending, running"),
        ("phase=failed", "unknown field `phase`"),
    ] {
        let answer = get(address, &format!("/api/v1/jobs?{query}"), "").await;
        assert!((400..500).contains(&answer.status), "{query}");
        assert!(answer.body.contains(error), "{}", answer.body);
    }

    // Onto a worker only where that has proved what the job needs.
    let body = json!({ "jobs": [jobs[2].id], "queue": "on_atelier" });
    let nobody = change(&monitor, "move", body.clone()).await;
    assert_eq!(nobody[0]["why"], "worker atelier is not alive");
    monitor.heartbeat("atelier", Vec::new()).await;
    let beat = farm::heartbeat("mini-pc", 1, Vec::new(), &[("libx264", 10.0)]);
    monitor.broker.heartbeat(&beat).await.expect("heard");
    let fits = change(&monitor, "fit", json!({ "jobs": [jobs[2].id] })).await;
    assert_eq!(
        fits[0],
        json!({ "worker": "atelier", "fits": true, "why": null })
    );
    assert_eq!(fits[1]["fits"], false);
    assert_eq!(change(&monitor, "move", body).await[0]["done"], true);
    let refused = change(
        &monitor,
        "move",
        json!({ "jobs": [jobs[2].id], "queue": "on_mini-pc" }),
    )
    .await;
    assert_eq!(refused[0]["done"], false);
    let why = refused[0]["why"].as_str().expect("a reason");
    assert!(
        why.contains(fits[1]["why"].as_str().expect("a reason")),
        "{why}"
    );
    assert!(why.ends_with("workers that can run it: atelier"), "{why}");
    let moved = "/api/v1/jobs?queue=on_atelier";
    let page = until(address, moved, "the moved job", |page| page["total"] == 1).await;
    assert_eq!(page["jobs"][0]["home"], "libx265");
    let body = json!({ "jobs": [jobs[2].id], "home": true, "priority": 9 });
    assert_eq!(change(&monitor, "move", body).await[0]["done"], true);
    let home = "/api/v1/jobs?queue=libx265&sort=priority&descending=true";
    let page = until(address, home, "it is home again", |page| page["total"] == 3).await;
    assert_eq!(page["jobs"][0]["job"]["name"], "c.mkv");
    assert_eq!(page["jobs"][0]["priority"], 9);

    let details = get(address, &format!("/api/v1/jobs/{}", jobs[2].id), "")
        .await
        .json();
    let why = details["why"].as_str().expect("a sentence");
    assert!(why.contains("atelier"), "{why}");
    let events: Vec<String> = details["events"]
        .as_array()
        .expect("events")
        .iter()
        .map(|event| event["what"].to_string())
        .collect();
    assert!(
        events.iter().any(|what| what.contains("on_atelier")),
        "{events:?}"
    );
    for (body, words) in [
        (json!({ "jobs": [] }), "no job is named"),
        (json!({ "jobs": [jobs[0].id] }), "say where to"),
        (
            json!({ "jobs": [jobs[0].id], "home": true, "queue": "copy" }),
            "exclude",
        ),
        (
            json!({ "jobs": [jobs[0].id], "priority": 11 }),
            "out of range",
        ),
    ] {
        let answer = send(address, "POST", "/api/v1/jobs/move", "", &body).await;
        assert_eq!(answer.status, 422, "{}", answer.body);
        assert!(answer.body.contains(words), "{}", answer.body);
    }
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_given_and_taken_back() {
    let monitor = Monitor::start().await;
    let address = &monitor.address;
    monitor.heartbeat("atelier", Vec::new()).await;
    monitor.enqueue("a.mkv", "libx265").await;
    let mut page = monitor.page().await;
    page.until("the queue", |state| state["queues"][0]["paused"] == false)
        .await;

    let queue = "/api/v1/pauses/queue.libx265";
    let paused = send(address, "PUT", queue, "", &json!({})).await;
    assert_eq!(paused.status, 204, "{}", paused.body);
    let took = page
        .until("the pause", |state| state["queues"][0]["paused"] == true)
        .await;
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert_eq!(page.state["queues"][0]["unserved"], "paused");
    assert_eq!(page.state["attention"], json!([]), "a pause is wanted");

    let worker = "/api/v1/pauses/worker.atelier";
    let hours = "/api/v1/hours/atelier";
    let week = json!({ "hours": "mon-fri 19:00-07:00" });
    assert_eq!(send(address, "PUT", hours, "", &week).await.status, 204);
    assert_eq!(
        send(address, "PUT", worker, "", &json!({})).await.status,
        204
    );
    page.until("hours and a drain", |state| {
        let order = &state["controls"][1];
        order["hours"] == "mon-fri 19:00-07:00" && order["paused"] == true
    })
    .await;
    for (path, body, status) in [
        (hours, json!({ "hours": "at night" }), 422),
        ("/api/v1/pauses/farm.all", json!({}), 422),
        ("/api/v1/hours/a.b", week, 404),
    ] {
        let answer = send(address, "PUT", path, "", &body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
    for path in [queue, worker] {
        let answer = send(address, "DELETE", path, "", &json!({})).await;
        assert_eq!(answer.status, 204);
    }
    page.until("the hours alone", |state| {
        state["controls"].as_array().map(Vec::len) == Some(1)
            && state["controls"][0]["paused"] == false
    })
    .await;
    let answer = send(address, "DELETE", hours, "", &json!({})).await;
    assert_eq!(answer.status, 204);
    page.until("no orders", |state| {
        state["controls"] == json!([]) && state["queues"][0]["paused"] == false
    })
    .await;
    drop(page);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brokers_own_figures_and_those_for_prometheus_agree() {
    let monitor = Monitor::start().await;
    let address = &monitor.address;
    for name in ["a.mkv", "b.mkv"] {
        monitor.enqueue(name, "libx265").await;
    }
    let raw = get(address, "/api/v1/jetstream", "").await.json();
    let jobs = raw["streams"]
        .as_array()
        .expect("streams")
        .iter()
        .find(|stream| stream["name"] == "JOBS")
        .expect("the work queue");
    assert_eq!(jobs["messages"], 2);
    assert_eq!(raw["consumers"][0]["name"], "libx265_p5");
    assert_eq!(raw["consumers"][0]["pending"], 2);

    until(address, "/api/v1/jobs", "both jobs", |page| {
        page["total"] == 2
    })
    .await;
    let metrics = get(address, "/metrics", "").await;
    assert!(
        metrics.head.contains("text/plain; version=0.0.4"),
        "{}",
        metrics.head
    );
    for line in [
        "ffmpeg_easy_queue_pending{queue=\"libx265\",priority=\"5\"} 2",
        "ffmpeg_easy_jobs{state=\"pending\"} 2",
        "ffmpeg_easy_retries_total 0",
        "# TYPE ffmpeg_easy_encode_seconds_total counter",
    ] {
        assert!(
            metrics.body.lines().any(|found| found == line),
            "{line}: {}",
            metrics.body
        );
    }
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_were_removed_past_the_farm_do_not_haunt_the_list() {
    let monitor = Monitor::start().await;
    let address = &monitor.address;
    // Nor does what nobody can read hide the rest.
    let rubbish = "jobs.libx265.5.9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab.all";
    let answer = monitor
        .broker
        .jetstream()
        .publish(rubbish, "rubbish".into());
    answer.await.expect("sent").await.expect("stored");
    monitor.enqueue("a.mkv", "libx265").await;
    until(address, "/api/v1/jobs", "the job", |page| {
        page["total"] == 1
    })
    .await;
    let stream = monitor
        .broker
        .jetstream()
        .get_stream("JOBS")
        .await
        .expect("there");
    stream.purge().await.expect("purged");
    until(address, "/api/v1/jobs", "its end", |page| {
        page["total"] == 0
    })
    .await;
    monitor.stop().await;
}

/// Waits until the monitor, which nobody looks at, no longer follows the farm: then the broker answers a message about
/// progress with the word that nobody is subscribed.
async fn rests(monitor: &Monitor) {
    let client = monitor.broker.client();
    let subject = subject::progress(&farm::job("any.mkv", "libx265", 1).id);
    poll::until("the monitor to rest", async || {
        let request = Request::new().timeout(Some(Duration::from_millis(100)));
        let answer = client.send_request(subject.clone(), request).await;
        let error = answer.expect_err("nobody answers progress");
        (error.kind() == RequestErrorKind::NoResponders).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_that_comes_back_sees_what_happened_meanwhile() {
    let monitor = Monitor::lingering(Duration::from_millis(50)).await;
    let address = &monitor.address;
    monitor.enqueue("a.mkv", "libx265").await;
    until(address, "/api/v1/jobs", "the job", |page| {
        page["total"] == 1
    })
    .await;
    rests(&monitor).await;
    monitor.enqueue("b.mkv", "libx265").await;
    let metrics = get(address, "/metrics", "").await.body;
    assert!(
        metrics.contains("ffmpeg_easy_jobs{state=\"pending\"} 2\n"),
        "{metrics}"
    );
    rests(&monitor).await;
    monitor.enqueue("c.mkv", "libx265").await;
    let page = get(address, "/api/v1/jobs", "").await.json();
    assert_eq!(page["total"], 3);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_was_replaced_is_undone_and_only_by_a_worker_that_reaches_it() {
    let monitor = Monitor::start().await;
    let waiting = monitor.enqueue("a.mkv", "libx265").await;
    let job = farm::job("replaced.mkv", "libx265", 1);
    let worker = "atelier".parse().expect("a name");
    let run = Run::first(
        job.clone(),
        &farm::lane(&job, 5),
        1,
        worker,
        Timestamp::now(),
    );
    let mut report = common::testing::report("atelier", "libx265", 1, 1.0);
    farm::write_run(
        &monitor.broker,
        &run.complete(report.clone(), Timestamp::now()),
    )
    .await;
    let undo = json!({ "jobs": [waiting.id, job.id] });
    let answer = change(&monitor, "undo", undo).await;
    assert_eq!(answer[0]["why"], "it is pending");
    assert_eq!(answer[1]["why"], "it has not replaced its source");
    let job = farm::job("replaced2.mkv", "libx265", 1);
    report.replaced = Some(common::job::replacement::Replaced {
        original: job.input.location.clone(),
        until: Timestamp::now(),
    });
    let run = Run {
        job: job.clone(),
        ..run.complete(report, Timestamp::now())
    };
    farm::write_run(&monitor.broker, &run).await;
    let answer = change(&monitor, "undo", json!({ "jobs": [job.id] })).await;
    let why = answer[0]["why"].as_str().expect("a reason");
    assert!(why.contains("no live worker reaches"), "{why}");
    monitor.stop().await;
}
