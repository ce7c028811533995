//! What a tool that an attacker has taken over tries, once confined and once not: every attack works without the
//! sandbox, so each refusal is the sandbox's.
#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Stdio;

use worker::sandbox::Sandbox;

use crate::StandIn;

/// Whether a shell command succeeds as a tool.
async fn succeeds(command: &str, is_confined: bool) -> bool {
    let mut stand_in = StandIn::new(&format!(
        "if ( {command} ) > /dev/null 2>&1; then echo frame=1; else echo frame=0; fi; echo progress=end"
    ));
    if !is_confined {
        stand_in.runner.sandbox.wrapper = None;
    }
    let finished = stand_in.run().await.expect("ends well");
    finished.progress.frame == 1
}

async fn only_the_sandbox_refuses(what: &str, command: &str) {
    assert!(
        succeeds(command, false).await,
        "{what} does not even work unconfined"
    );
    assert!(!succeeds(command, true).await, "{what} works confined");
}

/// A file outside of everything that the tool was given.
fn outside(folder: &Path) -> String {
    let file = folder.join("outside");
    std::fs::write(&file, "precious").expect("written");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("ours");
    file.display().to_string()
}

/// A command that makes this system call. `$words[0]` and so on are these texts, `$zeros` is a buffer.
fn call(arguments: &str, words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("q({word})")).collect();
    let words = words.join(", ");
    format!(
        r#"perl -e 'my @words = ({words}); my $zeros = "\0" x 256; exit(syscall({arguments}) < 0 ? 1 : 0)'"#
    )
}

/// The number of a system call.
fn number(x86_64: u32, aarch64: u32) -> u32 {
    match cfg!(target_arch = "x86_64") {
        true => x86_64,
        false => aarch64,
    }
}

#[tokio::test]
async fn a_socket_with_a_path_cannot_be_reached() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("docker.sock");
    let _listening = UnixListener::bind(&path).expect("a socket");
    let connect = |kind: &str| {
        format!(
            "perl -MSocket -e 'socket(my $s, AF_UNIX, {kind}, 0) or exit 1; connect($s, pack_sockaddr_un(q({}))) or exit 1'",
            path.display()
        )
    };
    only_the_sandbox_refuses("a stream", &connect("SOCK_STREAM")).await;
    let _ = std::fs::remove_file(&path);
    let _listening = std::os::unix::net::UnixDatagram::bind(&path).expect("a socket");
    only_the_sandbox_refuses("a datagram", &connect("SOCK_DGRAM")).await;
    let paired = format!(
        "perl -MSocket -e 'socketpair(my $a, my $b, AF_UNIX, SOCK_DGRAM, 0) or exit 1; connect($a, pack_sockaddr_un(q({}))) or exit 1'",
        path.display()
    );
    only_the_sandbox_refuses("a pair of datagrams", &paired).await;
}

#[tokio::test]
async fn no_other_protocol_gets_out() {
    let listener = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    only_the_sandbox_refuses(
        "UDP",
        &format!("bash -c 'echo x > /dev/udp/127.0.0.1/{port}'"),
    )
    .await;
    let netlink = "perl -MSocket -e 'socket(my $s, 16, SOCK_RAW, 0) or exit 1'";
    only_the_sandbox_refuses("netlink", netlink).await;
}

#[tokio::test]
async fn the_metadata_of_a_foreign_file_stays_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = outside(folder.path());
    only_the_sandbox_refuses("chmod", &format!("chmod 666 {file}")).await;
    only_the_sandbox_refuses("chown", &format!("chown $(id -u) {file}")).await;
    only_the_sandbox_refuses("utime", &format!("touch -d 2001-01-01 {file}")).await;
    let set = format!("{}, $words[0], $words[1], $words[2], 1, 0", number(188, 5));
    let set = call(&set, &[&file, "user.mark", "x"]);
    only_the_sandbox_refuses("setxattr", &set).await;
    let truncate = format!("{}, $words[0], 8", number(76, 45));
    only_the_sandbox_refuses("truncate", &call(&truncate, &[&file])).await;
}

/// The error of this system call as a tool, by its number, and the same unconfined; 0 if it succeeds.
async fn errors(arguments: &str, words: &[&str]) -> [u64; 2] {
    let call = call(arguments, words).replace("< 0 ? 1 : 0", "< 0 ? $! : 0");
    let mut errors = [0; 2];
    for (error, is_confined) in errors.iter_mut().zip([true, false]) {
        let mut stand_in = StandIn::new(&format!("{call}; echo frame=$?; echo progress=end"));
        if !is_confined {
            stand_in.runner.sandbox.wrapper = None;
        }
        *error = stand_in.run().await.expect("ends well").progress.frame;
    }
    errors
}

