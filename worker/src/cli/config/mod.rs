//! The configuration of a worker: command line, environment, the farm's file, defaults.

mod detection;
mod examples;
mod places;
mod problems;
mod signers;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use common::broker::{ConnectOptions, Replicas, Servers};
use common::farm::hours::Hours;
use common::farm::queue::Queue;
use common::farm::worker::Terms;
use common::farm::worker_name::WorkerName;
use common::job::signature::Signers;
use common::names::location::Location;
use common::notify::secret::Secret;
use common::program::farm_file::{FarmFile, Program};
use common::program::join::{JoinError, Machine, join_at_start};
use common::program::telemetry;
use common::program::telemetry::LogFormat;
use common::store::Stores;

pub use self::detection::{DetectionArgs, cache_folder};
pub use self::signers::RequiredSignature;
use crate::capabilities::host_name;
use crate::dispatch::Limits;

/// Runs encodes for an ffmpeg-easy farm on this machine.
#[derive(Debug, Parser)]
#[command(
    name = "worker",
    version,
    args_conflicts_with_subcommands = true,
    after_long_help = examples::WORK
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub config: Config,
}

/// What a worker program can do besides working.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List what this machine's ffmpeg and hardware can really do
    #[command(after_long_help = examples::CAPABILITIES)]
    Capabilities {
        /// Print the capability card as JSON
        #[arg(long)]
        json: bool,
        /// The folder for files in the making, whose free space is told [default: ~/.cache/ffmpeg-easy]
        #[arg(long, env = "WORKER_SCRATCH", value_name = "DIR")]
        scratch: Option<PathBuf>,
        #[command(flatten)]
        detection: DetectionArgs,
        #[command(flatten)]
        log: LogArgs,
    },
    /// Check the settings, and whether broker, buckets (--bucket) and ffmpeg can be reached, then exit
    #[command(after_long_help = examples::CHECK_CONFIG)]
    CheckConfig {
        #[command(flatten)]
        config: Box<Config>,
    },
    /// Write the manual pages into a folder
    #[command(hide = true)]
    Manual {
        /// Folder for the pages
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
}

/// How to log.
#[derive(Clone, Debug, Args)]
pub struct LogArgs {
    /// What to log: error, warn, info, debug or trace
    #[arg(long, env = "LOG_LEVEL", value_name = "LEVEL", default_value = "info")]
    pub log_level: String,
    /// How to write it: text or json
    #[arg(
        long,
        env = "LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "text"
    )]
    pub log_format: LogFormat,
}

/// How inputs in an object store are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReadMode {
    /// In place, by the ranges that ffmpeg asks for
    InPlace,
    /// Downloaded to scratch first
    Download,
}

/// How much of an output is decoded before it is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Verify {
    /// All of it
    Full,
    /// Ten seconds at its start and ten at its end
    Sample,
}

