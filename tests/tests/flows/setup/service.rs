//! A farm whose broker is a service: `producer setup` writes its files, and something else runs it.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use harness::process::Daemon;

use super::made::MadeFarm;

#[tokio::test]
async fn a_service_runs_the_broker_with_the_files_that_setup_has_written() {
    let farm = MadeFarm::nothing();
    let store = farm.folder().join("store");
    // The services of a machine read a file that is not in a home.
    let file = MadeFarm::file(&farm.home());
    let named = ["--farm", file.to_str().unwrap()];
    let options = [
        &["--no-start", "--store", store.to_str().unwrap()],
        &named[..],
    ]
    .concat();
    let ran = farm.setup(&options).await.succeeded();
    let line = "worker --join ffmpeg-easy-1.";
    assert!(ran.stdout.contains(line), "{ran:?}");
    assert!(ran.stdout.contains("Nothing was started"), "{ran:?}");
    let configuration = farm.of_broker("nats-server.conf");
    let mode = configuration.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&configuration).unwrap();
    assert!(
        !text.contains("log_file") && !text.contains("pid_file"),
        "its service keeps the log"
    );

    // Nothing runs, and nothing is started by a second call.
    let ran = farm.setup(&options).await;
    assert_eq!(ran.code, Some(3), "{ran:?}");

    let mut service = Command::new("nats-server");
    service.arg("--config").arg(&configuration);
    let _broker = Daemon::start("broker", service, &farm.folder().join("broker.log"));
    harness::poll::until("the broker of the service", async || {
        let ran = farm.setup(&options).await;
        ran.stdout.contains("was proved").then_some(())
    })
    .await;
    MadeFarm::producer(&farm.home(), &["jobs"])
        .await
        .succeeded();

    // The service alone can tell its broker of a new user.
    let added = ["setup", "add", "worker", "attic"];
    let ran = MadeFarm::producer(&farm.home(), &added).await.succeeded();
    assert!(ran.stderr.contains("systemctl reload"), "{ran:?}");
}
