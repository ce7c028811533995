//! Machines that have joined a farm as one thing only: what is as it should be there is not called wrong.

use std::path::{Path, PathBuf};
use std::process::Command;

use common::program::farm_file::Program;
use common::program::join::{JoinToken, Machine};
use harness::process::run;
use harness::{paths, programs};
use serde_json::Value;

use super::{Patient, findings, says};
use crate::setup::made::MadeFarm;

/// The home of a machine that has joined by a new line.
async fn joined(farm: &MadeFarm, role: &str, program: Program) -> PathBuf {
    let name = format!("only-{role}");
    let add = ["setup", "add", role, &name, "--json"];
    let added = MadeFarm::producer(&farm.home(), &add).await.succeeded();
    let line = added.json()["line"].as_str().unwrap().to_owned();
    let token = JoinToken::read(line.rsplit(' ').next().unwrap()).unwrap();
    let home = farm.other_home(&name);
    token
        .join(&MadeFarm::file(&home), &Machine::new(program))
        .unwrap();
    home
}

fn doctor(farm: &MadeFarm, home: &Path) -> Command {
    let mut command = programs::command("producer", home);
    let port = ["doctor", "--json", "--http-port", farm.http_port()];
    command
        .env("XDG_CACHE_HOME", paths::shared_cache())
        .args(port);
    command
}

fn wrong(all: &[Value]) -> Vec<&Value> {
    let wrong = all.iter().filter(|finding| finding["state"] == "wrong");
    wrong.collect()
}

#[tokio::test]
async fn machines_of_one_role_are_sound() {
    let patient = Patient::new().await;
    let farm = &patient.farm;
    for (role, program) in [("worker", Program::Worker), ("monitor", Program::Monitor)] {
        let home = joined(farm, role, program).await;
        let ran = run(doctor(farm, &home)).await.succeeded();
        assert!(!ran.stderr.contains("ERROR"), "{ran:?}");
        for (check, words) in [
            ("producer", "no user for `producer`"),
            ("broker", "answers"),
            ("rights", &format!("all rights of a {role}")),
            ("streams", "as the programs need"),
        ] {
            says(doctor(farm, &home), check, "fine", words).await;
        }
        let ran = MadeFarm::producer(&home, &["workers"]).await;
        assert_eq!(ran.code, Some(3), "{ran:?}");
        for words in ["no user for `producer`", "setup add producer NAME"] {
            assert!(ran.stderr.contains(words), "{words}: {ran:?}");
        }
        // The farm is another machine's.
        if role == "monitor" {
            says(doctor(farm, &home), "worker", "fine", "no jobs run here").await;
        }
    }
}

#[tokio::test]
async fn a_cause_is_told_once() {
    let patient = Patient::new().await;
    let sound = patient.text();
    patient.write(&sound.replace("[store]", "[shop]"));
    let ran = run(patient.command()).await;
    let all = findings(&ran);
    assert_eq!(wrong(&all).len(), 1, "{all:#?}");
    assert!(
        !all.iter().any(|finding| finding["check"] == "broker"),
        "{all:#?}"
    );

    patient.write(&sound.replace("tls://127.0.0.1", "tls://127.0.0.2"));
    let ran = run(patient.command()).await;
    let all = findings(&ran);
    assert_eq!(wrong(&all).len(), 1, "{all:#?}");
    says(patient.command(), "worker", "doubtful", "follows from").await;
}

#[tokio::test]
async fn who_may_only_read_is_told_so_by_what_gives_orders() {
    let patient = Patient::new().await;
    let home = joined(&patient.farm, "reader", Program::Producer).await;
    let ran = MadeFarm::producer(&home, &["pause", "--queue", "libx264"]).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    for words in [
        "may not publish",
        "one for a reader",
        "setup add producer NAME",
    ] {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    assert!(!ran.stderr.contains("ERROR"), "{ran:?}");
    let ran = run(doctor(&patient.farm, &home)).await.succeeded();
    assert!(!ran.stderr.contains("ERROR"), "{ran:?}");
    MadeFarm::producer(&home, &["jobs"]).await.succeeded();
}

#[tokio::test]
async fn setup_on_a_machine_that_has_joined_makes_nothing() {
    let patient = Patient::new().await;
    let home = joined(&patient.farm, "admin", Program::Producer).await;
    let ran = MadeFarm::producer(&home, &["setup"]).await.succeeded();
    assert!(ran.stdout.contains("another machine has made"), "{ran:?}");
    assert!(ran.stdout.contains("nothing was made here"), "{ran:?}");
}
