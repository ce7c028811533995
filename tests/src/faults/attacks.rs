//! What an attacker tries who has taken ffmpeg over.

use std::fs::File;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

/// The tag of an output that lists the attacks, each with its success: `chmod=yes udp=no`.
pub const TAG: &str = "stand_in_attacks";

/// What an attack reaches for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Targets {
    /// A socket of another program, with this path.
    pub socket: PathBuf,
    /// A port of this machine that takes datagrams.
    pub datagrams: u16,
    /// A port of this machine at which another service listens.
    pub broker: u16,
    /// A file of the worker's user that nobody gave to ffmpeg.
    pub file: PathBuf,
}

/// Tries everything, and tells it as [`TAG`] does.
pub fn told(targets: &Targets) -> String {
    let tried = tried(targets).into_iter();
    let told =
        tried.map(|(name, success)| format!("{name}={}", if success { "yes" } else { "no" }));
    told.collect::<Vec<String>>().join(" ")
}

/// Tries everything; returns what succeeded.
fn tried(targets: &Targets) -> Vec<(&'static str, bool)> {
    use rustix::fs::{CWD, XattrFlags, setxattr, utimensat};

    let Targets {
        socket,
        datagrams,
        broker,
        file,
    } = targets;
    let program = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let call = |arguments: &str| {
        let script = format!(r#"my $zeros = "\0" x 256; exit(syscall({arguments}) < 0 ? 1 : 0)"#);
        program("perl", &["-e", &script])
    };
    let udp = || {
        let from = std::net::UdpSocket::bind("127.0.0.1:0")?;
        from.send_to(b"secret", ("127.0.0.1", *datagrams))
    };
    let times = rustix::fs::Timestamps {
        last_access: rustix::fs::Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        },
        last_modification: rustix::fs::Timespec {
            tv_sec: 1,
            tv_nsec: 0,
        },
    };
    let keyctl = if cfg!(target_arch = "x86_64") {
        250
    } else {
        219
    };
    vec![
        (
            "socket",
            std::os::unix::net::UnixStream::connect(socket).is_ok(),
        ),
        ("udp", udp().is_ok()),
        (
            "broker",
            std::net::TcpStream::connect(("127.0.0.1", *broker)).is_ok(),
        ),
        ("read", std::fs::read(file).is_ok()),
        ("write", File::options().append(true).open(file).is_ok()),
        (
            "chmod",
            std::fs::set_permissions(file, PermissionsExt::from_mode(0o644)).is_ok(),
        ),
        (
            "utime",
            utimensat(CWD, file, &times, rustix::fs::AtFlags::empty()).is_ok(),
        ),
        (
            "xattr",
            setxattr(file, "user.mark", b"x", XattrFlags::empty()).is_ok(),
        ),
        ("namespace", program("unshare", &["--user", "true"])),
        ("io_uring", call("425, 1, $zeros")),
        ("keyctl", call(&format!("{keyctl}, 0, -2, 1"))),
    ]
}
