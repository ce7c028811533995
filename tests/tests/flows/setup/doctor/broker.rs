//! Brokers that are too old, that lack a right, or whose certificate ends.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use harness::process::{Signal, run};
use harness::{outside, poll, programs};

use super::{Patient, finds, says};
use crate::setup::made::MadeFarm;

/// This machine is to run no jobs.
const NO_WORKER: [&str; 2] = ["--worker-program", "/nowhere"];
const DAY: i64 = 24 * 3600;

#[tokio::test]
async fn a_right_that_is_missing_is_named_and_setup_gives_it_back() {
    let farm = MadeFarm::nothing();
    farm.setup(&[]).await.succeeded();
    let add = ["setup", "add", "producer", "desk", "--json"];
    let added = MadeFarm::producer(&farm.home(), &add)
        .await
        .succeeded()
        .json();
    let line = added["line"].as_str().unwrap();
    let token = line.strip_prefix("producer join ").unwrap();
    let desk = farm.other_home("desk");
    MadeFarm::producer(&desk, &["join", token])
        .await
        .succeeded();
    let doctor = || {
        let mut command = programs::command("producer", &desk);
        command.args(["doctor", "--json"]).args(NO_WORKER);
        command
    };
    says(doctor(), "rights", "fine", "all rights of a producer").await;

    let file = farm.of_broker("users.conf");
    let sound = std::fs::read_to_string(&file).unwrap();
    let (before, of_desk) = sound.split_once("# desk ").unwrap();
    for (right, phrase) in [
        ("          \"later.*.*\"\n", "publish to \"later.*.*\""),
        ("          \"logs.*\"\n", "subscribe to \"logs.*\""),
    ] {
        let lacking = of_desk.replacen(right, "", 1);
        assert_ne!(lacking, of_desk);
        std::fs::write(&file, format!("{before}# desk {lacking}")).unwrap();
        reload(&farm).await;
        let what = "a right that is missing";
        finds(doctor(), what, "rights", phrase, "run `producer setup`").await;
    }
    farm.setup(&[]).await.succeeded();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), sound);
    poll::until("the broker to know the rights again", async || {
        let ran = run(doctor()).await;
        (ran.code == Some(0)).then_some(())
    })
    .await;

    let add = ["setup", "add", "reader", "grafana", "--json"];
    let added = MadeFarm::producer(&farm.home(), &add)
        .await
        .succeeded()
        .json();
    let token = added["line"]
        .as_str()
        .unwrap()
        .strip_prefix("producer join ");
    let grafana = farm.other_home("grafana");
    let join = ["join", token.unwrap()];
    MadeFarm::producer(&grafana, &join).await.succeeded();
    let mut command = programs::command("producer", &grafana);
    command.args(["doctor", "--json"]).args(NO_WORKER);
    says(command, "rights", "fine", "all rights of a reader").await;
}

/// Has the broker read its users again.
async fn reload(farm: &MadeFarm) {
    let log = farm.of_broker("nats-server.log");
    let reloads = || {
        let text = std::fs::read_to_string(&log).unwrap();
        text.matches("Reloaded server configuration").count()
    };
    let before = reloads();
    let servers = outside::processes_of(&farm.home());
    let server = servers
        .iter()
        .find(|one| one.command.contains("nats-server"));
    server.unwrap().signal(Signal::HUP);
    poll::until("the broker to read its users", async || {
        (reloads() > before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_certificate_that_ends_is_told_before_and_after() {
    let patient = Patient::new().await;
    let year = jiff::Timestamp::now()
        .to_zoned(jiff::tz::TimeZone::UTC)
        .year();
    let end = jiff::civil::date(year + 10, 1, 1)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .unwrap();
    let left = end.timestamp().as_second() - jiff::Timestamp::now().as_second();
    let on = |days: i64| {
        let mut command = patient.command();
        command.args(NO_WORKER);
        command.envs(programs::clock_off(left - days * DAY - DAY / 2));
        command
    };
    says(patient.command(), "certificate", "fine", "30 days and more").await;
    says(on(20), "certificate", "doubtful", "ends in 20 days").await;
    finds(
        on(3),
        "a certificate that ends soon",
        "certificate",
        "ends in 3 days",
        "setup --host",
    )
    .await;
    finds(
        on(-1),
        "a certificate that has ended",
        "broker",
        "expired",
        "setup --host",
    )
    .await;
    let mut command = patient.command();
    command.args(NO_WORKER);
    command.envs(programs::clock_off(-52 * 365 * DAY));
    finds(
        command,
        "a certificate of the future",
        "broker",
        "not valid yet",
        "NTP",
    )
    .await;
}

#[tokio::test]
async fn a_broker_that_is_too_old_is_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let hello = r#"INFO {"server_id":"old","version":"2.9.25","headers":true,"max_payload":1048576,"jetstream":true,"port":4222,"host":"127.0.0.1","proto":1}"#;
                let mut out = stream.try_clone().unwrap();
                write!(out, "{hello}\r\n").ok();
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    if line.starts_with("PING") {
                        out.write_all(b"PONG\r\n").ok();
                    }
                }
            });
        }
    });
    let farm = MadeFarm::nothing();
    let mut command = programs::command("producer", &farm.home());
    command
        .args(["doctor", "--json"])
        .args(NO_WORKER)
        .env("NATS_URL", format!("nats://{address}"));
    finds(
        command,
        "an old broker",
        "broker",
        "2.9.25",
        "2.12 or later",
    )
    .await;
}
