//! The files and addresses that a confined tool may reach.

use std::ffi::OsString;
use std::path::Path;

use worker::sandbox::address::Address;

use crate::StandIn;

#[tokio::test]
async fn the_environment_holds_no_secrets() {
    let stand_in = StandIn::new("env > env");
    stand_in.run().await.expect("ends well");
    let env = std::fs::read_to_string(stand_in.scratch("env")).expect("text");
    let scratch = stand_in.scratch.path().display();
    assert!(env.contains(&format!("HOME={scratch}")), "{env}");
    assert!(!env.contains("CARGO"), "{env}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_tool_that_only_looks_may_not_write() {
    let mut stand_in = StandIn::new(
        "if sh -c 'echo x > here' 2> /dev/null; then echo frame=1; else echo frame=0; fi; echo progress=end",
    );
    stand_in.runner.sandbox.writes = false;
    let finished = stand_in.run().await.expect("ends well");
    assert_eq!(finished.progress.frame, 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_tool_in_the_background_has_the_lowest_priority() {
    let mut stand_in = StandIn::new("nice > nice");
    let niceness = |stand_in: &StandIn| {
        let text = std::fs::read_to_string(stand_in.scratch("nice")).expect("written");
        text.trim().parse::<i32>().expect("a number")
    };
    stand_in.run().await.expect("ends well");
    let usual = niceness(&stand_in);
    stand_in.runner.sandbox.background = true;
    stand_in.run().await.expect("ends well");
    assert_eq!(niceness(&stand_in), 19);
    assert!(usual < 19, "the test itself runs at the lowest priority");
}

/// Runs a script that tries to do something; returns whether it succeeded.
#[cfg(target_os = "linux")]
async fn allowed(read: &[&Path], port: Option<u16>, attempt: &str) -> bool {
    let mut stand_in = StandIn::new(&format!(
        "if {attempt}; then echo frame=1; else echo frame=0; fi; echo progress=end"
    ));
    stand_in.runner.sandbox.read = read.iter().map(|path| path.to_path_buf()).collect();
    let address = port.map(|port| Address::new("an address", port, ()));
    stand_in.runner.sandbox.connects = address.into_iter().collect();
    let finished = stand_in.run().await.expect("ends well");
    finished.progress.frame == 1
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_link_that_takes_the_inputs_place_opens_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = folder.path().canonicalize().expect("there");
    for name in ["in", "home"] {
        std::fs::create_dir(base.join(name)).expect("made");
        std::fs::write(base.join(name).join("film"), name).expect("written");
    }
    let input = base.join("in/film");
    let reads = format!("cat {} > /dev/null 2>&1", base.join("home/film").display());
    // Swapped after the worker has looked: first the file, then a folder above it.
    for (swapped, target) in [("in/film", "../home/film"), ("in", "home")] {
        std::fs::rename(base.join(swapped), base.join("aside")).expect("moved");
        std::os::unix::fs::symlink(target, base.join(swapped)).expect("linked");
        let mut stand_in = StandIn::new(&format!("if {reads}; then echo frame=1; fi"));
        stand_in.runner.sandbox.read = vec![input.clone()];
        let ended = stand_in.run().await;
        assert!(ended.is_err(), "it did not even start");
        std::fs::remove_file(base.join(swapped)).expect("removed");
        std::fs::rename(base.join("aside"), base.join(swapped)).expect("back");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_confined_tool_reads_its_input_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, other) = (folder.path().join("input"), folder.path().join("other"));
    std::fs::write(&input, "input").expect("written");
    std::fs::write(&other, "other").expect("written");
    let try_to = |what: &str, path: &Path| format!("{what} {} > /dev/null 2>&1", path.display());
    assert!(allowed(&[&input], None, &try_to("cat", &input)).await);
    assert!(!allowed(&[&input], None, &try_to("cat", &other)).await);
    assert!(!allowed(&[&input], None, &try_to("ls", folder.path())).await);
    assert!(!allowed(&[&input], None, "cat /etc/passwd > /dev/null 2>&1").await);
    assert!(
        !allowed(
            &[&input],
            None,
            &format!("cat /proc/{}/environ", std::process::id())
        )
        .await
    );
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_confined_tool_writes_its_scratch_folder_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = folder.path().join("input");
    std::fs::write(&input, "input").expect("written");
    let shell = |path: &Path| format!("sh -c 'echo x > {}' 2> /dev/null", path.display());
    assert!(
        allowed(
            &[&input],
            None,
            "sh -c 'echo x > here && mkdir d && rm here' 2> /dev/null"
        )
        .await
    );
    assert!(!allowed(&[&input], None, &shell(&input)).await);
    assert!(!allowed(&[&input], None, &shell(&folder.path().join("new"))).await);
    assert!(
        !allowed(
            &[&input],
            None,
            &format!("rm {} 2> /dev/null", input.display())
        )
        .await
    );
    assert_eq!(std::fs::read(&input).expect("unharmed"), b"input");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_confined_tool_connects_to_the_port_of_its_input_only() {
    let listen = || std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let (input, other) = (listen(), listen());
    let [port, other] = [&input, &other].map(|listener| {
        let address = listener.local_addr().expect("an address");
        address.port()
    });
    let connect = |port: u16| format!("bash -c '< /dev/tcp/127.0.0.1/{port}' 2> /dev/null");
    assert!(allowed(&[], Some(port), &connect(port)).await);
    assert!(!allowed(&[], Some(port), &connect(other)).await);
    assert!(!allowed(&[], None, &connect(port)).await);
}

#[cfg(target_os = "linux")]
#[test]
fn the_wrapper_refuses_orders_it_does_not_know() {
    let worker = std::process::Command::new(env!("CARGO_BIN_EXE_worker"))
        .args(["sandbox", "--nonsense", "--", "true"].map(OsString::from))
        .output()
        .expect("runs");
    assert_eq!(
        worker.status.code(),
        Some(i32::from(worker::sandbox::FAILED))
    );
}
