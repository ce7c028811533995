//! People by name, programs with tokens, and how they are taken out again.

use harness::poll;
use serde_json::json;

use super::{Program, anna, reader, session};
use crate::client::{get, send};

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_good_with_its_name_alone() {
    let program = Program::start(&[]).await;
    let stranger = get(&program.address, "/api/v1/session", "").await.json();
    let expected = json!({ "role": null, "name": null, "locked": true, "asks_names": true });
    assert_eq!(stranger, expected);
    for (name, password) in [
        (None, "steer the farm"),
        (Some("eve"), "steer the farm"),
        (Some("anna"), "look it up"),
    ] {
        let refused = program.log_in(name, password).await;
        assert_eq!(refused.status, 401, "{name:?}: {}", refused.body);
    }
    let anna = program.anna().await;
    let known = get(&program.address, "/api/v1/session", &anna).await.json();
    assert_eq!(
        (&known["role"], &known["name"]),
        (&json!("operator"), &json!("anna"))
    );
    let reader = session(&program.log_in(None, "look it up").await);
    let known = get(&program.address, "/api/v1/session", &reader)
        .await
        .json();
    assert_eq!(
        (&known["role"], &known["name"]),
        (&json!("reader"), &json!(null))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_line_any_more_is_out_without_a_restart() {
    let program = Program::start(&[]).await;
    let made = tokio::process::Command::new(env!("CARGO_BIN_EXE_monitor"))
        .args(["token", "prometheus", "--role", "reader", "--access"])
        .arg(&program.access)
        .output()
        .await
        .expect("it runs");
    assert!(made.status.success(), "{made:?}");
    let token = String::from_utf8(made.stdout).expect("text");
    let file = std::fs::read_to_string(&program.access).expect("a file");
    assert!(!file.contains(token.trim()), "only its hash is kept");
    assert_eq!(file.lines().count(), 3, "{file}");
    let token = format!("Authorization: Bearer {}\r\n", token.trim());
    let status = async |path: &str, header: &str| get(&program.address, path, header).await.status;
    poll::until("the token to be known", async || {
        (status("/metrics", &token).await == 200).then_some(())
    })
    .await;
    let pause = "/api/v1/pauses/queue.libx265";
    let refused = send(&program.address, "PUT", pause, &token, &json!({})).await;
    assert_eq!(refused.status, 403, "{}", refused.body);

    let session = program.anna().await;
    assert_eq!(status("/api/v1/state", &session).await, 200);
    // A file that cannot be used changes nothing.
    std::fs::write(&program.access, "operator rubbish").expect("written");
    program.logged("cannot be used").await;
    assert_eq!(status("/api/v1/state", &session).await, 200);
    // The token is taken back, and anna gets another password: her sessions end.
    std::fs::write(&program.access, [anna("another one"), reader()].join("\n")).expect("written");
    poll::until("the end of the token", async || {
        (status("/metrics", &token).await == 401).then_some(())
    })
    .await;
    assert_eq!(status("/api/v1/state", &session).await, 401);
    assert_eq!(
        program.log_in(Some("anna"), "another one").await.status,
        200
    );
}
