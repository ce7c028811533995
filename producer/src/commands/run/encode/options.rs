//! The options of `producer encode`.

use std::path::PathBuf;

use clap::Args;

use crate::notify::NotifyOptions;
use crate::recipe::options::RecipeOptions;
use crate::submit::replace::ReplaceOptions;
use crate::submit::sources::SourceOptions;
use crate::submit::terms::JobOptions;

const HELP: &str = "Without an option that names an encoder, libx265 is used.";

#[derive(Debug, Args)]
#[command(after_help = HELP)]
pub(crate) struct Options {
    #[command(flatten)]
    pub sources: SourceOptions,
    /// Folder for the results; running the same command again resumes an interrupted one
    #[arg(short, long, value_name = "DIR", required_unless_present = "replace")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    pub replace: ReplaceOptions,
    #[command(flatten)]
    pub recipe: RecipeOptions,
    #[command(flatten)]
    pub jobs: JobOptions,
    #[command(flatten)]
    pub notify: NotifyOptions,
    #[command(flatten)]
    pub machine: MachineOptions,
}

/// What the private farm is made of; without effect with `--nats`.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "This machine (without --nats)")]
pub(crate) struct MachineOptions {
    /// nats-server 2.12 or later [default: from PATH, or next to producer]
    #[arg(long, value_name = "PATH", env = "NATS_SERVER")]
    pub nats_server: Option<PathBuf>,
    /// The worker program [default: next to producer, or from PATH]
    #[arg(long, value_name = "PATH", env = "WORKER_PROGRAM")]
    pub worker_program: Option<PathBuf>,
    /// The ffmpeg to use [default: from PATH]
    #[arg(long, value_name = "PATH", env = "FFMPEG")]
    pub ffmpeg: Option<PathBuf>,
    /// Files to encode at once [default: by the number of cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub max_jobs: Option<u32>,
    /// Folder for temporary files [default: the state folder, or the output folder's disk]
    #[arg(long, value_name = "DIR")]
    pub scratch: Option<PathBuf>,
}

impl MachineOptions {
    /// Without options of its own, a command takes what the environment says.
    pub(crate) fn from_environment() -> Self {
        let path = |name| {
            let value = std::env::var_os(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        Self {
            nats_server: path("NATS_SERVER"),
            worker_program: path("WORKER_PROGRAM"),
            ffmpeg: path("FFMPEG"),
            max_jobs: None,
            scratch: None,
        }
    }
}
