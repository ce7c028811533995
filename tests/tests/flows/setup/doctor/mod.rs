//! `producer doctor`: what is broken on purpose is found, and its cure named.

mod broker;
mod joined;
mod machine;
mod store;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use harness::process::{Ran, run};
use harness::servers::store::TestStore;
use harness::{paths, programs};
use serde_json::Value;

use crate::setup::made::MadeFarm;

/// A made farm, and the doctor's opinion of it.
struct Patient {
    farm: MadeFarm,
    store: TestStore,
}

impl Patient {
    async fn new() -> Self {
        let farm = MadeFarm::nothing();
        let store = TestStore::start(farm.folder()).await;
        let mut command = farm.setup_command(&["--store", "s3://media"]);
        command.envs(store.environment());
        run(command).await.succeeded();
        Self { farm, store }
    }

    fn command(&self) -> Command {
        let mut command = programs::command("producer", &self.farm.home());
        command.env("XDG_CACHE_HOME", paths::shared_cache()).args([
            "doctor",
            "--json",
            "--http-port",
            self.farm.http_port(),
        ]);
        command
    }

    fn file(&self) -> std::path::PathBuf {
        MadeFarm::file(&self.farm.home())
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.file()).unwrap()
    }

    fn write(&self, text: &str) {
        std::fs::write(self.file(), text).unwrap();
    }

    /// The doctor finds this trouble, with these words in what was found and in the cure.
    async fn has(&self, what: &str, check: &str, found: &str, cure: &str) {
        finds(self.command(), what, check, found, cure).await;
    }

    /// Restarts the broker with another configuration.
    async fn with_configuration(&self, change: impl Fn(&str) -> String) {
        MadeFarm::producer(&self.farm.home(), &["setup", "stop"])
            .await
            .succeeded();
        let file = self.farm.of_broker("nats-server.conf");
        let text = std::fs::read_to_string(&file).unwrap();
        let changed = change(&text);
        assert_ne!(changed, text);
        std::fs::write(&file, changed).unwrap();
        let ran = self.farm.setup(&[]).await;
        assert!(matches!(ran.code, Some(0 | 3)), "{ran:?}");
        std::fs::write(&file, text).unwrap();
    }
}

fn findings(ran: &Ran) -> Vec<Value> {
    ran.json().as_array().cloned().unwrap_or_default()
}

async fn finds(command: Command, what: &str, check: &str, found: &str, cure: &str) {
    judged(&run(command).await, what, check, found, cure);
}

/// The doctor's answer names this trouble, with these words in what was found and in the cure.
fn judged(ran: &Ran, what: &str, check: &str, found: &str, cure: &str) {
    assert_eq!(ran.code, Some(1), "{what}: {ran:?}");
    let is_it = |finding: &Value| {
        let says = |key: &str, words: &str| {
            finding[key]
                .as_str()
                .is_some_and(|text| text.contains(words))
        };
        finding["state"] == "wrong"
            && finding["check"] == check
            && says("found", found)
            && says("cure", cure)
    };
    assert!(
        findings(ran).iter().any(is_it),
        "{what}: {:#?}",
        findings(ran)
    );
}

/// What the doctor says of one thing that is not wrong.
async fn says(command: Command, check: &str, state: &str, words: &str) {
    let ran = run(command).await;
    let is_it = |finding: &Value| {
        let found = finding["found"].as_str().unwrap_or_default();
        finding["check"] == check && finding["state"] == state && found.contains(words)
    };
    assert!(
        findings(&ran).iter().any(is_it),
        "{check}, {state}, {words}: {:#?}",
        findings(&ran)
    );
}

