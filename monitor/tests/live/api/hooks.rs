//! Hooks over HTTP.

use harness::servers::receiver::{Receiver, Reply};
use serde_json::{Value, json};

use crate::Monitor;
use crate::client::{Answer, get, send};

async fn change(monitor: &Monitor, method: &str, path: &str, body: Value) -> Answer {
    let path = format!("/api/v1/hooks/{path}");
    send(&monitor.address, method, &path, "", &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_saved_once_tried_and_never_shown_with_its_secrets() {
    let monitor = Monitor::start().await;
    let receiver = Receiver::start().await;
    let hook = json!({
        "url": format!("{}/TOKEN", receiver.url()),
        "on": ["job-failed"],
        "secret": "SECRET-SECRET-SECRET",
        "only": "films",
    });
    let saved = change(&monitor, "PUT", "ours", hook.clone()).await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    let twice = change(&monitor, "PUT", "ours", hook.clone()).await;
    assert_eq!(twice.status, 409, "{}", twice.body);
    receiver.reply([Reply::Status(401, "who are you?".to_owned())]);
    let refused = change(&monitor, "POST", "ours/test", json!(null)).await;
    assert_eq!(refused.json()["taken"], false);
    let words = refused.json()["words"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        words.ends_with("answered 401 Unauthorized: who are you?"),
        "{words}"
    );
    let taken = change(&monitor, "POST", "ours/test", json!(null)).await;
    assert_eq!(taken.json()["taken"], true, "{}", taken.body);
    assert_eq!(receiver.received().len(), 2);

    let all = get(&monitor.address, "/api/v1/hooks", "").await;
    let one = &all.json()["hooks"][0];
    assert_eq!(one["target"], format!("{}/…", receiver.url()));
    assert_eq!(one["on"], json!(["job-failed"]));
    assert_eq!(
        (&one["signed"], &one["failing"]),
        (&json!(true), &json!(false))
    );
    for answer in [&saved, &twice, &refused, &taken, &all] {
        assert!(!answer.body.contains("TOKEN"), "{}", answer.body);
        assert!(!answer.body.contains("SECRET"), "{}", answer.body);
    }
    let stale = one["revision"].as_u64().expect("a number") + 7;
    let stale = change(
        &monitor,
        "DELETE",
        &format!("ours?revision={stale}"),
        json!({}),
    )
    .await;
    assert_eq!(stale.status, 409, "{}", stale.body);
    let gone = change(&monitor, "DELETE", "ours", json!({})).await;
    assert_eq!(gone.status, 204, "{}", gone.body);
    let missing = change(&monitor, "POST", "ours/test", json!(null)).await;
    assert_eq!(missing.status, 422, "{}", missing.body);
    monitor.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_that_could_not_work_are_refused_with_a_reason() {
    let monitor = Monitor::start().await;
    for (body, words) in [
        (json!({ "url": "htps://SECRET" }), "did you mean https?"),
        (
            json!({ "url": "https://h", "on": ["job-fialed"] }),
            "did you mean job-failed?",
        ),
        (
            json!({ "url": "https://h", "on": [] }),
            "at least one event",
        ),
        (
            json!({ "url": "https://h", "template": "sonar" }),
            "did you mean sonarr?",
        ),
        (
            json!({ "url": "https://h", "own_template": "body = '{titel}'" }),
            "did you mean title?",
        ),
        (
            json!({ "url": "https://h", "secret": "SECRET" }),
            "shorter than 16",
        ),
    ] {
        let refused = change(&monitor, "PUT", "ours", body.clone()).await;
        assert_eq!(refused.status, 422, "{body}: {}", refused.body);
        assert!(refused.body.contains(words), "{body}: {}", refused.body);
        assert!(!refused.body.contains("SECRET"), "{}", refused.body);
    }
    monitor.stop().await;
}
