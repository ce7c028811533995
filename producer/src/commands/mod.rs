//! The commands. Each is registered here: in [`FarmCommand`] with its options, and in [`FarmCommand::run`].
//!
//! More than 12 entries: one for each command, or for several that do alike.

mod autoscale;
mod backup;
mod change;
mod completions;
mod doctor;
mod download;
mod examples;
mod hooks;
mod join;
mod library;
mod look;
mod manual;
mod orders;
mod presets;
mod run;
mod setup;

use std::process::ExitCode;

use clap::Subcommand;
use tokio_util::sync::CancellationToken;

use self::change::{cancel, reassign, reprioritize, retry, trash, undo};
use self::look::{batch, batches, job, jobs, logs, why, workers};
use self::orders::{drain, hours, pause, resume};
use self::run::{check, encode, enqueue, merge, plan, sample, watch};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::{FarmUsage, Settings};
use crate::embedded::guard;

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(flatten)]
    Farm(FarmCommand),
    /// Print a completion script for a shell
    #[command(after_long_help = examples::COMPLETIONS)]
    Completions(completions::Options),
    /// Write the manual pages into a folder
    #[command(hide = true)]
    Manual(manual::Options),
    /// Run a program that ends when this one's standard input closes
    #[command(hide = true)]
    Guard(guard::Options),
}

/// Commands that need the settings.
#[derive(Debug, Subcommand)]
pub(crate) enum FarmCommand {
    /// Encode files and folders into a folder; needs no server
    #[command(after_long_help = examples::ENCODE)]
    Encode(Box<encode::Options>),
    /// Join files into one, by copy where they are alike; needs no server
    #[command(after_long_help = examples::MERGE)]
    Merge(Box<merge::Options>),
    /// Look for damage in files: in their containers, and in what can be decoded; needs no server
    #[command(after_long_help = examples::CHECK)]
    Check(Box<check::Options>),
    /// Encode short samples of a film and tell what the whole would take; needs no server
    #[command(after_long_help = examples::SAMPLE)]
    Sample(Box<sample::Options>),
    /// Submit files, folders or bucket prefixes to the farm
    #[command(after_long_help = examples::ENQUEUE)]
    Enqueue(Box<enqueue::Options>),
    /// Watch a folder or bucket prefix and submit new files, until interrupted
    #[command(after_long_help = examples::WATCH)]
    Watch(Box<watch::Options>),
    /// List jobs
    #[command(after_long_help = examples::JOBS)]
    Jobs(jobs::Options),
    /// Show everything about one job
    #[command(after_long_help = examples::JOB)]
    Job(job::Options),
    /// Explain why a job waits, or how it ended
    #[command(after_long_help = examples::WHY)]
    Why(why::Options),
    /// Show the ffmpeg commands and the log of a job
    #[command(after_long_help = examples::LOGS)]
    Logs(logs::Options),
    /// List batches: the jobs that were submitted together
    #[command(after_long_help = examples::BATCHES)]
    Batches(batches::Options),
    /// Show the progress of one batch
    #[command(after_long_help = examples::BATCH)]
    Batch(batch::Options),
    /// Download the results of a batch from the store to a local folder
    #[command(after_long_help = examples::DOWNLOAD)]
    Download(download::Options),
    /// Cancel waiting or running jobs
    #[command(after_long_help = examples::CANCEL)]
    Cancel(cancel::Options),
    /// Retry failed or cancelled jobs
    #[command(after_long_help = examples::RETRY)]
    Retry(retry::Options),
    /// Put originals back that `--replace` has replaced
    #[command(after_long_help = examples::UNDO)]
    Undo(undo::Options),
    /// List and empty the trashes of replaced originals
    #[command(after_long_help = examples::TRASH)]
    Trash(trash::Options),
    /// Change the priority of waiting jobs
    #[command(after_long_help = examples::REPRIORITIZE)]
    Reprioritize(reprioritize::Options),
    /// Assign jobs to one worker, or release them to any
    #[command(after_long_help = examples::REASSIGN)]
    Reassign(reassign::Options),
    /// Pause a queue or a batch: running jobs finish, no more are started
    #[command(after_long_help = examples::PAUSE)]
    Pause(pause::Options),
    /// Resume a worker, a queue or a batch; also ends a quarantine
    #[command(after_long_help = examples::RESUME)]
    Resume(resume::Options),
    /// Drain a worker: it finishes its jobs and takes no more
    #[command(after_long_help = examples::DRAIN)]
    Drain(drain::Options),
    /// Set the working hours of a worker
    #[command(after_long_help = examples::HOURS)]
    Hours(hours::Options),
    /// List, write, import, save and remove presets, and choose the default
    #[command(after_long_help = examples::PRESETS)]
    Presets(presets::Options),
    /// Keep folders and bucket prefixes in shape: add, list, show, change, pause
    #[command(after_long_help = examples::LIBRARY)]
    Library(library::Options),
    /// Save, list, try and remove hooks: addresses that are told of what happens
    #[command(after_long_help = examples::HOOKS)]
    Hooks(hooks::Options),
    /// List live workers and their proven encoders
    #[command(after_long_help = examples::WORKERS)]
    Workers(workers::Options),
    /// Start workers while jobs wait for them, and end idle ones, until interrupted
    #[command(after_long_help = examples::AUTOSCALE)]
    Autoscale(Box<autoscale::Options>),
    /// Show which workers could run a recipe, without submitting anything
    #[command(after_long_help = examples::PLAN)]
    Plan(Box<plan::Options>),
    /// Make a farm: a broker on this machine, its users, the store; print how other machines join
    #[command(after_long_help = examples::SETUP)]
    Setup(Box<setup::Options>),
    /// Copy all that the farm keeps on its broker to a file, while it works
    #[command(after_long_help = examples::BACKUP)]
    Backup(backup::Options),
    /// Make a farm of its backup
    #[command(after_long_help = examples::RESTORE)]
    Restore(backup::restore::Options),
    /// Check everything that the farm needs of this machine, and tell what to do
    #[command(after_long_help = examples::DOCTOR)]
    Doctor(doctor::Options),
    /// Join a farm with the token that `producer setup` has printed
    #[command(after_long_help = examples::JOIN)]
    Join(join::Options),
}