/// How to work.
#[derive(Clone, Debug, Args)]
pub struct Config {
    /// The farm's file [default: ~/.config/ffmpeg-easy/farm.toml, if it exists]
    #[arg(long, env = "FARM", value_name = "FILE")]
    pub farm: Option<PathBuf>,
    /// Join a farm with the token that `producer setup` has printed (-: from standard input), then work
    #[arg(long, value_name = "TOKEN")]
    pub join: Option<Secret>,
    /// NATS servers, comma-separated, instead of the farm file's broker [default: nats://127.0.0.1:4222]
    #[arg(long, env = "NATS_URL", value_name = "URL", hide_env_values = true)]
    pub nats: Option<Servers>,
    /// NATS credentials file
    #[arg(long, env = "NATS_CREDS", value_name = "FILE")]
    pub nats_creds: Option<PathBuf>,
    /// This worker's name, unique in the farm [default: the host's name]
    #[arg(long, env = "WORKER_NAME")]
    pub name: Option<WorkerName>,
    /// Folder for files in the making [default: ~/.cache/ffmpeg-easy]
    #[arg(long, env = "WORKER_SCRATCH", value_name = "DIR")]
    pub scratch: Option<PathBuf>,
    /// Folder below which files may be read and written; may be given again. Without one, no job about local files is taken [env: WORKER_ROOT, a list like PATH]
    #[arg(long = "root", value_name = "PATH")]
    pub roots: Vec<PathBuf>,
    /// Bucket, or prefix of one, below which objects may be read and written; may be given again [env: WORKER_BUCKET, comma-separated] [default: all that the credentials open]
    #[arg(long = "bucket", value_name = "s3://BUCKET/PREFIX", value_parser = places::bucket)]
    pub buckets: Vec<Location>,
    /// Take signed jobs only, of these public keys; farm: of those that the farm file lists
    #[arg(
        long,
        env = "WORKER_REQUIRE_SIGNATURE",
        value_name = "KEY,…|farm",
        value_delimiter = ','
    )]
    pub require_signature: Vec<RequiredSignature>,
    /// Jobs to run at once [default: a quarter of the cores, at least 2]
    #[arg(long, env = "WORKER_MAX_JOBS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_jobs: Option<u32>,
    /// Start jobs only in these hours of the local time, e.g. 22:00-07:00 or "mon-fri 19:00-07:00; sat,sun 00:00-24:00"
    #[arg(long, env = "WORKER_SCHEDULE", value_name = "HOURS")]
    pub schedule: Option<Hours>,
    /// Serve these queues only, e.g. hevc_nvenc,any_hevc
    #[arg(
        long,
        env = "WORKER_ONLY",
        value_name = "QUEUE,…",
        value_delimiter = ','
    )]
    pub only: Vec<Queue>,
    /// Look at these queues before others of the same priority
    #[arg(
        long,
        env = "WORKER_PREFER",
        value_name = "QUEUE,…",
        value_delimiter = ','
    )]
    pub prefer: Vec<Queue>,
    /// Smallest input to take, e.g. 100M
    #[arg(long, env = "WORKER_MIN_SIZE", value_name = "SIZE", value_parser = size)]
    pub min_size: Option<u64>,
    /// Largest input to take, e.g. 20G
    #[arg(long, env = "WORKER_MAX_SIZE", value_name = "SIZE", value_parser = size)]
    pub max_size: Option<u64>,
    /// After so many different jobs in a row that fail by this worker's fault, take no more, rest and prove the encoders again; 0: never
    #[arg(
        long,
        env = "WORKER_QUARANTINE_AFTER",
        value_name = "N",
        default_value_t = 3
    )]
    pub quarantine_after: u32,
    /// How long such a rest lasts; twice as long each further time
    #[arg(long, env = "WORKER_QUARANTINE_REST", value_name = "TIME", default_value = "1m", value_parser = humantime::parse_duration)]
    pub quarantine_rest: Duration,
    /// Copies of every stream that is made in a cluster: 1, 3 or 5 [default: 1]
    #[arg(long, env = "NATS_REPLICAS", value_name = "N")]
    pub replicas: Option<Replicas>,
    /// On SIGTERM, finish what can be done within this time; give the rest back
    #[arg(long, env = "WORKER_DRAIN_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub drain_timeout: Duration,
    /// End once no job has run here for this long: for workers that an autoscaler starts
    #[arg(long, env = "WORKER_EXIT_WHEN_IDLE", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub exit_when_idle: Option<Duration>,
    /// End after so many jobs, and parts of split jobs; 1: take one and end
    #[arg(long, env = "WORKER_MAX_TOTAL_JOBS", value_name = "N")]
    pub max_total_jobs: Option<NonZeroU32>,
    /// Kill an ffmpeg that makes no progress for this long
    #[arg(long, env = "WORKER_STALL_TIMEOUT", value_name = "TIME", default_value = "2m", value_parser = humantime::parse_duration)]
    pub stall_timeout: Duration,
    /// End a job whose ffmpeg runs for longer [default: an hour, and a thousand times the length of the film]
    #[arg(long, env = "WORKER_MAX_JOB_TIME", value_name = "TIME", value_parser = humantime::parse_duration)]
    pub max_job_time: Option<Duration>,
    /// Memory that one ffmpeg may use, e.g. 8G [default: three quarters of the machine's]
    #[arg(long, env = "WORKER_MAX_MEMORY", value_name = "SIZE", value_parser = size)]
    pub max_memory: Option<u64>,
    /// How to read inputs from an object store
    #[arg(
        long,
        env = "WORKER_READ",
        value_name = "MODE",
        default_value = "in-place"
    )]
    pub read: ReadMode,
    /// How much of an output to decode before it is published
    #[arg(
        long,
        env = "WORKER_VERIFY",
        value_name = "HOW",
        default_value = "full"
    )]
    pub verify: Verify,
    /// How long a job waits after its first failed attempt; twice as long after each further one
    #[arg(long, env = "RETRY_AFTER", value_name = "TIME", default_value = "5s", value_parser = humantime::parse_duration)]
    pub retry_after: Duration,
    /// How long a job may go without a sign of life; lanes that exist keep theirs
    #[arg(long, env = "ACK_WAIT", value_name = "TIME", default_value = "30s", value_parser = ack_wait)]
    pub ack_wait: Duration,
    /// Serve metrics for Prometheus at this address, e.g. 127.0.0.1:9464 [default: not served]
    #[arg(long, env = "WORKER_METRICS", value_name = "ADDRESS")]
    pub metrics: Option<SocketAddr>,
    /// Stop when standard input closes, as on SIGTERM
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,
    #[command(flatten)]
    pub detection: DetectionArgs,
    #[command(flatten)]
    pub log: LogArgs,
    /// What the farm's file says.
    #[arg(skip)]
    pub file: FarmFile,
}

