//! Connections that are opened and not used, and streams that nobody reads.

use std::time::{Duration, Instant};

use common::job::id::JobId;
use harness::outside;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Program;
use crate::client::get;

#[tokio::test(flavor = "multi_thread")]
async fn half_requests_keep_nobody_out() {
    // A process may often open 1024 files. Here are fewer, so that the test needs fewer itself.
    let program = Program::start_with("ulimit -n 256", &[]).await;
    let mut held = Vec::new();
    for _ in 0..400 {
        let Ok(mut stream) = TcpStream::connect(&program.address).await else {
            continue;
        };
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: localh").await;
        held.push(stream);
    }
    for _ in 0..20 {
        let start = Instant::now();
        let healthy = get(&program.address, "/healthz", "");
        let healthy = tokio::time::timeout(Duration::from_secs(5), healthy).await;
        assert_eq!(healthy.expect("in time").status, 200);
        assert!(
            start.elapsed() < Duration::from_secs(1),
            "{:?}",
            start.elapsed()
        );
    }
    // Those that were kept are closed as well, once they have had their time.
    let mut last = held.pop().expect("some are held");
    let mut answer = Vec::new();
    let end = tokio::time::timeout(Duration::from_secs(30), last.read_to_end(&mut answer)).await;
    assert!(end.is_ok(), "a half request is held for ever");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_nobody_reads_is_not_kept() {
    let program = Program::start(&[]).await;
    let anna = program.anna().await;
    let job: JobId = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
        .parse()
        .expect("an id");
    let mut stream = TcpStream::connect(&program.address)
        .await
        .expect("it listens");
    let ask = format!("GET /api/v1/jobs/{job}/log HTTP/1.1\r\nHost: x\r\n{anna}\r\n");
    let ask = ask.replace("Host: x", "Host: localhost");
    stream.write_all(ask.as_bytes()).await.expect("sent");
    let mut head = [0; 64];
    stream.read_exact(&mut head).await.expect("an answer");
    assert!(
        head.starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&head)
    );

    let memory = || outside::resident_memory(program.daemon.id()).expect("it runs");
    let before = memory();
    let client = async_nats::connect(program.server.url())
        .await
        .expect("our own broker");
    let long = bytes::Bytes::from(vec![b'x'; 900_000]);
    let mut largest = 0;
    for _ in 0..300 {
        client
            .publish(format!("logs.{job}"), long.clone())
            .await
            .expect("sent");
        client.flush().await.expect("sent");
        largest = largest.max(memory());
    }
    // More than the connection itself takes in.
    let short = long.slice(..4000);
    for _ in 0..10_000 {
        client
            .publish(format!("logs.{job}"), short.clone())
            .await
            .expect("sent");
    }
    client
        .publish(format!("logs.{job}"), "the last line".into())
        .await
        .expect("sent");
    client.flush().await.expect("sent");
    largest = largest.max(memory());
    let added = largest.saturating_sub(before);
    assert!(added < 120 << 20, "{added} bytes more than {before}");
    // Whoever reads after all gets the newest lines, is told of the others, and no line is very long.
    let mut text = String::new();
    while !text.contains("the last line") {
        let mut some = vec![0; 1 << 16];
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut some)).await;
        let read = read.expect("in time").expect("an answer");
        assert!(read > 0, "the stream ends: {text}");
        text += &String::from_utf8_lossy(&some[..read]);
    }
    let longest = text.lines().map(str::len).max();
    assert!(longest < Some(5000), "{longest:?}");
    assert!(text.contains("lines left out"), "{}", text.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_has_a_bounded_number_of_streams() {
    let program = Program::start(&[]).await;
    let anna = program.anna().await;
    let mut streams = Vec::new();
    let mut statuses = Vec::new();
    for _ in 0..100 {
        let mut stream = TcpStream::connect(&program.address)
            .await
            .expect("it listens");
        let ask = format!("GET /api/v1/live HTTP/1.1\r\nHost: localhost\r\n{anna}\r\n");
        stream.write_all(ask.as_bytes()).await.expect("sent");
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.expect("an answer");
        statuses.push(String::from_utf8_lossy(&head[9..]).into_owned());
        streams.push(stream);
    }
    assert_eq!(statuses[..64], ["200"; 64]);
    assert_eq!(statuses[64..], ["429"; 36]);
    let other = program.anna().await;
    assert_eq!(
        get(&program.address, "/api/v1/state", &other).await.status,
        200
    );
}
