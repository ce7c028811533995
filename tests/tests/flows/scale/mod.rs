//! The farm grows and shrinks: how many workers it needs, workers that end by themselves, and what starts and stops them.

mod autoscale;
mod kubernetes;
mod lifetime;
mod number;

use harness::programs::monitor::TestMonitor;
use serde_json::Value;

/// How soon the monitor's numbers must follow the farm.
const FRESH: std::time::Duration = std::time::Duration::from_secs(5);

/// The numbers of a class: startable jobs, running jobs, live workers, wanted workers. Zeros while there is no answer.
async fn numbers(monitor: &TestMonitor, query: &str) -> [u64; 4] {
    let answer = monitor.get(&format!("/api/v1/scale?{query}")).await;
    let answer: Value = serde_json::from_str(&answer.unwrap_or_default()).unwrap_or_default();
    ["startable", "running", "workers", "wanted"].map(|name| answer[name].as_u64().unwrap_or(0))
}

/// Waits until a class has these numbers.
async fn has_numbers(monitor: &TestMonitor, query: &str, wanted: [u64; 4]) {
    within(FRESH, monitor, query, wanted).await;
}

async fn within(
    patience: std::time::Duration,
    monitor: &TestMonitor,
    query: &str,
    wanted: [u64; 4],
) {
    let mut last = [0; 4];
    let wait = async {
        loop {
            last = numbers(monitor, query).await;
            if last == wanted {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    let is_there = tokio::time::timeout(patience, wait).await.is_ok();
    assert!(
        is_there,
        "{query}: startable, running, workers, wanted are {last:?}, not {wanted:?}"
    );
}