fn ack_wait(text: &str) -> Result<Duration, String> {
    let wait = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if wait < ConnectOptions::SHORTEST_ACK_WAIT {
        return Err("at least 1s: a sign of life is sent every third of it".to_owned());
    }
    Ok(wait)
}

/// Parses `500M`, `20G` or `1000000` to bytes, with powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let binary = parse_size::Config::new().with_binary();
    binary
        .parse_size(text)
        .map_err(|_| format!("'{text}' is no size: expected e.g. 500M or 20G"))
}

impl Cli {
    pub fn log(&self) -> &LogArgs {
        match &self.command {
            Some(Command::Capabilities { log, .. }) => log,
            Some(Command::CheckConfig { config }) => &config.log,
            Some(Command::Manual { .. }) | None => &self.config.log,
        }
    }

    /// Parses the command line and the environment of this process. If that fails, prints all wrong values and ends
    /// the process.
    pub fn read() -> Self {
        let arguments: Vec<_> = std::env::args_os().collect();
        match Self::try_parse_from(&arguments) {
            Ok(cli) => cli,
            Err(error) => problems::exit(&error, &arguments),
        }
    }

    /// Joins a farm, if the command line says so, and reads the farm's file, where the command needs the farm.
    ///
    /// # Errors
    /// The token or the file cannot be used.
    pub fn load(&mut self) -> Result<(), JoinError> {
        let config = match &mut self.command {
            None => &mut self.config,
            Some(Command::CheckConfig { config }) => config,
            Some(Command::Capabilities { .. } | Command::Manual { .. }) => return Ok(()),
        };
        if let Some(token) = &config.join {
            let machine = Machine {
                name: config.name.as_ref(),
                roots: &config.roots,
                ..Machine::new(Program::Worker)
            };
            join_at_start(token, config.farm.as_deref(), &machine)?;
        }
        config.file = FarmFile::load(config.farm.as_deref())?;
        Ok(())
    }
}

