//! A farm with a bucket: made where it is missing, proved, and known to every machine without the environment.

use harness::farm::copy_into;
use harness::servers::store::TestStore;
use harness::{paths, poll};

use super::made::MadeFarm;

#[tokio::test]
async fn the_key_to_the_bucket_comes_with_the_line() {
    let farm = MadeFarm::nothing();
    let store = TestStore::start(farm.folder()).await;
    let mut command = farm.setup_command(&["--store", "s3://films/farm"]);
    command.envs(store.environment());
    let ran = harness::process::run(command).await.succeeded();
    assert!(ran.stdout.contains("s3://films/farm was proved"), "{ran:?}");
    let added = ["setup", "add", "worker", "attic", "--json"];
    let added = MadeFarm::producer(&farm.home(), &added)
        .await
        .succeeded()
        .json();
    let token = added["line"]
        .as_str()
        .unwrap()
        .strip_prefix("worker --join ")
        .unwrap()
        .to_owned();
    let attic = farm.other_home("attic");
    let _worker = MadeFarm::worker(&attic, &["--join", &token]);
    poll::until("a worker", async || {
        farm.workers().await.filter(|names| names.len() == 1)
    })
    .await;

    let films = farm.folder().join("films");
    copy_into(&films, &[paths::media("h264.mp4")]);
    let out = farm.folder().join("out");
    let order = [
        "enqueue",
        films.to_str().unwrap(),
        "-o",
        out.to_str().unwrap(),
        "--encoder",
        "libx264",
        "--wait",
    ];
    MadeFarm::producer(&farm.home(), &order).await.succeeded();
    assert!(
        out.join("h264.mkv").is_file(),
        "it is uploaded, encoded and downloaded"
    );
}

#[tokio::test]
async fn a_store_that_cannot_be_used_makes_no_farm() {
    let farm = MadeFarm::nothing();
    let store = TestStore::start(farm.folder()).await;
    let mut command = farm.setup_command(&["--store", "s3://films"]);
    command
        .envs(store.environment())
        .env("AWS_SECRET_ACCESS_KEY", "wrong");
    let ran = harness::process::run(command).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("AWS_SECRET_ACCESS_KEY"), "{ran:?}");
    assert!(!MadeFarm::file(&farm.home()).exists());
}
