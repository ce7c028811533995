//! The page with the farm's history.

use jiff::{SignedDuration, Timestamp};

use super::{choose, open};
use crate::client::get;
use crate::{Monitor, farm};

/// The jobs of two workers during the last day. One of the workers did nothing in the last hour.
async fn a_day() -> Monitor {
    let monitor = Monitor::start().await;
    let now = Timestamp::now();
    for (worker, by, minutes, seconds) in [
        ("atelier", "libx265", 600, 20.0),
        ("atelier", "libx265", 300, 10.0),
        ("atelier", "libx265", 5, 8.0),
        ("mini-pc", "libx264", 400, 40.0),
    ] {
        let mut report = farm::report(worker, by);
        report.encode_seconds = seconds;
        report.total_seconds = seconds;
        let ended = now - SignedDuration::from_mins(minutes);
        let run = farm::begun(&format!("{worker}-{minutes}.mkv"), by, worker);
        farm::write_run(&monitor.broker, &run.complete(report, ended)).await;
    }
    monitor
}

#[tokio::test(flavor = "multi_thread")]
async fn each_worker_and_encoder_has_a_line_and_the_same_as_a_table() {
    let monitor = a_day().await;
    let (mut browser, _folder) = open(&monitor, "history").await;
    browser.shows("By worker and encoder over time").await;
    browser.shows("mini-pc · libx264").await;
    let lines = "document.querySelectorAll('.lines .frame .trace').length";
    browser
        .until("two lines in two charts", &format!("{lines} === 4"))
        .await;
    // The lines differ without colours, too.
    let dashes = browser
        .evaluate(
            "JSON.stringify([...document.querySelectorAll('.lines:first-child .frame .trace')]
               .map((line) => getComputedStyle(line).strokeDasharray))",
        )
        .await;
    let dashes: Vec<String> = serde_json::from_str(&dashes).expect("a list");
    assert_eq!(dashes[0], "none");
    assert_ne!(dashes[0], dashes[1]);

    // The same data as a table, which a person can open.
    browser.click(".lines:nth-child(2) summary").await;
    let table = "[...document.querySelectorAll('.lines:nth-child(2) tr')]
       .map((row) => [...row.cells].slice(1).map((cell) => cell.textContent).join(' | ')).join('; ')";
    let words = "'mini-pc · libx264 | atelier · libx265; – | 20 s; 40 s | –; – | 10 s; – | 8 s'";
    browser
        .until("the table", &format!("{table} === {words}"))
        .await;
    browser.picture("history-lines").await;

    // The table stays open when the page loads the data of another time.
    choose(&mut browser, "[data-page=history] .filters select", "1").await;
    browser
        .until("one line in two charts", &format!("{lines} === 2"))
        .await;
    let words = "'atelier · libx265; 8 s'";
    browser
        .until("the table", &format!("{table} === {words}"))
        .await;
    drop(browser);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn curves_and_the_export_agree() {
    let monitor = a_day().await;
    let address = &monitor.address;
    let day = harness::poll::until("all jobs of the day", async || {
        let day = get(address, "/api/v1/history?hours=24", "").await.json();
        let rows = day["by_worker"].as_array()?;
        let completed = |row: &serde_json::Value| row["sum"]["completed"].as_u64();
        (rows.iter().filter_map(completed).sum::<u64>() == 4).then_some(day)
    })
    .await;
    let csv = get(address, "/api/v1/history.csv?hours=4294967295", "").await;
    assert_eq!(csv.status, 200, "longer than time is all there is");
    let csv = get(address, "/api/v1/history.csv?hours=24", "").await;
    assert_eq!(csv.body.lines().count(), 5, "{}", csv.body);
    let mut seconds = 0.0;
    for pair in day["pairs"].as_array().expect("pairs") {
        let worker = pair["worker"].as_str().expect("a name");
        let points = pair["seconds"].as_array().expect("points");
        assert_eq!(points.len(), day["curve"].as_array().expect("points").len());
        let known: Vec<f64> = points
            .iter()
            .filter_map(serde_json::Value::as_f64)
            .collect();
        let lines = csv.body.lines().filter(|line| line.contains(worker));
        assert_eq!(known.len(), lines.count(), "{worker}");
        seconds += known.iter().sum::<f64>();
    }
    assert!((seconds - 78.0).abs() < 1e-3, "{seconds}");
    monitor.stop().await;
}
