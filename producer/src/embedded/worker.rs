//! The worker of the private farm: the sibling program `worker`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::broker::Broker;
use common::farm::worker::Heartbeat;
use common::farm::worker_name::WorkerName;
use common::names::location::Location;
use common::program::farm_file::{FarmFile, StoreSection};
use common::recipe::encoder::Encoder;

use super::guarded::{GuardPlan, Guarded};
use super::state::State;
use crate::cli::exit::Error;
use crate::embedded::executables;

/// The name of the only worker.
const NAME: &str = "local";

pub(crate) fn name() -> WorkerName {
    WorkerName::from_host(NAME)
}

/// How long the test encodes may take. The worker itself gives up hardware that hangs long before.
const START: Duration = Duration::from_secs(180);
/// How often to check whether the worker is ready.
const LOOK: Duration = Duration::from_millis(50);
/// How long the worker may take to release its jobs and end its ffmpegs.
const GRACE: Duration = Duration::from_secs(20);

/// How to run the worker.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The worker program.
    pub program: PathBuf,
    /// ffmpeg, where it is not the one in PATH.
    pub ffmpeg: Option<PathBuf>,
    /// Jobs at once; `None` leaves the choice to the worker.
    pub max_jobs: Option<u32>,
    /// Folder for temporary files.
    pub scratch: PathBuf,
    /// Folders that hold the inputs and take the outputs: it reads and writes no others.
    pub roots: Vec<PathBuf>,
    /// The only encoders to prove; `None` for all.
    pub encoders: Option<Vec<Encoder>>,
    /// How to reach buckets, where the environment does not say so.
    pub store: StoreSection,
}

/// The variable by which a person may require a sandbox.
const SANDBOX: &str = "WORKER_SANDBOX";

/// Environment variables that would change the broker of the worker, which jobs it takes, where it reads and writes, or
/// its log.
const TERMS: [&str; 11] = [
    "NATS_URL",
    "NATS_CREDS",
    "WORKER_ROOT",
    "WORKER_BUCKET",
    "WORKER_SCHEDULE",
    "WORKER_ONLY",
    "WORKER_PREFER",
    "WORKER_MIN_SIZE",
    "WORKER_MAX_SIZE",
    "NATS_REPLICAS",
    "LOG_FORMAT",
];

/// Finds the worker program: the one that was named, else next to this
/// program, else in PATH.
///
/// # Errors
/// Where there is none.
pub(crate) fn find(named: Option<&Path>) -> Result<PathBuf, Error> {
    match named {
        Some(path) => executables::named(path)
            .ok_or_else(|| Error::out_of_reach(format!("not a program: {}", path.display()))),
        None => executables::beside_this("worker")
            .or_else(|| executables::in_path("worker"))
            .ok_or_else(|| {
                Error::out_of_reach(
                    "the program `worker` is neither next to `producer` nor in PATH: install it there, or give --worker-program PATH",
                )
            }),
    }
}

/// The folders that a worker needs for these inputs and an output folder: those
/// that the files lie in and, where links lead elsewhere, those as well.
pub(crate) fn roots<'a>(output: &Path, inputs: impl Iterator<Item = &'a Location>) -> Vec<PathBuf> {
    let mut roots = vec![output.to_owned()];
    for input in inputs.filter_map(Location::path) {
        let real = input.canonicalize().ok();
        for file in std::iter::once(input).chain(real) {
            if !roots.iter().any(|root| file.starts_with(root)) {
                roots.extend(file.parent().map(Path::to_owned));
            }
        }
    }
    // A folder within another one adds nothing.
    let all = roots.clone();
    roots.retain(|root| {
        !all.iter()
            .any(|other| other != root && root.starts_with(other))
    });
    roots
}

/// Starts the worker of a private broker.
pub(crate) fn start(
    setup: &Setup,
    state: &State,
    url: &str,
    is_restart: bool,
) -> Result<Guarded, Error> {
    let plan = GuardPlan {
        what: "worker",
        program: &setup.program,
        lock: state.path("worker.lock"),
        after: None,
        grace: GRACE,
        log: state.path("worker.log"),
        fresh_log: !is_restart,
    };
    let mut arguments: Vec<std::ffi::OsString> = Vec::new();
    let mut option = |name: &str, value: std::ffi::OsString| {
        arguments.push(name.into());
        arguments.push(value);
    };
    option("--name", NAME.into());
    option("--scratch", setup.scratch.clone().into());
    for root in &setup.roots {
        option("--root", root.clone().into());
    }
    // Interrupted jobs are released at once, and the next command continues them.
    option("--drain-timeout", "0s".into());
    // There is no other worker that could take its jobs.
    option("--quarantine-after", "0".into());
    option("--log-level", "info".into());
    // Whoever encodes files of their own on a machine without Landlock is told, and not kept from it.
    if std::env::var_os(SANDBOX).is_none() {
        option("--sandbox", "best-effort".into());
    }
    if let Some(encoders) = &setup.encoders {
        let names: Vec<&str> = encoders.iter().map(Encoder::as_str).collect();
        option("--encoders", names.join(",").into());
    }
    if let Some(jobs) = setup.max_jobs {
        option("--max-jobs", jobs.to_string().into());
    }
    if let Some(ffmpeg) = &setup.ffmpeg {
        option("--ffmpeg", ffmpeg.clone().into());
    }
    // In a file of this user: the command line and the environment are no place for secrets.
    let mut farm = FarmFile::default();
    farm.broker.servers = Some(url.into());
    farm.store = StoreSection {
        url: None,
        ..setup.store.clone()
    };
    let file = state.path("farm.toml");
    farm.write(&file).map_err(Error::failed)?;
    option("--farm", file.into());
    arguments.push("--stop-with-stdin".into());
    Guarded::start(plan, arguments, |command| {
        // These are set for a worker of a farm on this machine.
        for terms in TERMS {
            command.env_remove(terms);
        }
    })
}

/// Waits until the worker has proved what it can do.
///
/// # Errors
/// Where it ends instead, or takes too long.
pub(crate) async fn ready(worker: &mut Guarded, broker: &Broker) -> Result<Heartbeat, Error> {
    let card = async {
        let deadline = Instant::now() + START;
        loop {
            let alive = broker.workers().await?;
            if let Some(heartbeat) = alive.into_iter().find(|alive| alive.name.as_str() == NAME) {
                return Ok(heartbeat);
            }
            if Instant::now() > deadline {
                return Err(Error::out_of_reach(format!(
                    "the worker was not ready within {} s",
                    START.as_secs()
                )));
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::select! {
        card = card => card,
        error = worker.ended() => Err(error),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn links_to_elsewhere_open_just_the_folder_that_they_lead_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let base = folder.path().canonicalize().expect("there");
        let path = |name: &str| base.join(name);
        for made in ["in/deep", "disk2/films", "out"] {
            std::fs::create_dir_all(path(made)).expect("made");
        }
        for file in ["in/a", "in/deep/b", "disk2/films/c"] {
            std::fs::write(path(file), file).expect("written");
        }
        std::os::unix::fs::symlink(path("disk2/films/c"), path("in/c")).expect("linked");
        let inputs = ["in/deep/b", "in/a", "in/c"].map(|name| Location::file(&path(name)));
        let inputs: Vec<_> = inputs.into_iter().map(|at| at.expect("absolute")).collect();
        let roots = roots(&path("out"), inputs.iter());
        assert_eq!(roots, ["out", "in", "disk2/films"].map(path));
    }
}