impl Command {
    /// Runs a command that needs no settings. Gives back any other command.
    pub(crate) fn run_alone(
        self,
        command_line: clap::Command,
    ) -> Result<ExitCode, Box<FarmCommand>> {
        match self {
            Self::Farm(command) => Err(Box::new(command)),
            Self::Completions(options) => Ok(completions::run(&options, command_line).into()),
            Self::Manual(options) => Ok(manual::run(&options, command_line).into()),
            Self::Guard(options) => Ok(guard::run(&options)),
        }
    }
}

impl FarmCommand {
    pub(crate) fn farm_usage(&self) -> FarmUsage {
        FarmUsage {
            sets_up: self.sets_up(),
            is_optional: matches!(
                self,
                Self::Encode(_) | Self::Merge(_) | Self::Check(_) | Self::Sample(_)
            ),
            makes_file: matches!(self, Self::Setup(_) | Self::Join(_)),
            judges_file: matches!(self, Self::Doctor(_)),
        }
    }

    /// Whether the command creates a farm on a broker that has none: commands that submit jobs or save presets do.
    fn sets_up(&self) -> bool {
        match self {
            Self::Setup(_) | Self::Check(_) | Self::Sample(_) | Self::Restore(_) => true,
            Self::Watch(options) => !options.jobs.dry_run,
            Self::Encode(options) => !options.jobs.dry_run,
            Self::Enqueue(options) => !options.jobs.dry_run,
            Self::Merge(options) => !options.jobs.dry_run,
            Self::Presets(options) => options.keeps(),
            Self::Library(options) => options.keeps(),
            Self::Hooks(options) => options.keeps(),
            Self::Autoscale(options) => !options.dry_run,
            _ => false,
        }
    }

    pub(crate) async fn run(
        self,
        settings: &Settings,
        shutdown: &CancellationToken,
    ) -> Result<Exit, Error> {
        match self {
            Self::Encode(options) => encode::run(*options, settings, shutdown).await,
            Self::Merge(options) => merge::run(*options, settings, shutdown).await,
            Self::Check(options) => check::run(*options, settings, shutdown).await,
            Self::Sample(options) => sample::run(*options, settings, shutdown).await,
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
            Self::Undo(options) => undo::run(options, settings, shutdown).await,
            Self::Trash(options) => interruptible(shutdown, trash::run(options, settings)).await,
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
                interruptible(shutdown, presets::run(options, settings, shutdown)).await
            }
            Self::Library(options) => {
                interruptible(shutdown, library::run(options, settings)).await
            }
            Self::Hooks(options) => interruptible(shutdown, hooks::run(options, settings)).await,
            Self::Workers(options) => {
                interruptible(shutdown, workers::run(options, settings)).await
            }
            Self::Autoscale(options) => autoscale::run(*options, settings, shutdown).await,
            Self::Plan(options) => interruptible(shutdown, plan::run(*options, settings)).await,
            Self::Setup(options) => interruptible(shutdown, setup::run(*options, settings)).await,
            Self::Backup(options) => interruptible(shutdown, backup::run(options, settings)).await,
            Self::Restore(options) => {
                interruptible(shutdown, backup::restore::run(options, settings)).await
            }
            Self::Doctor(options) => interruptible(shutdown, doctor::run(&options, settings)).await,
            Self::Join(options) => join::run(&options, settings),
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
