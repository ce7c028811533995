//! The farm's settings over HTTP.

use serde_json::{Value, json};

use crate::Monitor;
use crate::client::{Answer, get, send};

/// Sends a change of the settings.
async fn change(monitor: &Monitor, method: &str, path: &str, body: Value) -> Answer {
    send(
        &monitor.address,
        method,
        &format!("/api/v1/{path}"),
        "",
        &body,
    )
    .await
}

async fn settings(monitor: &Monitor) -> Value {
    get(&monitor.address, "/api/v1/settings", "").await.json()
}

fn recipe(crf: u32) -> Value {
    let encode = json!({ "with": { "encoder": "libx265" }, "rate": { "crf": crf } });
    json!({ "video": { "encode": encode } })
}

#[tokio::test(flavor = "multi_thread")]
async fn two_editors_of_a_preset_do_not_overwrite_each_other() {
    let monitor = Monitor::start().await;
    let path = "presets/ours";
    let body = |crf, revision: &Value| json!({ "recipe": recipe(crf), "revision": revision });
    let made = change(&monitor, "PUT", path, body(20, &Value::Null)).await;
    assert_eq!(made.status, 200, "{}", made.body);
    let first = made.json()["revision"].clone();
    let taken = change(&monitor, "PUT", path, body(21, &Value::Null)).await;
    assert_eq!(taken.status, 409, "{}", taken.body);
    let one = change(&monitor, "PUT", path, body(22, &first)).await;
    assert_eq!(one.status, 200, "{}", one.body);
    let other = change(&monitor, "PUT", path, body(23, &first)).await;
    assert_eq!(other.status, 409, "{}", other.body);
    let late = format!("{path}?revision={first}");
    let late = change(&monitor, "DELETE", &late, json!({})).await;
    assert_eq!(late.status, 409, "{}", late.body);
    let all = settings(&monitor).await["presets"].clone();
    let ours = |preset: &&Value| preset["name"] == "ours";
    let found = all.as_array().expect("a list").iter().find(ours);
    let found = found.expect("the preset is listed");
    assert_eq!(found["words"], "libx265, CRF 22, mkv");
    assert_eq!(found["revision"], one.json()["revision"]);

    let default = json!({ "preset": "ours" });
    let set = change(&monitor, "PUT", "settings/default", default).await;
    assert_eq!(set.status, 204, "{}", set.body);
    assert_eq!(settings(&monitor).await["default"], "ours");
    let held = change(&monitor, "DELETE", path, json!({})).await;
    assert_eq!(held.status, 422, "{}", held.body);
    change(&monitor, "DELETE", "settings/default", json!({})).await;
    let gone = change(&monitor, "DELETE", path, json!({})).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    assert_eq!(settings(&monitor).await["default"], Value::Null);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_cannot_be_stored_are_refused_with_a_reason() {
    let monitor = Monitor::start().await;
    let mut hostile = recipe(20);
    hostile["video"]["encode"]["filters"] = json!("movie=/etc/passwd");
    let mut impossible = recipe(20);
    impossible["container"] = json!("webm");
    let mut deep = recipe(20);
    deep["video"]["encode"]["with"] = json!({ "encoder": "h264_nvenc" });
    deep["video"]["encode"]["bit_depth"] = json!(10);
    let ladder = json!({ "renditions": ["720p", "720p"], "name": "{stem}" });
    for (path, body, words) in [
        (
            "presets/ours",
            json!({ "recipe": hostile }),
            "recipe.video.encode.filters: filter 'movie' is not allowed",
        ),
        (
            "presets/ours",
            json!({ "recipe": impossible }),
            "webm cannot hold hevc",
        ),
        (
            "presets/ours",
            json!({ "recipe": recipe(20), "note": "two\nlines" }),
            "one line",
        ),
        ("presets/ours", json!({ "recipe": deep }), "--bit-depth 8"),
        (
            "presets/ours",
            json!({ "recipe": recipe(20), "outputs": ladder }),
            "would both be named",
        ),
        ("settings/history", json!({ "days": 0 }), "1 to 3650"),
        (
            "settings/default",
            json!({ "preset": "ours" }),
            "there is no preset 'ours'",
        ),
    ] {
        let refused = change(&monitor, "PUT", path, body).await;
        assert_eq!(refused.status, 422, "{path}: {}", refused.body);
        let error = refused.json()["error"]
            .as_str()
            .expect("a reason")
            .to_owned();
        assert!(error.contains(words), "{path}: {error}");
        assert!(!error.contains("at line"), "{error}");
    }
    let body = json!({ "recipe": recipe(20) });
    let nameless = change(&monitor, "PUT", "presets/a.b", body).await;
    assert!(nameless.body.contains("no valid name"), "{}", nameless.body);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_kept_for_the_requested_days() {
    let monitor = Monitor::start().await;
    let days = 24 * 3600;
    let fresh = json!({ "days": null, "events": 90 * days, "batches": 90 * days });
    assert_eq!(settings(&monitor).await["history"], fresh);
    let set = change(&monitor, "PUT", "settings/history", json!({ "days": 7 })).await;
    assert_eq!(set.status, 204, "{}", set.body);
    let week = json!({ "days": 7, "events": 7 * days, "batches": 7 * days });
    assert_eq!(settings(&monitor).await["history"], week);
    monitor.stop().await;
}
