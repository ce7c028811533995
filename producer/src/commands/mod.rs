//! The commands. Each is registered here: in [`FarmCommand`] with its options, and in [`FarmCommand::run`].

mod change;
mod completions;
mod download;
mod look;
mod orders;
mod presets;
mod run;
mod setup;

use std::process::ExitCode;

use clap::Subcommand;
use tokio_util::sync::CancellationToken;

use self::change::{cancel, reassign, reprioritize, retry};
use self::look::{batch, batches, job, jobs, logs, why, workers};
use self::orders::{drain, hours, pause, resume};
use self::run::{encode, enqueue, plan, watch};
use crate::embedded::guard;
use crate::exit::{Error, Exit};
use crate::settings::Settings;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Farm(FarmCommand),
    /// Print a completion script for a shell
    Completions(completions::Options),
    /// Run a program that ends when this one's standard input closes
    #[command(hide = true)]
    Guard(guard::Options),
}

/// Commands for which there are settings.
#[derive(Debug, Subcommand)]
pub(crate) enum FarmCommand {
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
    /// Make the streams and buckets of a farm on the broker, where they are missing
    Setup,
}

impl Command {
    /// Runs a command that needs no settings; gives back one that does.
    pub(crate) fn run_alone(self, command_line: clap::Command) -> Result<ExitCode, FarmCommand> {
        match self {
            Self::Farm(command) => Err(command),
            Self::Completions(options) => Ok(completions::run(&options, command_line).into()),
            Self::Guard(options) => Ok(guard::run(&options)),
        }
    }
}

impl FarmCommand {
    /// Whether the command makes a farm where the broker has none: those do that
    /// submit jobs or keep presets. The others look at a farm, or change what is there.
    pub(crate) fn sets_up(&self) -> bool {
        match self {
            Self::Setup | Self::Watch(_) => true,
            Self::Encode(options) => !options.jobs.dry_run,
            Self::Enqueue(options) => !options.jobs.dry_run,
            Self::Presets(options) => options.keeps(),
            _ => false,
        }
    }

    /// # Errors
    /// See [`Exit`].
    pub(crate) async fn run(
        self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        match self {
            Self::Encode(options) => encode::run(*options, settings, shutdown).await,
            Self::Enqueue(options) => enqueue::run(*options, settings, shutdown).await,
            Self::Watch(options) => watch::run(*options, settings, shutdown).await,
            Self::Download(options) => download::run(options, settings, shutdown).await,
            Self::Jobs(options) => interruptible(shutdown, jobs::run(options, settings)).await,
            Self::Job(options) => interruptible(shutdown, job::run(options, settings)).await,
            Self::Why(options) => interruptible(shutdown, why::run(options, settings)).await,
            Self::Logs(options) => interruptible(shutdown, logs::run(options, settings)).await,
            Self::Batches(options) => {
                interruptible(shutdown, batches::run(options, settings)).await
            }
            Self::Batch(options) => interruptible(shutdown, batch::run(options, settings)).await,
            Self::Cancel(options) => interruptible(shutdown, cancel::run(options, settings)).await,
            Self::Retry(options) => interruptible(shutdown, retry::run(options, settings)).await,
            Self::Reprioritize(options) => {
                interruptible(shutdown, reprioritize::run(options, settings)).await
            }
            Self::Reassign(options) => {
                interruptible(shutdown, reassign::run(options, settings)).await
            }
            Self::Pause(options) => interruptible(shutdown, pause::run(options, settings)).await,
            Self::Resume(options) => interruptible(shutdown, resume::run(options, settings)).await,
            Self::Drain(options) => interruptible(shutdown, drain::run(options, settings)).await,
            Self::Hours(options) => interruptible(shutdown, hours::run(options, settings)).await,
            Self::Presets(options) => {
                interruptible(shutdown, presets::run(options, settings)).await
            }
            Self::Workers(options) => {
                interruptible(shutdown, workers::run(options, settings)).await
            }
            Self::Plan(options) => interruptible(shutdown, plan::run(*options, settings)).await,
            Self::Setup => interruptible(shutdown, setup::run(settings)).await,
        }
    }
}

/// A command that has nothing to clean up when it is interrupted.
async fn interruptible(
    shutdown: &CancellationToken,
    command: impl Future<Output = Result<Exit, Error>>,
) -> Result<Exit, Error> {
    tokio::select! {
        result = command => result,
        () = shutdown.cancelled() => Err(Error::interrupted("interrupted")),
    }
}
