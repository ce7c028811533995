//! The broker of a farm on this machine: started, told to read its users again, stopped. It outlives the command.

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::broker::{Broker, BrokerError, ConnectOptions};
use common::say;

use super::FarmOptions;
use super::place::FarmPlace;
use crate::cli::exit::{Error, Exit};
#[cfg(unix)]
use crate::display::output;
use crate::embedded::broker as server;

/// How long the server may take to start: a large store takes a while to recover.
const START: Duration = Duration::from_secs(60);
/// How long it may take to stop.
#[cfg(unix)]
const STOP: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);
/// How long it may take to read its configuration again.
#[cfg(unix)]
const RELOAD: Duration = Duration::from_secs(10);
/// What it says then.
#[cfg(unix)]
const RELOADED: &str = "Reloaded server configuration";

/// Connects to the farm's broker, and starts it first if it does not run. Makes the streams that are missing.
///
/// # Errors
/// The server does not start, or is no server of this farm.
pub(super) async fn up(
    place: &FarmPlace,
    farm: &FarmOptions,
    options: &ConnectOptions,
) -> Result<Broker, Error> {
    let mut child = match Broker::set_up(options).await {
        Ok(broker) => return Ok(broker),
        Err(BrokerError::Unreachable { .. }) if !farm.no_start => {
            let program = server::find(farm.nats_server.as_deref()).await?;
            start(place, &program)?
        }
        Err(error) => return Err(error.into()),
    };
    let deadline = Instant::now() + START;
    loop {
        tokio::time::sleep(LOOK).await;
        match Broker::set_up(options).await {
            Ok(broker) => return Ok(broker),
            Err(BrokerError::Unreachable { .. }) if Instant::now() < deadline => {}
            Err(error) => return Err(error.into()),
        }
        if let Ok(Some(_)) = child.try_wait() {
            return Err(Error::out_of_reach(format!(
                "nats-server has ended: {}; its log is {}",
                last_words(&place.log()),
                place.log().display()
            )));
        }
    }
}

/// Whether a port is free to listen on.
///
/// # Errors
/// Something listens there, or the address is none of this machine.
pub(super) fn check_free(listen: SocketAddr) -> Result<(), Error> {
    TcpListener::bind(listen).map(drop).map_err(|error| {
        Error::usage(format!(
            "the broker cannot listen on {listen}: {error}; choose another address with --listen ADDRESS:PORT, or make the farm on \
             the broker that runs there: `producer setup --nats nats://HOST:PORT`"
        ))
    })
}

fn start(place: &FarmPlace, program: &Path) -> Result<Child, Error> {
    let failed = |error: std::io::Error| {
        Error::out_of_reach(format!("cannot start {}: {error}", program.display()))
    };
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let log = options.open(place.log()).map_err(failed)?;
    let mut command = Command::new(program);
    command
        .arg("-c")
        .arg(place.configuration())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // Ctrl-C in this terminal is not meant for it.
        command.process_group(0);
    }
    command.spawn().map_err(failed)
}

/// The last line of the server's log.
fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().last().unwrap_or("it said nothing").to_owned()
}

/// Has the running server read its configuration again, or says how to have it: a server that another one starts, as a
/// service or in a container, is out of this program's reach.
///
/// # Errors
/// The server cannot be told.
pub(super) fn tell(place: &FarmPlace) -> Result<(), Error> {
    if !reload(place)? {
        say!(
            "No broker was told, because none runs that this command has started. If it is a service: `systemctl reload ffmpeg-easy-broker`, \
             or `docker compose kill --signal HUP nats`. Until then, it knows its former users and certificate."
        );
    }
    Ok(())
}

/// Has the running server read its configuration again; whether there is one. A server that does not run reads it when it
/// starts.
///
/// # Errors
/// The server cannot be told.
#[cfg(unix)]
pub(super) fn reload(place: &FarmPlace) -> Result<bool, Error> {
    let log = place.log();
    let before = std::fs::metadata(&log).map_or(0, |log| log.len());
    if !signal(place, rustix::process::Signal::HUP)? {
        return Ok(false);
    }
    let deadline = Instant::now() + RELOAD;
    while Instant::now() < deadline && !said_since(&log, before).contains(RELOADED) {
        std::thread::sleep(LOOK);
    }
    Ok(true)
}

/// What the server has written to its log since that was so many bytes long.
#[cfg(unix)]
fn said_since(log: &Path, before: u64) -> String {
    use std::io::{Read, Seek, SeekFrom};

    let mut said = Vec::new();
    let read = File::open(log).and_then(|mut log| {
        log.seek(SeekFrom::Start(before))?;
        log.read_to_end(&mut said)
    });
    read.map_or_else(
        |_| String::new(),
        |_| String::from_utf8_lossy(&said).into_owned(),
    )
}

/// Elsewhere, there are no signals.
#[cfg(not(unix))]
pub(super) fn reload(_: &FarmPlace) -> Result<bool, Error> {
    say!("restart nats-server: until then, it knows its former users");
    Ok(true)
}

/// Stops the server.
#[cfg(unix)]
pub(super) async fn stop(place: &FarmPlace) -> Result<Exit, Error> {
    place.is_made_here()?;
    if !signal(place, rustix::process::Signal::TERM)? {
        output::print("the broker does not run");
        return Ok(Exit::Done);
    }
    let deadline = Instant::now() + STOP;
    while process(place).is_some() {
        if Instant::now() > deadline {
            return Err(Error::failed(format!(
                "nats-server does not stop; its log is {}",
                place.log().display()
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
    output::print("the broker has stopped");
    Ok(Exit::Done)
}

#[cfg(not(unix))]
pub(super) async fn stop(_: &FarmPlace) -> Result<Exit, Error> {
    Err(Error::failed("end the process nats-server by hand"))
}

/// Sends a signal to the server; whether it runs.
#[cfg(unix)]
fn signal(place: &FarmPlace, signal: rustix::process::Signal) -> Result<bool, Error> {
    let Some(id) = process(place) else {
        return Ok(false);
    };
    rustix::process::kill_process(id, signal)
        .map_err(|error| Error::failed(format!("nats-server cannot be told: {error}")))?;
    Ok(true)
}

/// The server, by the file that it writes, if it is alive and is this farm's: its number may be another program's by
/// now.
#[cfg(unix)]
fn process(place: &FarmPlace) -> Option<rustix::process::Pid> {
    let text = std::fs::read_to_string(place.pid()).ok()?;
    let id = rustix::process::Pid::from_raw(text.trim().parse().ok()?)?;
    rustix::process::test_kill_process(id).ok()?;
    let command = std::fs::read(format!("/proc/{}/cmdline", id.as_raw_nonzero()));
    let is_ours = |command: Vec<u8>| {
        let configuration = place.configuration().into_os_string().into_encoded_bytes();
        command
            .split(|byte| *byte == 0)
            .any(|word| word == configuration)
    };
    // Without /proc, the file is believed.
    command.map_or(true, is_ours).then_some(id)
}
