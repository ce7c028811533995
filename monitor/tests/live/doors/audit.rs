//! The record of changes: who changed what, and what came of it.

use serde_json::{Value, json};

use super::{Program, session};
use crate::client::{get, send};
use crate::pages;

/// The lines of a file of changes.
fn lines(file: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(file).expect("a file");
    let line = |line| serde_json::from_str(line).expect("JSON");
    text.lines().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_written_down_with_who_made_it_and_without_secrets() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("changes.jsonl");
    let program = Program::start(&["--audit", file.to_str().expect("plain")]).await;
    let address = &program.address;
    let anna = program.anna().await;
    let reader = session(&program.log_in(None, "look it up").await);

    let pause = "/api/v1/pauses/queue.libx265";
    assert_eq!(
        send(address, "PUT", pause, &anna, &json!({})).await.status,
        204
    );
    let unknown = json!({ "jobs": ["9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"] });
    let cancelled = send(address, "POST", "/api/v1/jobs/cancel", &anna, &unknown).await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.body);
    let hook = json!({ "url": "https://127.0.0.1:9/hidden-t0ken", "secret": "s3cret-of-the-hook" });
    let saved = send(address, "PUT", "/api/v1/hooks/ours", &anna, &hook).await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    let wrong = send(address, "PUT", "/api/v1/pauses/nonsense", &anna, &json!({})).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    // These change nothing.
    assert_eq!(
        send(address, "PUT", pause, &reader, &json!({}))
            .await
            .status,
        403
    );
    assert_eq!(
        send(address, "PUT", pause, "", &json!({})).await.status,
        401
    );
    assert_eq!(get(address, "/api/v1/state", &anna).await.status, 200);

    let written = lines(&file);
    let seen: Vec<(&str, &str, u64)> = written
        .iter()
        .map(|change| {
            assert_eq!(change["from"], "127.0.0.1", "{change}");
            let text = |name: &str| change[name].as_str().unwrap_or_default();
            (
                text("who"),
                text("path"),
                change["status"].as_u64().expect("a status"),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            ("anna", "/session", 200),
            ("", "/session", 200),
            ("anna", "/pauses/queue.libx265", 204),
            ("anna", "/jobs/cancel", 200),
            ("anna", "/hooks/ours", 200),
            ("anna", "/pauses/nonsense", 422),
        ]
    );
    assert_eq!(written[3]["asked"], unknown);
    assert_eq!(written[3]["result"], "0 of 1 done");
    assert!(
        written[5]["result"]
            .as_str()
            .expect("words")
            .contains("nonsense")
    );
    let text = std::fs::read_to_string(&file).expect("a file");
    assert!(
        !text.contains("t0ken") && !text.contains("s3cret"),
        "{text}"
    );

    // The page has the same, newest first, for operators.
    let shown = get(address, "/api/v1/activity", &anna).await.json();
    let reversed: Vec<Value> = written.into_iter().rev().collect();
    assert_eq!(shown, json!(reversed));
    assert_eq!(get(address, "/api/v1/activity", &reader).await.status, 403);

    // A file that is moved away is begun anew.
    std::fs::rename(&file, folder.path().join("old.jsonl")).expect("moved");
    assert_eq!(
        send(address, "DELETE", pause, &anna, &json!({}))
            .await
            .status,
        204
    );
    assert_eq!(lines(&file).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_file_changes_are_in_the_log_and_the_page_shows_them() {
    let program = Program::start(&[]).await;
    let anna = program.anna().await;
    let pause = "/api/v1/pauses/queue.libx265";
    send(&program.address, "PUT", pause, &anna, &json!({})).await;
    let line = program.logged("changed: PUT /pauses/queue.libx265").await;
    for part in [
        "who=\"anna\"",
        "role=operator",
        "from=\"127.0.0.1\"",
        "status=204",
    ] {
        assert!(line.contains(part), "{line}");
    }

    let (mut browser, _folder) = pages::open_at(&program.address, "settings").await;
    browser.shows("This monitor asks for a password").await;
    browser.types("anna").await;
    browser.press("Tab").await;
    browser.types("steer the farm").await;
    browser.press("Enter").await;
    browser.shows("PUT /pauses/queue.libx265").await;
    browser.click("#logout").await;
    browser.shows("This monitor asks for a password").await;
    // The shared password of readers has no name.
    browser.press("Tab").await;
    browser.types("look it up").await;
    browser.press("Enter").await;
    browser.shows("History is the events of jobs").await;
    let text = browser.text().await;
    assert!(!text.contains("PUT /pauses"), "{text}");
}
