//! What a confined tool may use up, and the network that it has.
#![cfg(target_os = "linux")]

use std::io::Write;
use std::net::TcpListener;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::job::failure::Fault;
use tokio_util::sync::CancellationToken;
use worker::sandbox::address::{Address, Serving};
use worker::sandbox::level;

use crate::StandIn;

#[tokio::test]
async fn a_tool_that_takes_too_much_memory_fails_and_the_bound_is_named() {
    let mut stand_in = StandIn::new(
        "perl -e 'my $all = \"x\" x (3 << 29); print length $all' > size || { echo '[error] Cannot allocate memory' >&2; exit 1; }",
    );
    stand_in.run().await.expect("unbounded");
    stand_in.runner.sandbox.resources.memory = Some(64 << 20);
    let failure = stand_in.run().await.expect_err("too much");
    assert!(
        failure
            .message
            .contains("64 MiB of memory here (--max-memory)"),
        "{failure}"
    );
}

#[tokio::test]
async fn a_file_that_grows_too_large_ends_the_tool() {
    let mut stand_in =
        StandIn::new("exec dd if=/dev/zero of=output bs=65536 count=64 2> /dev/null");
    stand_in.run().await.expect("unbounded");
    stand_in.runner.sandbox.resources.file_size = Some(1 << 20);
    let failure = stand_in.run().await.expect_err("too large");
    assert_eq!(failure.fault, Fault::Worker);
    assert!(
        failure.message.contains("all the room for scratch files"),
        "{failure}"
    );
    let size = std::fs::metadata(stand_in.scratch("output"))
        .expect("there")
        .len();
    assert_eq!(size, 1 << 20);
}

#[tokio::test]
async fn a_tool_that_runs_for_too_long_is_ended_although_it_makes_progress() {
    let mut stand_in = StandIn::new(
        "i=0; while :; do i=$((i + 1)); echo frame=$i; echo progress=continue; sleep 0.05; done",
    );
    stand_in.runner.limits.longest = Some(Duration::from_secs(1));
    let failure = stand_in.run().await.expect_err("endless");
    assert_eq!(failure.fault, Fault::Input, "{failure}");
    assert!(failure.message.contains("for 1s"), "{failure}");
    assert!(failure.message.contains("--max-job-time"), "{failure}");
}

/// Answers each connection with a letter.
struct Letters(Mutex<Vec<CancellationToken>>, AtomicUsize);

impl Letters {
    fn new() -> &'static Self {
        Box::leak(Box::new(Self(Mutex::default(), AtomicUsize::new(0))))
    }
}

impl Serving for &'static Letters {
    fn listen(&self, socket: TcpListener, until: CancellationToken) {
        self.0.lock().expect("nobody panicked").push(until);
        let letters = *self;
        std::thread::spawn(move || {
            socket.set_nonblocking(false).expect("a socket");
            for connection in socket.incoming() {
                letters.1.fetch_add(1, Ordering::SeqCst);
                let _ = connection.expect("accepted").write_all(b"x");
            }
        });
    }
}

#[tokio::test]
async fn a_tool_reaches_its_input_and_no_other_host_at_the_same_port() {
    // Another host: another address of this machine, at the port of the input.
    let other = TcpListener::bind("127.0.0.2:0").expect("a port");
    let port = other.local_addr().expect("an address").port();
    let letters = Letters::new();
    let connect = |host: &str| {
        format!("bash -c '[ \"$(head -c 1 < /dev/tcp/{host}/{port})\" = x ]' 2> /dev/null")
    };
    let reach = |host: &str| format!("bash -c '< /dev/tcp/{host}/{port}' 2> /dev/null");
    let script = |command: String| {
        format!("if {command}; then echo frame=1; else echo frame=0; fi; echo progress=end")
    };
    let tried = async |command: String, own_network: bool| {
        let mut stand_in = StandIn::new(&script(command));
        stand_in.runner.sandbox.connects = vec![Address::new("an address", port, letters)];
        let wrapper = stand_in.runner.sandbox.wrapper.as_mut().expect("wrapped");
        wrapper.offered = level::offered(&wrapper.program).await.expect("tried");
        assert!(
            wrapper.offered.own_network,
            "this machine forbids network namespaces"
        );
        wrapper.offered.own_network = own_network;
        stand_in.run().await.expect("ends well").progress.frame == 1
    };
    assert!(tried(connect("127.0.0.1"), true).await);
    assert_eq!(letters.1.load(Ordering::SeqCst), 1);
    assert!(!tried(reach("127.0.0.2"), true).await);
    assert!(
        tried(reach("127.0.0.2"), false).await,
        "only the network keeps it from that"
    );
    // The worker no longer serves a network whose tool has ended.
    let ended = letters.0.lock().expect("nobody panicked").clone();
    assert_eq!(ended.len(), 2);
    for ended in ended {
        let ended = tokio::time::timeout(Duration::from_secs(10), ended.cancelled()).await;
        ended.expect("told");
    }
}
