//! Roots and prefixes in a worker's settings.

use std::fs;
use std::os::unix::fs::symlink;

use common::job::run::RunState;
use harness::farm::Farm;
use harness::programs::{self};
use harness::servers::store::TestStore;
use harness::{paths, poll, process};

use super::{Place, publish};

#[tokio::test]
async fn a_worker_with_prefixes_and_no_roots_leaves_everything_else_alone() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    store.put(&paths::media("h264.mp4"), "in/a.mp4").await;
    let lists = [
        ("WORKER_BUCKET", "s3://media/in,s3://media/out".to_owned()),
        ("WORKER_ROOT", String::new()),
    ];
    let setup = farm.worker("w").encoders("libx264").roots(&[]);
    let setup = setup.environment(store.environment()).environment(lists);
    let _worker = farm.join(setup).await;
    let good = store.job("in/a.mp4", "out/a.mkv", "libx264").await;
    farm.enqueue(&good).await;
    farm.completed(&good.id).await;

    let local = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&local).await;
    let elsewhere = store.job("in/a.mp4", "other/a.mkv", "libx264").await;
    let mut foreign = vec![(local.id, "--root"), (elsewhere.id, "--bucket")];
    farm.enqueue(&elsewhere).await;
    for (number, output) in [
        "s3://media/out/../other/b.mkv",
        "s3://media/out/..%2fother/b.mkv",
        "s3://media/out/%2e%2e/other/b.mkv",
        "s3://media/outer/b.mkv",
        "s3://media2/out/b.mkv",
        "s3://media/out/",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("out/{number}.mkv");
        let job = store.job("in/a.mp4", &name, "libx264").await;
        let mut body = serde_json::to_value(&job).unwrap();
        body["output"] = output.into();
        publish(&farm, &job.id, &body).await;
        foreign.push((job.id, "--bucket"));
    }
    // The source under other names: no output under these names may replace it.
    let source = store.get("in/a.mp4").await;
    for (number, output) in ["s3://media/in/a.mp4/", "s3://media//in/a.mp4"]
        .iter()
        .enumerate()
    {
        let name = format!("out/alias{number}.mkv");
        let job = store.job("in/a.mp4", &name, "libx264").await;
        let mut body = serde_json::to_value(&job).unwrap();
        body["output"] = (*output).into();
        body["replace"] = true.into();
        publish(&farm, &job.id, &body).await;
        let run = farm.ended(&job.id).await;
        assert!(matches!(run.state, RunState::Failed { .. }), "{run:#?}");
        assert_eq!(store.get("in/a.mp4").await, source, "{output}");
    }
    let last = store.job("in/a.mp4", "out/last.mkv", "libx264").await;
    farm.enqueue(&last).await;
    farm.completed(&last.id).await;
    for (job, option) in foreign {
        assert!(farm.run(&job).await.is_none(), "nobody takes {job}");
        let why = farm.producer(["why", &job.to_string()]).await.succeeded();
        assert!(why.stdout.contains(option), "{}", why.stdout);
    }
    let mut keys = store.keys().await;
    keys.sort();
    assert_eq!(keys, ["in/a.mp4", "out/a.mkv", "out/last.mkv"]);
}

#[tokio::test]
async fn a_job_waits_for_an_input_whose_root_is_away() {
    let place = Place::new().await;
    let job = place.job(&place.path("out/a.mkv"));
    fs::rename(place.path("in"), place.path("elsewhere")).unwrap();
    place.farm.enqueue(&job).await;
    poll::until("the worker to miss the folder", async || {
        let log = fs::read_to_string(place.path("worker-w.log")).ok()?;
        (log.contains("is away")).then_some(())
    })
    .await;
    fs::rename(place.path("elsewhere"), place.path("in")).unwrap();
    place.farm.completed(&job.id).await;
}

#[tokio::test]
async fn a_root_that_is_no_folder_is_a_wrong_setting() {
    let folder = paths::test_folder();
    fs::write(folder.path().join("file"), "").unwrap();
    for (arguments, what) in [
        (["check-config", "--root", "none"].as_slice(), "none"),
        (&["check-config", "--root", "file"], "file"),
        (
            &["check-config", "--bucket", "media/in"],
            "s3://BUCKET/PREFIX",
        ),
        (&["--root", "none"], "none"),
    ] {
        let mut command = programs::command("worker", folder.path());
        command
            .args(arguments)
            .args(["--nats", "nats://127.0.0.1:1"]);
        let ran = process::run(command).await;
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
        assert!(ran.stderr.contains(what), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn check_config_asks_each_bucket() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let check = async |changed: &[(&str, &str)]| {
        let mut command = programs::command("worker", farm.folder());
        command
            .args(["check-config", "--nats", farm.url()])
            .args(["--bucket", "s3://media/in", "--bucket", "s3://media"])
            .envs(store.environment())
            .envs(changed.iter().copied());
        process::run(command).await
    };
    check(&[]).await.succeeded();
    let wrong: [(&[_], _); 3] = [
        (&[("AWS_SECRET_ACCESS_KEY", "wrong")], "403 Forbidden"),
        (&[("AWS_ENDPOINT", "http://127.0.0.1:1")], "refused"),
        (&[("AWS_ENDPOINT", "127.0.0.1:8333")], "http://HOST:PORT"),
    ];
    for (changed, why) in wrong {
        let ran = check(changed).await;
        assert_eq!(ran.code, Some(3), "{}", ran.stderr);
        assert!(ran.stderr.contains("s3://media/in"), "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
    }
}

#[tokio::test]
async fn encode_gives_its_worker_only_the_folders_of_its_arguments() {
    let folder = paths::test_folder();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("films")).unwrap();
    fs::create_dir_all(path("disk2")).unwrap();
    fs::copy(paths::media("h264.mp4"), path("disk2/a.mp4")).unwrap();
    symlink(path("disk2/a.mp4"), path("films/a.mp4")).unwrap();
    let mut command = programs::command("producer", folder.path());
    command
        .args(["encode", "films", "-o", "out", "--encoder", "libx264"])
        .env("XDG_CACHE_HOME", paths::shared_cache())
        .env("WORKER_ROOT", path("none"))
        .env("WORKER_BUCKET", "nonsense");
    let ran = process::run(command).await.succeeded();
    assert!(path("out/a.mkv").is_file());
    assert!(
        !ran.stderr.contains("lost the connection"),
        "{}",
        ran.stderr
    );
}
