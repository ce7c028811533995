//! 500 strangers at once: they guess passwords, send half of a request, and do not read what they asked for.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use harness::{outside, poll};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use super::Program;
use crate::client::{get, send};

const STRANGERS: u32 = 500;
/// What an operator waits for a part of the page at most, of an unoptimized monitor on a machine that is busy with the
/// strangers and with other tests. Without a budget for strangers there is no answer for as long as they stay.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most that strangers may add to the memory of the monitor, in bytes.
const ADDED: u64 = 32 << 20;

/// Connects from an address of the stranger's own: all of 127.0.0.0/8 is this machine.
async fn connect(stranger: u32, to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    let [_, _, high, low] = stranger.to_be_bytes();
    socket.bind((Ipv4Addr::new(127, 9, high, low), 0).into())?;
    socket.connect(to).await
}

/// Guesses for ever, a few times a second: together far more often than passwords are checked.
async fn guess(stranger: u32, to: SocketAddr) -> std::io::Result<()> {
    for number in 0.. {
        let mut stream = connect(stranger, to).await?;
        let body = format!("{{\"name\":\"anna\",\"password\":\"guess {number}\"}}");
        let length = body.len();
        let request = match number % 2 {
            0 => format!(
                "POST /api/v1/session HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
            ),
            _ => format!(
                "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
                 Authorization: Bearer guess {number}\r\n\r\n"
            ),
        };
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

/// Sends half of a request with a large head, and holds it.
async fn send_half(stranger: u32, to: SocketAddr) -> std::io::Result<()> {
    let mut stream = connect(stranger, to).await?;
    let padding = "x".repeat(8000);
    let half = format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-Padding: {padding}");
    stream.write_all(half.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(())
}

/// Asks for a large file many times, and reads nothing.
async fn read_nothing(stranger: u32, to: SocketAddr) -> std::io::Result<()> {
    let mut stream = connect(stranger, to).await?;
    let request = "GET /api/v1/openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(100);
    stream.write_all(request.as_bytes()).await?;
    std::future::pending().await
}

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

    let mut strangers = JoinSet::new();
    for stranger in 0..STRANGERS {
        strangers.spawn(async move {
            // Whoever is thrown out comes back.
            loop {
                let _ = match stranger % 3 {
                    0 => guess(stranger, to).await,
                    1 => send_half(stranger, to).await,
                    _ => read_nothing(stranger, to).await,
                };
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
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
    strangers.abort_all();

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