#[tokio::test]
async fn new_calls_of_the_kernel_are_refused_as_the_old_ones_are() {
    const EPERM: u64 = 1;
    const ENOSYS: u64 = 38;
    let folder = tempfile::tempdir().expect("a folder");
    let file = outside(folder.path());
    // setxattrat with its value, removexattrat, open_tree_attr, file_setattr with attributes that change nothing.
    let calls = [
        "463, -100, $words[0], 0, $words[1], $zeros, 16",
        "466, -100, $words[0], 0, $words[1]",
        "467, -100, $words[0], 0, 0, 0",
        "469, -100, $words[0], $zeros, 24, 0",
    ];
    for arguments in calls {
        let [confined, unconfined] = errors(arguments, &[&file, "user.mark"]).await;
        assert_eq!(confined, EPERM, "{arguments}");
        assert_ne!(
            unconfined, EPERM,
            "{arguments}: not even allowed unconfined"
        );
    }
    // Calls that no kernel had when the filter was made.
    for number in [470, 490, 511] {
        let [confined, _] = errors(&format!("{number}, 0, 0, 0, 0, 0, 0"), &[]).await;
        assert_eq!(confined, ENOSYS, "{number}");
    }
}

#[tokio::test]
async fn a_tool_of_root_has_no_rights_besides_reading_and_writing_files_of_others() {
    for (set, of_root) in [("CapEff", 6), ("CapPrm", 6), ("CapBnd", 6), ("CapInh", 0)] {
        let stand_in = StandIn::new(&format!(
            r#"# By the shell itself: a tool may look at its own process, and not at others.
            while read -r name set; do [ "$name" = {set}: ] && break; done < /proc/self/status
            echo frame=$((0x$set)); echo progress=end"#
        ));
        let found = stand_in.run().await.expect("ends well").progress.frame;
        if rustix::process::geteuid().is_root() {
            assert_eq!(found & !of_root, 0, "{set}: {found:x}");
        } else if set != "CapBnd" {
            assert_eq!(found, 0, "{set}: {found:x}");
        }
    }
}

#[tokio::test]
async fn interfaces_of_the_kernel_that_no_transcoder_needs_are_closed() {
    only_the_sandbox_refuses("a namespace", "unshare --user true").await;
    only_the_sandbox_refuses("io_uring", &call("425, 1, $zeros", &[])).await;
    // The keyring of this process, which is made.
    let keyring = format!("{}, 0, -2, 1", number(250, 219));
    only_the_sandbox_refuses("keyctl", &call(&keyring, &[])).await;
    let memory = format!("{}, 0, 4096, 0600", number(29, 194));
    only_the_sandbox_refuses("shmget", &call(&memory, &[])).await;
    only_the_sandbox_refuses(
        "userfaultfd",
        &call(&format!("{}, 1", number(323, 282)), &[]),
    )
    .await;
}

/// The exit code of perl as the tool, with this program.
async fn perl(sandbox: &Sandbox, program: &str) -> Option<i32> {
    let folders = std::env::var_os("PATH").expect("a path");
    let perl = std::env::split_paths(&folders)
        .map(|folder| folder.join("perl"))
        .find(|file| file.is_file())
        .expect("perl");
    let mut command = sandbox.command(&perl);
    command.args(["-e", program]).stdin(Stdio::piped());
    let mut running = command.spawn().expect("started");
    // Its end would end the tool.
    let input = running.stdin.take();
    let status = running.wait().await.expect("ended");
    drop(input);
    status.code()
}

#[tokio::test]
async fn a_program_starts_no_other_processes_unless_it_is_made_of_several() {
    let fork = "my $child = fork; exit(defined $child ? 0 : 7)";
    let vfork = format!("exit(syscall({}) < 0 ? 7 : 0)", number(58, 220));
    let mut sandbox = StandIn::new("").runner.sandbox;
    sandbox.home = std::env::temp_dir();
    for program in [fork, &vfork] {
        assert_eq!(perl(&sandbox, program).await, Some(7), "{program}");
    }
    let wrapper = sandbox.wrapper.as_mut().expect("wrapped");
    wrapper.installed = vec![sandbox.home.clone()];
    assert_eq!(perl(&sandbox, fork).await, Some(0), "with further programs");
    StandIn::new("(exit 0) && echo frame=1 && echo progress=end")
        .run()
        .await
        .expect("a script starts processes");
}

#[tokio::test]
async fn the_neighbours_of_a_tool_are_not_its_own() {
    let mut stand_in = StandIn::new(
        r#"here=$(dirname "$0")
        frames=0
        cat "$here/ffmpeg" > /dev/null && frames=$((frames + 1))
        cat "$here/secret" > /dev/null 2>&1 && frames=$((frames + 10))
        cat "$here/lib/secret" > /dev/null 2>&1 && frames=$((frames + 100))
        echo frame=$frames; echo progress=end"#,
    );
    let folder = stand_in.folder.path().to_owned();
    std::fs::write(folder.join("secret"), "x").expect("written");
    std::fs::create_dir(folder.join("lib")).expect("made");
    std::fs::write(folder.join("lib/secret"), "x").expect("written");
    let frames = stand_in.run().await.expect("ends well").progress.frame;
    assert_eq!(frames, 1, "itself, and no more");
    // A person may name what else belongs to it.
    let wrapper = stand_in.runner.sandbox.wrapper.as_mut().expect("wrapped");
    wrapper.installed = vec![folder.join("lib").canonicalize().expect("there")];
    let frames = stand_in.run().await.expect("ends well").progress.frame;
    assert_eq!(frames, 101);
}