fn open(file: &Path, mode: u32) {
    std::fs::set_permissions(file, PermissionsExt::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_sound_farm_passes_and_each_broken_one_is_told_its_cure() {
    let mut patient = Patient::new().await;
    let ran = run(patient.command()).await.succeeded();
    let fine: Vec<Value> = findings(&ran);
    for check in [
        "broker",
        "clock",
        "streams",
        "rights",
        "disk",
        "certificate",
        "store",
        "ffmpeg",
        "encoder",
        "room",
        "worker",
        "monitor",
    ] {
        let is_fine = |finding: &Value| finding["check"] == check && finding["state"] != "wrong";
        assert!(fine.iter().any(is_fine), "{check}: {fine:#?}");
    }
    let sound = patient.text();

    open(&patient.file(), 0o644);
    patient
        .has(
            "a file that all may read",
            "farm file",
            "other users may read it",
            "as it says",
        )
        .await;
    open(&patient.file(), 0o600);

    patient.write(&sound.replace("[store]", "[shop]"));
    patient
        .has("an unknown section", "farm file", "shop", "as it says")
        .await;

    let seed = common::names::nkey::UserSeed::new();
    let user = sound.lines().find(|line| line.starts_with("nkey")).unwrap();
    patient.write(&sound.replacen(user, &format!("nkey = \"{}\"", seed.reveal()), 1));
    patient
        .has(
            "a key that nobody knows",
            "broker",
            "refuses this user",
            "producer setup add",
        )
        .await;

    let other = MadeFarm::nothing();
    other.setup(&[]).await.succeeded();
    let ca = |text: &str| {
        let start = text.find("-----BEGIN").unwrap();
        let end = text.find("-----END").unwrap();
        text[start..end].to_owned()
    };
    let theirs = std::fs::read_to_string(MadeFarm::file(&other.home())).unwrap();
    patient.write(&sound.replace(&ca(&sound), &ca(&theirs)));
    patient
        .has(
            "the authority of another farm",
            "broker",
            "certificate",
            "another farm",
        )
        .await;

    patient.write(&sound.replace("tls://127.0.0.1", "tls://127.0.0.2"));
    patient
        .has(
            "an address without a broker",
            "broker",
            "refused",
            "start the broker",
        )
        .await;

    patient.write(&sound.replace("secret_access_key = \"", "secret_access_key = \"x"));
    patient
        .has(
            "a wrong key to the store",
            "store",
            "writing a file",
            "secret_access_key",
        )
        .await;

    let endpoint = sound.lines().find(|line| line.starts_with("endpoint"));
    patient.write(&sound.replace(endpoint.unwrap(), "endpoint = \"http://127.0.0.1:9\""));
    patient
        .has(
            "a store that is not there",
            "store",
            "writing a file",
            "is the store running, and is `endpoint`",
        )
        .await;

    patient.write(&sound.replace("[worker]", "[worker]\nroots = [\"/nowhere/at/all\"]"));
    patient
        .has(
            "a root that is missing",
            "worker",
            "/nowhere/at/all",
            "[worker]",
        )
        .await;
    patient.write(&sound);

    let mut command = patient.command();
    command.env("FFMPEG", "/nowhere/ffmpeg");
    finds(command, "no ffmpeg", "ffmpeg", "ffmpeg", "install ffmpeg").await;

    let mut command = patient.command();
    command.envs(programs::clock_off(3600));
    finds(
        command,
        "a clock that is an hour ahead",
        "clock",
        "ahead",
        "NTP",
    )
    .await;

    patient.store.kill();
    patient
        .has(
            "a store that is down",
            "store",
            "writing a file",
            "is the store running",
        )
        .await;
    patient.store.restart().await;

    patient
        .with_configuration(|text| text.replace("sync_interval: always", "sync_interval: \"2m\""))
        .await;
    patient
        .has(
            "a broker that flushes seldom",
            "disk",
            "power cut",
            "sync_interval: always",
        )
        .await;

    let configuration =
        std::fs::read_to_string(patient.farm.of_broker("nats-server.conf")).unwrap();
    assert!(configuration.contains("sync_interval: always"));
    MadeFarm::producer(&patient.farm.home(), &["setup", "stop"])
        .await
        .succeeded();
    patient
        .has(
            "a broker that does not run",
            "broker",
            "refused",
            "producer setup",
        )
        .await;
    patient
        .with_configuration(|text| {
            let start = text.find("jetstream {").unwrap();
            let end = start + text[start..].find('}').unwrap();
            format!("{}{}", &text[..start], &text[end + 1..])
        })
        .await;
    patient
        .has(
            "a broker without JetStream",
            "broker",
            "without JetStream",
            "jetstream {}",
        )
        .await;
}

#[tokio::test]
async fn streams_that_are_missing_or_otherwise_than_designed_are_named() {
    let patient = Patient::new().await;
    let file = common::program::farm_file::FarmFile::read(&patient.file()).unwrap();
    let options = file.connect(
        common::program::farm_file::Program::Producer,
        None,
        None,
        "test",
    );
    let broker = common::broker::Broker::connect(&options).await.unwrap();
    let mut jobs = broker.jetstream().get_stream("JOBS").await.unwrap();
    let mut config = jobs.info().await.unwrap().config.clone();
    config.allow_direct = false;
    broker.jetstream().update_stream(&config).await.unwrap();
    patient
        .has(
            "a stream that was changed",
            "streams",
            "allow_direct",
            "nats stream rm JOBS",
        )
        .await;
    broker.jetstream().delete_stream("KV_hooks").await.unwrap();
    patient
        .has(
            "a stream that is missing",
            "streams",
            "missing",
            "producer setup",
        )
        .await;
}
