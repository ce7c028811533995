//! A receiver of traces that is gone or hangs costs no job anything.

use std::time::{Duration, Instant};

use harness::farm::Farm;
use harness::paths;
use harness::process::{Signal, run};
use harness::servers::receiver::{Receiver, Reply};

use crate::collector::environment;

/// The programs wait so long for their last spans, and then a busy machine may need some time.
const AT_THE_END: Duration = Duration::from_secs(2);
const BUSY: Duration = Duration::from_secs(8);

/// Encodes a film with these receivers, and returns what the worker has logged.
async fn encode(url: &str) -> String {
    let farm = Farm::start().await;
    let setup = farm.worker("w").encoders("libx264");
    let mut worker = farm.join(setup.environment(environment(url))).await;
    let folder = farm.folder_of("in", &[paths::media("h264.mp4")]);
    let mut command = farm.producer_command();
    command
        .envs(environment(url))
        .args(["enqueue", "-o", "out", "--encoder", "libx264", "--json"])
        .arg(folder);
    let began = Instant::now();
    let ran = run(command).await.succeeded();
    assert!(began.elapsed() < AT_THE_END + BUSY, "{ran:?}");
    let job = ran.json()["jobs"][0]["job"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let (run, _) = farm.completed(&job).await;
    assert_eq!(run.attempt, 1);
    worker.process.signal(Signal::TERM);
    let stopping = Instant::now();
    assert!(worker.process.wait().await.success());
    assert!(stopping.elapsed() < AT_THE_END + BUSY);
    worker.process.log()
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_told_once_and_costs_nothing() {
    // Nothing listens there.
    let log = encode("http://127.0.0.1:9").await;
    let told = log.matches("the receiver of traces takes no spans").count();
    assert_eq!(told, 1, "{log}");
}

#[tokio::test]
async fn a_receiver_that_hangs_costs_nothing() {
    let receiver = Receiver::start().await;
    receiver.reply(std::iter::repeat_n(Reply::Never, 1000));
    encode(&receiver.url()).await;
    assert!(!receiver.received().is_empty(), "it was asked");
}

#[tokio::test]
async fn a_receiver_of_another_protocol_is_told_and_costs_nothing() {
    let farm = Farm::start().await;
    let setup = farm.worker("w").encoders("libx264").environment([
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://127.0.0.1:9".to_owned(),
        ),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned()),
    ]);
    let worker = farm.join(setup).await;
    let log = worker.process.log();
    assert!(
        log.contains("no traces are sent") && log.contains("http/protobuf"),
        "{log}"
    );
}
