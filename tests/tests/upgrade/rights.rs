//! New programs under the rights that the old build's broker gives: its users are changed last.

use harness::farm::Farm;
use harness::paths;
use harness::process::run;
use harness::programs::at_home;
use harness::servers::broker::TestBroker;

use super::builds::{Build, text};

#[tokio::test]
#[ignore = "it needs the programs of an earlier commit: make upgrade"]
async fn new_programs_work_with_the_users_of_an_old_broker_once_the_admin_has_completed_its_streams()
 {
    let folder = paths::test_folder();
    let broker = TestBroker::start_with_roles_of(folder.path(), &paths::old_roles()).await;
    let setup = async |build: Build| {
        let mut setup = at_home(&build.program("producer"), folder.path());
        setup.env("NATS_URL", broker.url_for("admin")).arg("setup");
        run(setup).await
    };
    setup(Build::Old).await.succeeded();

    // The new build keeps more. A worker may not make it, and says who may.
    let mut worker = at_home(&paths::program("worker"), folder.path());
    worker
        .args([
            "--nats",
            &broker.url_for("worker"),
            "--name",
            "early",
            "--encoders",
            "libx264",
        ])
        .args(["--root", &text(folder.path())]);
    let early = run(worker).await;
    assert_eq!(early.code, Some(3), "{early:?}");
    assert!(
        early
            .stderr
            .contains("run `producer setup` as a user who has it"),
        "{early:?}"
    );

    setup(Build::New).await.succeeded();
    let farm = Farm::with_roles(broker, folder).await;
    let setup = farm
        .worker("w")
        .option("--nats", farm.broker.url_for("worker"));
    let _worker = farm.join(setup.encoders("libx264")).await;
    let films = farm.folder_of("films", &[paths::media("h264.mp4")]);
    let (films, out) = (text(&films), text(&farm.out()));
    let order = [
        "enqueue",
        &films,
        "-o",
        &out,
        "--encoder",
        "libx264",
        "--wait",
    ];
    farm.producer(order).await.succeeded();
    assert!(farm.out().join("h264.mkv").is_file());
}
