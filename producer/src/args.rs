//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use common::program::telemetry::LogFormat;

use crate::commands::change::{cancel, reassign, reprioritize, retry};
use crate::commands::look::{batch, batches, job, jobs, logs, why, workers};
use crate::commands::orders::{drain, hours, pause, resume};
use crate::commands::run::{encode, enqueue, plan, watch};
use crate::commands::{completions, download, presets};
use crate::embedded::guard;
use crate::exit;

/// Hands media to an ffmpeg-easy encoding farm, or encodes it right here.
#[derive(Debug, Parser)]
#[command(name = "producer", version, after_help = exit::HELP, subcommand_required = true)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub common: CommonOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Encode files and folders into a folder; needs no server
    Encode(Box<encode::Options>),
    /// Hand files, folders or bucket prefixes to the farm
    Enqueue(Box<enqueue::Options>),
    /// Hand in what arrives in a folder or bucket prefix, until interrupted
    Watch(Box<watch::Options>),
    /// List jobs
    Jobs(jobs::Options),
    /// Show all that is known of one job
    Job(job::Options),
    /// Say in one sentence what a job waits for, or what became of it
    Why(why::Options),
    /// Show what ffmpeg was asked to do for a job, and what it said
    Logs(logs::Options),
    /// List what was enqueued together
    Batches(batches::Options),
    /// Show how far one batch is
    Batch(batch::Options),
    /// Bring the results of a batch from the store into a folder of this machine
    Download(download::Options),
    /// Cancel jobs that wait or run
    Cancel(cancel::Options),
    /// Have jobs that failed or were cancelled tried again
    Retry(retry::Options),
    /// Change how urgent jobs are that wait
    Reprioritize(reprioritize::Options),
    /// Give jobs to one worker, or back to all
    Reassign(reassign::Options),
    /// Start nothing more of a queue or a batch
    Pause(pause::Options),
    /// Resume a worker, a queue or a batch; lifts a quarantine, too
    Resume(resume::Options),
    /// Have a worker finish what it has and take no more
    Drain(drain::Options),
    /// Set when a worker starts jobs
    Hours(hours::Options),
    /// Keep recipes by name, and one of them as the farm's default
    Presets(presets::Options),
    /// List the workers that are alive and what they have proved
    Workers(workers::Options),
    /// Show who could run a recipe, before anything is sent
    Plan(Box<plan::Options>),
    /// Print a completion script for a shell
    Completions(completions::Options),
    /// Run a program that ends when this one's standard input closes
    #[command(hide = true)]
    Guard(guard::Options),
}

/// What every command takes. Each has an environment variable, and a key in the
/// file that `--config` names; the command line wins over both, the file loses.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Farm")]
pub struct CommonOptions {
    /// NATS server of the farm [default: nats://127.0.0.1:4222; `encode` starts its own]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "NATS_URL",
        hide_env_values = true
    )]
    pub nats: Option<String>,
    /// NATS credentials file
    #[arg(long, global = true, value_name = "FILE", env = "NATS_CREDS")]
    pub nats_creds: Option<PathBuf>,
    /// Copies that a cluster keeps of each stream which this program makes first: 1, 3 or 5 [default: 1]
    #[arg(long, global = true, value_name = "N", env = "NATS_REPLICAS", value_parser = clap::value_parser!(u8).range(1..=5), hide_short_help = true)]
    pub replicas: Option<u8>,
    /// Object store of the farm, e.g. s3://bucket/prefix: local files are uploaded to it
    #[arg(long, global = true, value_name = "LOCATION", env = "STORE_URL")]
    pub store: Option<String>,
    /// How long a claimed job may go without a sign of life, for lanes made now [default: 30s]
    #[arg(long, global = true, value_name = "TIME", env = "ACK_WAIT", value_parser = duration, hide_short_help = true)]
    pub ack_wait: Option<Duration>,
    /// TOML file with defaults: nats, nats_creds, replicas, store, ack_wait, log_level, log_format
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to log to stderr: error, warn, info, debug or trace [default: warn]
    #[arg(long, global = true, value_name = "LEVEL")]
    pub log_level: Option<String>,
    /// How to log: text or json [default: text]
    #[arg(long, global = true, value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
}

/// Reads `30s`, `2m`.
///
/// # Errors
/// What is wrong with the text.
pub fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text).map_err(|error| format!("{error}; expected e.g. 30s or 2m"))
}
