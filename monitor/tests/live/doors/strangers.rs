//! 500 strangers at once: they guess passwords, send half of a request, and do not read what they asked for.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use harness::faults::strangers;
use harness::{outside, poll};
use serde_json::json;

use super::Program;
use crate::client::{get, send};

const STRANGERS: u32 = 500;
/// What an operator waits for a part of the page at most, of an unoptimized monitor on a machine that is busy with the
/// strangers and with other tests. Without a budget for strangers there is no answer for as long as they stay.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most that strangers may add to the memory of the monitor, in bytes.
const ADDED: u64 = 32 << 20;

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_strangers_cost_little_memory_and_keep_nobody_waiting() {
    let program = Program::start(&[]).await;
    let to: SocketAddr = program.address.parse().expect("an address");
    let session = program.anna().await;
    // The operator's page is open when they come.
    poll::until("the live state", async || {
        let answer = get(&program.address, "/api/v1/state", &session).await;
        (answer.status == 200).then_some(())
    })
    .await;
    let memory = || outside::resident_memory(program.daemon.id()).expect("it runs");
    let before = memory();

    let strangers = strangers::come(STRANGERS, to);
    let mut slowest = Duration::ZERO;
    let mut largest = 0;
    let end = Instant::now() + Duration::from_secs(20);
    while Instant::now() < end {
        for path in [
            "/",
            "/assets/app.js",
            "/api/v1/state",
            "/healthz",
            "/metrics",
        ] {
            let start = Instant::now();
            let answer = get(&program.address, path, &session).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
            slowest = slowest.max(start.elapsed());
        }
        largest = largest.max(memory());
    }
    // Somebody who comes now gets in as well, from an address of their own.
    let right = json!({ "name": "anna", "password": "steer the farm" });
    poll::until_within(Duration::from_secs(30), "a login", async || {
        let answer = send(&program.address, "POST", "/api/v1/session", "", &right).await;
        (answer.status == 200).then_some(())
    })
    .await;
    drop(strangers);

    let added = largest.saturating_sub(before);
    eprintln!("before {before} B, largest {largest} B, slowest {slowest:?}");
    assert!(added < ADDED, "{added} bytes more than {before}");
    assert!(slowest < PATIENCE, "{slowest:?}");
    let log = program.daemon.log();
    let failed = log.lines().filter(|line| line.contains("a wrong password"));
    assert!((1..=200).contains(&failed.count()), "{}", log.len());
    assert!(log.contains("from=127.9."), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_guesses_has_to_wait_and_others_do_not() {
    let program = Program::start(&[]).await;
    let right = "Authorization: Bearer look it up\r\n";
    assert_eq!(
        get(&program.address, "/api/v1/state", right).await.status,
        200
    );
    let mut statuses = Vec::new();
    for number in 0..6 {
        let wrong = program
            .log_in(Some("anna"), &format!("guess {number}"))
            .await;
        if wrong.status == 429 {
            assert!(wrong.head.contains("retry-after: "), "{}", wrong.head);
            assert!(wrong.body.contains("try yours again in"), "{}", wrong.body);
        }
        statuses.push(wrong.status);
    }
    assert_eq!(statuses[..4], [401; 4], "{statuses:?}");
    assert!(statuses.contains(&429), "{statuses:?}");
    // A password that was right before is right even now; a new one has to wait.
    assert_eq!(
        get(&program.address, "/api/v1/state", right).await.status,
        200
    );
    let patience = poll::until("a login", async || {
        let answer = program.log_in(Some("anna"), "steer the farm").await;
        (answer.status == 200).then_some(())
    });
    patience.await;
    program.logged("a wrong password from=127.0.0.1").await;
}
