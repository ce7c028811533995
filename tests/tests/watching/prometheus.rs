//! The alerts, the dashboard and the example for Prometheus fit what the programs tell.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harness::farm::Farm;
use harness::paths;
use harness::programs::monitor::TestMonitor;
use serde_json::Value;

use crate::metrics::{address, read};

fn folder() -> PathBuf {
    paths::repository().join("deploy/prometheus")
}

fn promtool(folder: &Path, arguments: &[&str]) -> String {
    let ran = Command::new(paths::tool("promtool"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("promtool runs");
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert!(ran.status.success(), "promtool {arguments:?}: {said}");
    said
}

/// Checks metrics as Prometheus reads them, and their names by its conventions.
fn check_metrics(metrics: &str) {
    let mut checking = Command::new(paths::tool("promtool"))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    let mut input = checking.stdin.take().expect("a pipe");
    std::io::Write::write_all(&mut input, metrics.as_bytes()).expect("it reads");
    drop(input);
    let ran = checking.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned();
    assert!(ran.status.success(), "{said}\n{metrics}");
}

/// The names of the metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c: char| !is_part(c));
    words
        .filter(|word| word.starts_with("ffmpeg_easy_"))
        .map(str::to_owned)
        .collect()
}

/// The families that a program tells.
fn families(metrics: &str) -> BTreeSet<String> {
    let types = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    types
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

/// The queries of the dashboard.
fn queries() -> Vec<String> {
    let text = std::fs::read_to_string(folder().join("dashboard.json")).expect("a dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels");
    let targets = panels
        .iter()
        .flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    targets
        .map(|target| target["expr"].as_str().expect("a query").to_owned())
        .collect()
}

#[test]
fn the_alerts_are_raised_by_what_they_are_about_and_by_nothing_else() {
    promtool(&folder(), &["check", "rules", "alerts.yaml"]);
    promtool(&folder(), &["test", "rules", "alerts.test.yaml"]);
    let alerts = std::fs::read_to_string(folder().join("alerts.yaml")).unwrap();
    let tests = std::fs::read_to_string(folder().join("alerts.test.yaml")).unwrap();
    let all: Vec<&str> = alerts
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .collect();
    assert!(all.len() >= 12, "{all:?}");
    for alert in all {
        assert!(
            tests.matches(alert).count() >= 2,
            "{alert} has no test that raises it, or none that does not"
        );
    }
}

#[test]
fn the_example_and_the_queries_of_the_dashboard_can_be_read() {
    let test = paths::test_folder();
    for name in ["prometheus.yaml", "alerts.yaml"] {
        std::fs::copy(folder().join(name), test.path().join(name)).unwrap();
    }
    std::fs::write(test.path().join("monitor-token"), "secret").unwrap();
    promtool(test.path(), &["check", "config", "prometheus.yaml"]);

    let queries = queries();
    assert!(queries.len() >= 10, "{queries:?}");
    let rules: Vec<Value> = queries
        .iter()
        .enumerate()
        .map(|(nth, query)| {
            let query = query.replace("$__rate_interval", "5m");
            serde_json::json!({ "record": format!("query:{nth}"), "expr": query })
        })
        .collect();
    // What is JSON is YAML.
    let rules = serde_json::json!({ "groups": [{ "name": "dashboard", "rules": rules }] });
    std::fs::write(test.path().join("queries.yaml"), rules.to_string()).unwrap();
    promtool(test.path(), &["check", "rules", "queries.yaml"]);
}

#[tokio::test]
async fn every_metric_of_the_alerts_and_the_dashboard_is_told() {
    let farm = Farm::start().await;
    let monitor = TestMonitor::start(&farm).await;
    let setup = farm.worker("w").encoders("libx264");
    let worker = farm.join(setup.option("--metrics", "127.0.0.1:0")).await;
    let job = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&job).await;
    farm.completed(&job.id).await;
    let by_worker = read(&address(&worker).await).await;
    check_metrics(&by_worker);
    let by_monitor = harness::poll::until("all jobs to be in the metrics", async || {
        let metrics = monitor.get("/metrics").await?;
        metrics
            .contains("ffmpeg_easy_jobs{state=\"completed\"} 1")
            .then_some(metrics)
    })
    .await;
    check_metrics(&by_monitor);
    let (of_worker, of_monitor) = (families(&by_worker), families(&by_monitor));
    // Their sums are taken over one program's figures.
    assert!(of_worker.is_disjoint(&of_monitor));
    assert!(
        of_worker
            .iter()
            .all(|name| name.starts_with("ffmpeg_easy_worker_"))
    );
    let told: BTreeSet<&String> = of_worker.union(&of_monitor).collect();
    let alerts = std::fs::read_to_string(folder().join("alerts.yaml")).unwrap();
    let guide = paths::repository().join("docs/guide/OBSERVABILITY.md");
    let guide = std::fs::read_to_string(guide).unwrap();
    for (place, text) in [
        ("alerts.yaml", alerts),
        ("dashboard.json", queries().join("\n")),
        ("the guide", guide.clone()),
    ] {
        for name in names(&text) {
            // The guide names families by their beginnings, too.
            let is_prefix = name.ends_with('_');
            assert!(
                is_prefix || told.contains(&name),
                "{name} of {place} is told by no program"
            );
        }
    }
    for name in told {
        assert!(guide.contains(name.as_str()), "{name} is not in the guide");
    }
}
