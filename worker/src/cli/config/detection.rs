//! How a worker finds out what its machine can do.

use std::path::PathBuf;

use clap::Args;
use common::farm::card::Capabilities;
use common::farm::confinement::Confinement;
use common::recipe::encoder::Encoder;

use crate::capabilities;
use crate::capabilities::Detection;
use crate::cli::error::Error;
use crate::ffmpeg::Tools;
use crate::sandbox::level::Policy;
use crate::sandbox::{Wrapper, level};

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
    /// Whether ffmpeg may run where the kernel cannot confine its files, network and system calls
    #[arg(long, env = "WORKER_SANDBOX", value_name = "HOW", default_value_t = Policy::default(), value_enum)]
    pub sandbox: Policy,
    /// Further files and folders that ffmpeg needs and may read: the program behind a wrapper script, or its data
    #[arg(
        long,
        env = "WORKER_FFMPEG_READS",
        value_name = "PATH,…",
        value_delimiter = ','
    )]
    pub ffmpeg_reads: Vec<PathBuf>,
}

/// The default folder for scratch files and capability cards. It is on a disk, because `/tmp` may be in memory.
pub fn cache_folder() -> PathBuf {
    let folders = directories::BaseDirs::new();
    let cache = folders.map(|folders| folders.cache_dir().to_owned());
    cache.unwrap_or_else(std::env::temp_dir).join("ffmpeg-easy")
}

/// The path of the running program. On Linux it stays valid when an upgrade replaces the file.
fn own_program() -> Option<PathBuf> {
    if cfg!(target_os = "linux") {
        Some("/proc/self/exe".into())
    } else {
        std::env::current_exe().ok()
    }
}

impl DetectionArgs {
    /// # Errors
    /// If ffmpeg or ffprobe is missing.
    pub fn tools(&self) -> anyhow::Result<Tools> {
        Ok(Tools::find(self.ffmpeg.clone(), self.ffprobe.clone())?)
    }

    pub async fn detection(&self, tools: &Tools) -> Detection {
        Detection {
            only: self.encoders.clone(),
            cache: Some(cache_folder().join("capabilities.json")),
            fresh: self.fresh,
            wrapper: self.wrapper().await,
            ..Detection::new(&tools.ffmpeg)
        }
    }

    /// How this worker wraps the tools that it runs; `None` if this program does not know its own path.
    pub async fn wrapper(&self) -> Option<Wrapper> {
        let program = own_program()?;
        let offered = level::offered(&program).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the sandbox cannot be tried");
            Confinement::default()
        });
        let installed = self.ffmpeg_reads.iter();
        Some(Wrapper {
            policy: self.sandbox,
            installed: installed
                .filter_map(|path| path.canonicalize().ok())
                .collect(),
            offered,
            ..Wrapper::new(program)
        })
    }

    /// Makes sure that this machine offers the parts of the sandbox that the worker needs.
    ///
    /// # Errors
    /// What is missing, and what to do.
    pub async fn check_sandbox(&self) -> Result<Confinement, Error> {
        let offered = self.wrapper().await.map(|wrapper| wrapper.offered);
        let offered = offered.unwrap_or_default();
        match level::refusal(self.sandbox, offered) {
            Some(why) => Err(Error::Usage(why)),
            None => Ok(offered),
        }
    }

    /// The paths of `--ffmpeg-reads` that do not exist, as errors.
    pub(super) fn missing_reads(&self) -> impl Iterator<Item = String> {
        let missing = self.ffmpeg_reads.iter().filter(|path| !path.exists());
        missing.map(|path| format!("--ffmpeg-reads: there is no {}", path.display()))
    }

    /// Detects the encoders of this machine. Keeps the card for the next start if `keep` is set.
    ///
    /// # Errors
    /// If ffmpeg does not run.
    pub async fn detect(&self, tools: &Tools, keep: bool) -> anyhow::Result<Capabilities> {
        let detection = Detection {
            keep,
            ..self.detection(tools).await
        };
        let card = capabilities::detect(&detection).await?;
        for encoder in self.encoders.iter().flatten() {
            if !card.encoders.contains_key(encoder) {
                tracing::warn!(%encoder, "this ffmpeg has no such encoder: is the name in --encoders right?");
            }
        }
        Ok(card)
    }
}
