//! `--replace` and `undo` on a farm: on disks and in buckets.

use common::job::run::RunState;
use common::names::nkey::{Signer, UserSeed};
use harness::farm::Farm;
use harness::servers::store::TestStore;
use harness::{paths, poll};

use super::{batch_in, names, seen};

const RECIPE: [&str; 4] = ["--encoder", "libx264", "--encoder-preset", "ultrafast"];

#[tokio::test]
async fn a_farm_replaces_undoes_and_does_again() {
    let farm = Farm::start().await;
    let films = farm.folder_of(
        "films",
        &[paths::media("h264.mp4"), paths::media("tracks.mkv")],
    );
    let before = seen(&films);
    let setup = farm.worker("w").encoders("libx264").roots(&[&films]);
    let _worker = farm.join(setup).await;
    let enqueue = ["enqueue", "films", "--replace", "--wait", "--json"];
    let enqueue = || farm.producer(enqueue.into_iter().chain(RECIPE));
    let done = enqueue().await.succeeded().json();
    let job = done["jobs"][0]["job"].as_str().unwrap().to_owned();
    let after = ["h264.mkv", "tracks.mkv"];
    assert_eq!(names(&films), after);
    let replaced = seen(&films);
    enqueue().await.succeeded();
    assert_eq!(
        seen(&films),
        replaced,
        "what was replaced is not replaced again"
    );

    let batch = batch_in(&films);
    let listed = farm.producer(["trash", "--json"]).await.succeeded().json();
    assert_eq!(listed[0]["files"], 2, "{listed}");
    let shown = farm.producer(["job", &job]).await.succeeded();
    assert!(shown.stdout.contains("producer undo"), "{shown:?}");
    farm.producer(["undo", &batch]).await.succeeded();
    assert_eq!(seen(&films), before);
    let id = job.parse().unwrap();
    let run = farm.run(&id).await.unwrap();
    assert_eq!(run.state, RunState::Cancelled);
    let again = farm.producer(["undo", &job]).await;
    assert_eq!(again.code, Some(1), "{again:?}");

    // No repeated command does it again, and a retry does.
    enqueue().await;
    assert_eq!(seen(&films), before);
    farm.producer(["retry", "--batch", &batch])
        .await
        .succeeded();
    poll::until("both films to be replaced again", async || {
        (names(&films) == after).then_some(())
    })
    .await;
    farm.ended(&id).await;
}

#[tokio::test]
async fn a_worker_of_signed_orders_empties_no_trash_because_somebody_asks() {
    let farm = Farm::start().await;
    let films = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let setup = || farm.worker("w").encoders("libx264").roots(&[&films]);
    let worker = farm.join(setup()).await;
    let enqueue = ["enqueue", "films", "--replace", "--wait"];
    let enqueued = farm.producer(enqueue.into_iter().chain(RECIPE)).await;
    enqueued.succeeded();
    drop(worker);
    let replaced = seen(&films);
    let batch = batch_in(&films);

    let key = Signer::from(&UserSeed::new()).key().to_string();
    let guarded = setup().option("--require-signature", key);
    let _worker = farm.join(guarded).await;
    let refused = farm.producer(["trash", "--empty", &batch]).await;
    assert_eq!(refused.code, Some(1), "{refused:?}");
    for words in ["--require-signature", "producer trash FOLDER --empty"] {
        assert!(refused.stderr.contains(words), "{refused:?}");
    }
    assert_eq!(seen(&films), replaced);
    // What the answer advises works.
    let emptied = farm.producer(["trash", "films", "--empty", &batch]).await;
    emptied.succeeded();
    assert_ne!(seen(&films), replaced);
}

#[tokio::test]
async fn a_source_that_changes_meanwhile_is_left_as_it_is() {
    let farm = Farm::start().await;
    let films = farm.folder_of("films", &[paths::media("h264.mp4")]);
    farm.producer(["enqueue", "films", "--replace"].into_iter().chain(RECIPE))
        .await
        .succeeded();
    std::fs::copy(paths::media("tracks.mkv"), films.join("h264.mp4")).unwrap();
    let before = seen(&films);
    let setup = farm.worker("w").encoders("libx264").roots(&[&films]);
    let _worker = farm.join(setup).await;
    poll::until("the job to fail", async || {
        let jobs = farm.producer(["jobs", "--state", "failed", "--json"]).await;
        jobs.stdout.contains("has changed").then_some(())
    })
    .await;
    assert_eq!(seen(&films), before);
}

#[tokio::test]
async fn objects_are_replaced_under_their_keys_and_come_back() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    for (file, key) in [
        ("h264.mp4", "films/h264.mp4"),
        ("tracks.mkv", "films/sub/tracks.mkv"),
    ] {
        store.put(&paths::media(file), key).await;
    }
    let setup = farm.worker("w").encoders("libx264");
    let _worker = farm.join(setup.environment(store.environment())).await;
    let producer = async |arguments: &[&str]| {
        let mut command = farm.producer_command();
        command.args(arguments).envs(store.environment());
        harness::process::run(command).await
    };
    let mut enqueue = vec![
        "enqueue",
        "s3://media/films",
        "--replace",
        "--wait",
        "--json",
    ];
    enqueue.extend(RECIPE);
    producer(&enqueue).await.succeeded();
    let films = async || -> Vec<String> {
        let keys = store.keys().await.into_iter();
        keys.filter(|key| key.starts_with("films/") && !key.contains(".ffmpeg-easy-trash/"))
            .collect()
    };
    assert_eq!(films().await, ["films/h264.mkv", "films/sub/tracks.mkv"]);
    let replaced = store.get("films/sub/tracks.mkv").await.unwrap();
    assert_ne!(replaced, std::fs::read(paths::media("tracks.mkv")).unwrap());
    producer(&enqueue).await.succeeded();
    assert_eq!(store.get("films/sub/tracks.mkv").await.unwrap(), replaced);

    let listed = producer(&["trash", "s3://media/films", "--json"])
        .await
        .succeeded()
        .json();
    assert_eq!(listed[0]["files"], 2, "{listed}");
    let batch = listed[0]["batch"].as_str().unwrap();
    producer(&["undo", batch]).await.succeeded();
    assert_eq!(films().await, ["films/h264.mp4", "films/sub/tracks.mkv"]);
    for (file, key) in [
        ("h264.mp4", "films/h264.mp4"),
        ("tracks.mkv", "films/sub/tracks.mkv"),
    ] {
        let original = std::fs::read(paths::media(file)).unwrap();
        assert_eq!(store.get(key).await.unwrap(), original, "{key}");
    }
    let keys = store.keys().await;
    let left = keys
        .iter()
        .filter(|key| key.contains(".ffmpeg-easy-trash/"));
    assert_eq!(left.count(), 1, "only the marker: {keys:?}");
}
