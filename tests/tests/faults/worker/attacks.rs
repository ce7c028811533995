//! An ffmpeg that an attacker has taken over, in a real worker: what it reaches for is out of its reach.

use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use common::farm::confinement::Confinement;
use common::job::Job;
use harness::farm::Farm;
use harness::faults::attacks::{TAG, Targets};
use harness::faults::stand_in::{Fault, StandIn, Trick};
use harness::outside;
use harness::outside::media::Media;
use harness::paths;
use harness::servers::store::TestStore;

/// What there is to attack, as long as this lives.
struct Prey {
    folder: tempfile::TempDir,
    _socket: UnixListener,
    datagrams: UdpSocket,
    broker: u16,
}

impl Prey {
    fn new(broker: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        std::fs::write(&file, "precious").expect("room");
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).expect("ours");
        Self {
            _socket: UnixListener::bind(folder.path().join("socket")).expect("a socket"),
            datagrams: UdpSocket::bind("127.0.0.1:0").expect("a port"),
            folder,
            broker,
        }
    }

    fn targets(&self) -> Targets {
        Targets {
            socket: self.folder.path().join("socket"),
            datagrams: self.datagrams.local_addr().expect("an address").port(),
            broker: self.broker,
            file: self.folder.path().join("file"),
        }
    }
}

/// Each attack with its success: `chmod=yes udp=no`.
fn told(output: &Path) -> Vec<(String, bool)> {
    let media = Media::of(output);
    let attacks = media.tag(TAG).expect("the tag of the stand-in");
    let attacks = attacks.split(' ').filter_map(|attack| {
        let (name, success) = attack.split_once('=')?;
        Some((name.to_owned(), success == "yes"))
    });
    attacks.collect()
}

fn all(told: &[(String, bool)], succeed: bool) {
    assert!(told.len() >= 10, "{told:?}");
    let others: Vec<_> = told
        .iter()
        .filter(|(_, success)| *success != succeed)
        .collect();
    assert!(others.is_empty(), "success of {others:?}");
}

#[tokio::test]
async fn an_ffmpeg_that_was_taken_over_reaches_nothing() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let prey = Prey::new(listener.local_addr().expect("an address").port());
    let folder = farm.folder().join("ffmpeg");
    let mut ffmpeg = StandIn::new(&folder);
    ffmpeg.set_fault(Fault::Trick(Trick::Attack(prey.targets())));

    // Unconfined, every attack succeeds: so each refusal below is the sandbox's.
    let output = farm.folder().join("unconfined.mkv");
    let name = |path: &Path| format!("file:{}", path.display());
    let (input, to) = (name(&paths::media("h264.mp4")), name(&output));
    let encoded = Command::new(ffmpeg.program())
        .args([
            "-v",
            "error",
            "-i",
            &input,
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            &to,
        ])
        .status();
    assert!(encoded.expect("runs").success());
    all(&told(&output), true);

    let worker = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let mut worker = farm.join(worker.environment(store.environment())).await;
    let level = farm.ready(&mut worker).await.card.sandbox;
    assert!(level.is_some_and(Confinement::is_full), "{level:?}");
    let local = farm.job(&paths::media("h264.mp4"), "libx264");
    farm.enqueue(&local).await;
    farm.completed(&local.id).await;
    all(&told(&farm.out().join("h264.mkv")), false);

    store.put(&paths::media("h264.mp4"), "in/film.mp4").await;
    let remote: Job = store.job("in/film.mp4", "out/film.mkv", "libx264").await;
    farm.enqueue(&remote).await;
    farm.completed(&remote.id).await;
    let output = farm.folder().join("remote.mkv");
    let made = store.get("out/film.mkv").await.expect("an object");
    std::fs::write(&output, made).expect("room");
    all(&told(&output), false);

    let file = prey.folder.path().join("file");
    assert_eq!(std::fs::read(file).expect("there"), b"precious");
}

/// Asks at an address of a worker, as a client of HTTP does, and returns the head of the answer.
fn asked(address: &str, user: Option<u32>) -> String {
    let rest = address.strip_prefix("http://").expect("an address");
    let (host, path) = rest.split_once('/').expect("with a path");
    let (host, port) = host.split_once(':').expect("with a port");
    let script = format!(
        r#"exec 3<> /dev/tcp/{host}/{port}; printf 'GET /{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3; head -n 1 <&3"#
    );
    let mut command = match user {
        None => Command::new("bash"),
        Some(user) => {
            let mut command = Command::new("setpriv");
            let user = user.to_string();
            command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "bash"]);
            command
        }
    };
    let answer = command.args(["-c", &script]).output().expect("bash");
    String::from_utf8_lossy(&answer.stdout).into_owned()
}

#[tokio::test]
async fn the_process_list_gives_no_access_to_an_object() {
    let farm = Farm::start().await;
    let store = TestStore::start(farm.folder()).await;
    let mut ffmpeg = StandIn::new(&farm.folder().join("ffmpeg"));
    ffmpeg.set_fault(Fault::Held);
    let worker = farm.worker("w").encoders("libx264").ffmpeg(&ffmpeg);
    let worker = farm.join(worker.environment(store.environment())).await;
    store.put(&paths::media("h264.mp4"), "in/film.mp4").await;
    let job: Job = store.job("in/film.mp4", "out/film.mkv", "libx264").await;
    farm.enqueue(&job).await;
    farm.encoding(&job.id, &worker).await;

    let found = outside::processes_of(&ffmpeg.program());
    let signed = found
        .iter()
        .find(|process| process.command.contains("X-Amz"));
    assert!(signed.is_none(), "{signed:?}");
    let mut words = found.iter().flat_map(|process| &process.arguments);
    let address = words
        .find(|word| word.starts_with("http://"))
        .expect("an input");
    assert!(asked(address, None).contains("200"), "of this user");
    if rustix::process::geteuid().is_root() {
        assert_eq!(asked(address, Some(65534)), "", "of another user");
    }
    ffmpeg.recover();
    farm.completed(&job.id).await;
    assert!(
        asked(address, None).contains("404"),
        "the attempt has ended"
    );
}
