//! What a worker is told: command line, environment, defaults.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use common::broker::ConnectOptions;
use common::farm::hours::Hours;
use common::farm::queue::Queue;
use common::farm::worker::Terms;
use common::farm::worker_name::WorkerName;
use common::names::location::Location;
use common::program::telemetry::LogFormat;
use common::recipe::encoder::Encoder;
use common::store::Stores;
use common::store::roots::Roots;

use crate::attempt::scratch;
use crate::capabilities::host_name;

/// Runs encodes for an ffmpeg-easy farm on this machine.
#[derive(Debug, Parser)]
#[command(name = "worker", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    /// What to do instead of working.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// How to work.
    #[command(flatten)]
    pub config: Config,
}

/// What a worker program can do besides working.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List what this machine's ffmpeg and hardware can really do
    Capabilities {
        /// Print the capability card as JSON
        #[arg(long)]
        json: bool,
        /// How to look.
        #[command(flatten)]
        detection: DetectionArgs,
        /// How to log.
        #[command(flatten)]
        log: LogArgs,
    },
    /// Check the settings, and whether broker, buckets (--bucket) and ffmpeg can be reached, then exit
    CheckConfig {
        /// The settings to check.
        #[command(flatten)]
        config: Box<Config>,
    },
}

/// How to find out what the machine can do.
#[derive(Clone, Debug, Args)]
pub struct DetectionArgs {
    /// The ffmpeg to use [default: from PATH]
    #[arg(long, env = "FFMPEG", value_name = "PATH")]
    pub ffmpeg: Option<PathBuf>,
    /// The ffprobe to use [default: next to ffmpeg, or from PATH]
    #[arg(long, env = "FFPROBE", value_name = "PATH")]
    pub ffprobe: Option<PathBuf>,
    /// Test and serve these video encoders only
    #[arg(
        long,
        env = "WORKER_ENCODERS",
        value_name = "NAME,…",
        value_delimiter = ','
    )]
    pub encoders: Option<Vec<Encoder>>,
    /// Test again what was found out before
    #[arg(long)]
    pub fresh: bool,
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
    /// In place, by range requests to a presigned URL
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
    /// NATS servers, comma-separated
    #[arg(
        long,
        env = "NATS_URL",
        value_name = "URL",
        default_value = "nats://127.0.0.1:4222"
    )]
    pub nats: String,
    /// NATS credentials file
    #[arg(long, env = "NATS_CREDS", value_name = "FILE")]
    pub nats_creds: Option<PathBuf>,
    /// This worker's name, unique in the farm [default: the host's name]
    #[arg(long, env = "WORKER_NAME")]
    pub name: Option<WorkerName>,
    /// Folder for files in the making
    #[arg(long, env = "WORKER_SCRATCH", value_name = "DIR", default_value_os_t = scratch::default_base())]
    pub scratch: PathBuf,
    /// Folder below which files may be read and written; may be given again. Without one, no job about local files is taken [env: WORKER_ROOT, a list like PATH]
    #[arg(long = "root", value_name = "PATH")]
    pub roots: Vec<PathBuf>,
    /// Bucket, or prefix of one, below which objects may be read and written; may be given again [env: WORKER_BUCKET, comma-separated] [default: all that the credentials open]
    #[arg(long = "bucket", value_name = "s3://BUCKET/PREFIX", value_parser = bucket)]
    pub buckets: Vec<Location>,
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
    /// Copies of every stream that is made in a cluster: 1, 3 or 5
    #[arg(long, env = "NATS_REPLICAS", value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=5))]
    pub replicas: u8,
    /// On SIGTERM, finish what can be done within this time; give the rest back
    #[arg(long, env = "WORKER_DRAIN_TIMEOUT", value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    pub drain_timeout: Duration,
    /// Kill an ffmpeg that makes no progress for this long
    #[arg(long, env = "WORKER_STALL_TIMEOUT", value_name = "TIME", default_value = "2m", value_parser = humantime::parse_duration)]
    pub stall_timeout: Duration,
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
    /// Stop when standard input closes, as on SIGTERM
    #[arg(long, hide = true)]
    pub stop_with_stdin: bool,
    /// How to find out what the machine can do.
    #[command(flatten)]
    pub detection: DetectionArgs,
    /// How to log.
    #[command(flatten)]
    pub log: LogArgs,
}

fn ack_wait(text: &str) -> Result<Duration, String> {
    let wait = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if wait < Duration::from_secs(1) {
        return Err("at least 1s: a sign of life is sent every third of it".to_owned());
    }
    Ok(wait)
}

/// Reads a bucket, or a prefix of one.
fn bucket(text: &str) -> Result<Location, String> {
    let location = Location::from_argument(text).map_err(|error| error.to_string())?;
    if !location.is_remote() {
        return Err(format!(
            "'{text}' is no bucket: expected s3://BUCKET/PREFIX"
        ));
    }
    Ok(location)
}

/// Reads `500M`, `20G`, `1000000`: bytes, by powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("'{text}' is no size: expected e.g. 500M or 20G");
    let (number, unit) = match text.char_indices().last() {
        Some((at, unit)) if unit.is_ascii_alphabetic() => (&text[..at], unit.to_ascii_uppercase()),
        _ => (text, 'B'),
    };
    let shift = match unit {
        'B' => 0,
        'K' => 10,
        'M' => 20,
        'G' => 30,
        'T' => 40,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

impl Config {
    /// Access to media where this worker was told that it may read and write, and
    /// nowhere else.
    ///
    /// # Errors
    /// Where that is no folder that exists, or no bucket.
    pub fn stores(&self) -> Result<Stores, String> {
        let listed = std::env::var_os("WORKER_ROOT").unwrap_or_default();
        let folders: Vec<PathBuf> = if self.roots.is_empty() {
            std::env::split_paths(&listed)
                .filter(|path| !path.as_os_str().is_empty())
                .collect()
        } else {
            self.roots.clone()
        };
        let listed = std::env::var("WORKER_BUCKET").unwrap_or_default();
        let buckets = if self.buckets.is_empty() {
            let texts = listed.split(',').map(str::trim);
            texts
                .filter(|text| !text.is_empty())
                .map(bucket)
                .collect::<Result<_, _>>()
                .map_err(|error| format!("WORKER_BUCKET: {error}"))?
        } else {
            self.buckets.clone()
        };
        let roots = Roots::new(folders).map_err(|error| format!("--root: {error}"))?;
        Ok(Stores::new().within(roots, buckets))
    }

    /// What this worker is willing to take.
    pub fn terms(&self) -> Terms {
        Terms {
            min_size: self.min_size,
            max_size: self.max_size,
            only: self.only.clone(),
            prefer: self.prefer.clone(),
        }
    }

    /// The name to go by.
    pub fn worker_name(&self) -> WorkerName {
        self.name
            .clone()
            .unwrap_or_else(|| WorkerName::from_host(&host_name()))
    }

    /// Jobs to run at once. A second slot keeps the cores busy while the first
    /// reads, verifies or publishes.
    pub fn slots(&self, cores: u32) -> u32 {
        self.max_jobs
            .unwrap_or_else(|| (cores / 4).max(cores.min(2)))
    }

    /// How to reach the broker.
    pub fn broker(&self) -> ConnectOptions {
        let mut options = ConnectOptions::new(&self.nats, format!("worker {}", self.worker_name()));
        options.credentials.clone_from(&self.nats_creds);
        options.ack_wait = self.ack_wait;
        options.replicas = self.replicas.into();
        options.retry_after = self.retry_after;
        options
    }
}