impl Config {
    /// Checks the values that clap does not check.
    ///
    /// # Errors
    /// Every problem.
    pub fn check(&self) -> Result<(), Vec<String>> {
        let mut wrong = self.stores().err().unwrap_or_default();
        wrong.extend(self.detection.missing_reads());
        wrong.extend(self.signers().err());
        wrong.extend(self.other_name());
        wrong.extend(telemetry::check_level(&self.log.log_level).err());
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Stores that may use only the configured places.
    ///
    /// # Errors
    /// Every place that is no existing folder or no bucket.
    pub fn stores(&self) -> Result<Stores, Vec<String>> {
        let stores = Stores::of(self.file.store.settings());
        places::stores(stores, &self.roots, &self.buckets, &self.file.worker)
    }

    /// Whose jobs are taken; `None` for everybody's.
    ///
    /// # Errors
    /// The farm's file lists no key, and should.
    pub fn signers(&self) -> Result<Option<Signers>, String> {
        signers::signers(&self.require_signature, &self.file.worker)
    }

    /// What is wrong with the name, if the key in the farm's file is another worker's: the broker would only refuse.
    fn other_name(&self) -> Option<String> {
        let (name, only) = (self.name.as_ref()?, self.file.worker.only_name()?);
        (self.nats.is_none() && self.nats_creds.is_none() && name != only).then(|| {
            format!(
                "--name: the key in the farm file is for the worker {only} alone, and this one is to be called {name}; leave out --name \
                 (WORKER_NAME), or join with the line of `producer setup add worker {name}`"
            )
        })
    }

    /// The folder for files in the making.
    pub fn scratch(&self) -> PathBuf {
        let scratch = self
            .scratch
            .clone()
            .or_else(|| self.file.worker.scratch.clone());
        scratch.unwrap_or_else(cache_folder)
    }

    pub fn terms(&self) -> Terms {
        Terms {
            min_size: self.min_size,
            max_size: self.max_size,
            only: self.only.clone(),
            prefer: self.prefer.clone(),
        }
    }

    /// When the worker ends by itself.
    pub fn limits(&self) -> Limits {
        Limits {
            total_jobs: self.max_total_jobs,
            idle: self.exit_when_idle,
        }
    }

    pub fn worker_name(&self) -> WorkerName {
        self.name
            .clone()
            .or_else(|| self.file.worker.name.clone())
            .unwrap_or_else(|| WorkerName::from_host(&host_name()))
    }

    /// The number of jobs to run at the same time. A second slot keeps the cores busy while the first job reads,
    /// verifies or publishes.
    pub fn slots(&self, cores: u32) -> u32 {
        self.max_jobs
            .or(self.file.worker.max_jobs)
            .unwrap_or_else(|| (cores / 4).max(cores.min(2)))
    }

    pub fn broker(&self) -> ConnectOptions {
        let name = format!("worker {}", self.worker_name());
        let (servers, credentials) = (self.nats.clone(), self.nats_creds.clone());
        let mut options = self
            .file
            .connect(Program::Worker, servers, credentials, name);
        options.ack_wait = self.ack_wait;
        options.replicas = self.replicas.unwrap_or(options.replicas);
        options.retry_after = self.retry_after;
        options
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn passwords_are_not_printed() {
        let line = ["worker", "--nats", "nats://me:hunter2@a:4222"];
        let printed = format!("{:?}", Cli::try_parse_from(line).expect("parsed"));
        assert!(printed.contains("nats://a:4222"), "{printed}");
        assert!(!printed.contains("hunter2"), "{printed}");
    }

    #[test]
    fn help_does_not_show_the_address_in_the_environment() {
        let command = Cli::command();
        let mut arguments = command.get_arguments();
        let nats = arguments.find(|argument| argument.get_id() == "nats");
        assert!(nats.expect("--nats").is_hide_env_values_set());
    }
}
