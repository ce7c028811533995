//! The users of a made farm: who may go, who comes back, and which lines a machine takes.

use common::program::farm_file::FarmFile;
use harness::process::{Ran, run};
use harness::{poll, programs};
use serde_json::Value;

use super::made::MadeFarm;

async fn users(farm: &MadeFarm) -> Value {
    let listed = MadeFarm::producer(&farm.home(), &["setup", "list", "--json"]).await;
    listed.succeeded().json()
}

/// The token of a new user.
async fn token(farm: &MadeFarm, role: &str, name: &str) -> String {
    let add = ["setup", "add", role, name, "--json"];
    let added = MadeFarm::producer(&farm.home(), &add).await.succeeded();
    let line = added.json()["line"].as_str().unwrap().to_owned();
    line.rsplit(' ').next().unwrap().to_owned()
}

fn refused(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, Some(2), "{ran:?}");
    for words in words {
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
}

#[tokio::test]
async fn the_users_of_this_machine_stay_unless_forced_and_come_back() {
    let farm = MadeFarm::nothing();
    farm.setup(&[]).await.succeeded();
    let home = farm.home();
    let own = FarmFile::read(&MadeFarm::file(&home)).unwrap();
    let worker = own.worker.user.clone().unwrap().to_string();
    let before = users(&farm).await;
    for (name, lost) in [
        ("admin", "last admin"),
        ("admin", "`producer` of this machine"),
        (&worker, "the worker of this machine"),
        ("monitor", "the monitor of this machine"),
    ] {
        let ran = MadeFarm::producer(&home, &["setup", "remove", name]).await;
        refused(&ran, &[lost, "--force"]);
        let ran = MadeFarm::producer(&home, &["setup", "add", "admin", name]).await;
        refused(&ran, &["already", "choose another name"]);
        assert!(!ran.stderr.contains("setup remove"), "{ran:?}");
    }
    assert_eq!(users(&farm).await, before);
    MadeFarm::producer(&home, &["jobs"]).await.succeeded();

    for name in ["admin", worker.as_str(), "monitor"] {
        let remove = ["setup", "remove", name, "--force"];
        MadeFarm::producer(&home, &remove).await.succeeded();
    }
    let ran = MadeFarm::producer(&home, &["jobs"]).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    let ran = farm.setup(&[]).await.succeeded();
    assert!(ran.stdout.contains("Made anew"), "{ran:?}");
    for name in ["admin (admin)", "monitor (monitor)", "(worker)"] {
        assert!(ran.stdout.contains(name), "{name}: {ran:?}");
    }
    MadeFarm::producer(&home, &["jobs"]).await.succeeded();
    let file = FarmFile::read(&MadeFarm::file(&home)).unwrap();
    assert_ne!(file.broker.nkey, own.broker.nkey);
    let key = file.broker.nkey.unwrap().public_key();
    assert!(file.worker.signers.contains(&key));
    let after = users(&farm).await;
    assert_eq!(after[&worker]["any"], before[&worker]["any"]);
    let _worker = MadeFarm::worker(&home, &[]);
    poll::until("the worker of this machine", async || {
        farm.workers().await.filter(|names| names.len() == 1)
    })
    .await;
    // Nothing is missing now.
    let ran = farm.setup(&[]).await.succeeded();
    assert!(!ran.stdout.contains("Made anew"), "{ran:?}");
}

#[tokio::test]
async fn who_could_sign_and_is_removed_is_named_with_its_key() {
    let farm = MadeFarm::nothing();
    farm.setup(&[]).await.succeeded();
    let home = farm.home();
    let signers = || {
        let file = FarmFile::read(&MadeFarm::file(&home)).unwrap();
        let keys = file.worker.signers.iter();
        keys.map(ToString::to_string).collect::<Vec<_>>()
    };
    for role in ["producer", "monitor", "admin"] {
        token(&farm, role, "desk").await;
        let key = users(&farm).await["desk"]["key"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(signers().contains(&key));
        let ran = MadeFarm::producer(&home, &["setup", "remove", "desk"]).await;
        let ran = ran.succeeded();
        for words in [key.as_str(), "go on to accept", "`signers`"] {
            assert!(ran.stdout.contains(words), "{words}: {ran:?}");
        }
        assert!(!signers().contains(&key), "{role}");
    }
    // Who cannot sign leaves nothing behind.
    token(&farm, "reader", "desk").await;
    let ran = MadeFarm::producer(&home, &["setup", "remove", "desk"]).await;
    assert!(!ran.succeeded().stdout.contains("signers"));
}

#[tokio::test]
async fn a_line_is_taken_by_the_program_and_the_machine_that_it_is_for() {
    let farm = MadeFarm::nothing();
    let store = farm.folder().join("store");
    let setup = ["--store", store.to_str().unwrap()];
    farm.setup(&setup).await.succeeded();
    let worker = token(&farm, "worker", "desk").await;
    let producer = token(&farm, "producer", "anna").await;
    let elsewhere = farm.other_home("elsewhere");
    let join = async |program: &str, arguments: &[&str]| {
        let mut command = programs::command(program, &elsewhere);
        command.args(arguments);
        run(command).await
    };
    let ran = join("producer", &["join", &worker]).await;
    refused(
        &ran,
        &[
            "`worker --join`",
            "key of a worker",
            "setup add producer NAME",
        ],
    );
    for program in ["worker", "monitor"] {
        let ran = join(program, &["--join", &producer]).await;
        refused(
            &ran,
            &["`producer join`", &format!("setup add {program} NAME")],
        );
    }
    let ran = join("worker", &["--join", &worker, "--name", "other"]).await;
    refused(&ran, &["the worker desk alone", "setup add worker other"]);
    assert!(!MadeFarm::file(&elsewhere).exists());
    // A service has no line of its own to paste.
    let file = elsewhere.join("service.toml");
    let of_service = [
        "join",
        &worker,
        "--for",
        "worker",
        "--farm",
        file.to_str().unwrap(),
    ];
    join("producer", &of_service).await.succeeded();
    assert!(FarmFile::read(&file).unwrap().worker.nkey.is_some());

    let ran = join("producer", &["join", &producer]).await.succeeded();
    assert!(ran.stderr.contains("as the user anna"), "{ran:?}");
    let ran = join("worker", &["check-config", "--join", &worker]).await;
    let reads = format!(
        "the worker reads and writes below {} (roots)",
        store.display()
    );
    assert!(ran.stderr.contains(&reads), "{ran:?}");
    let ran = join("worker", &["check-config", "--name", "other"]).await;
    refused(&ran, &["the worker desk alone"]);

    // The machine that has made the farm keeps its admin.
    let home = farm.home();
    let before = std::fs::read(MadeFarm::file(&home)).unwrap();
    let ran = MadeFarm::producer(&home, &["join", &producer]).await;
    refused(&ran, &["made on this machine", "admin", "--farm FILE"]);
    assert_eq!(std::fs::read(MadeFarm::file(&home)).unwrap(), before);
}
