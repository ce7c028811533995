//! Checks of objects in a bucket, read over the network and as a copy.

use harness::farm::Farm;
use harness::process;
use harness::servers::store::TestStore;

use super::{expected, films, states};

#[tokio::test]
async fn damage_in_a_bucket_is_told_and_no_object_is_written() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let films = films(farm.folder());
    let mut before = Vec::new();
    for (name, _) in expected() {
        let key = format!("films/{name}");
        store.put(&films.join(name), &key).await;
        before.push((key.clone(), store.version(&key).await));
    }
    for read in ["in-place", "download"] {
        let setup = farm.worker(read).option("--read", read);
        let mut worker = farm.join(setup.environment(store.environment())).await;
        let mut command = farm.producer_command();
        command
            .args(["check", "s3://media/films", "--wait", "--again", "--json"])
            .envs(store.environment());
        let ran = process::run(command).await;
        assert_eq!((ran.code, states(&ran)), (Some(1), expected()), "{ran:?}");
        let told = ran.json()["files"][0].to_string();
        assert!(told.contains("the file breaks off"), "{read}: {told}");
        worker.process.kill();
    }
    let keys: Vec<String> = before.iter().map(|(key, _)| key.clone()).collect();
    assert_eq!(store.keys().await, keys, "nothing is left behind");
    for (key, version) in before {
        assert_eq!(store.version(&key).await, version, "{key}");
    }
}
