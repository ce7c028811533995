//! `producer setup`: makes a farm on this machine, or the streams of a farm on a broker that runs already.
//!
//! A new farm is a folder beside the farm's file: the broker's configuration, its users, and a certificate authority of
//! its own. The broker's data lie elsewhere. A second `setup` changes nothing that exists, and starts what does not run.

mod broker;
mod certificates;
mod new;
mod own;
mod place;
mod remove;
mod store;
mod tokens;
mod users;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use common::broker::server::Role;
use common::names::token::Token;

use self::place::FarmPlace;
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::commands::examples;
use crate::display::output;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    farm: FarmOptions,
}

/// What a new farm is to be like.
#[derive(Debug, Args)]
struct FarmOptions {
    /// Address and port of the new broker [default: 0.0.0.0:4222, which other machines reach]
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Name or address by which other machines reach this one; may be given again [default: its address]
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Folder below which workers may read and write; may be given again. A --store folder is one
    #[arg(long = "root", value_name = "PATH")]
    roots: Vec<PathBuf>,
    /// Folder for the data of the new broker [default: ~/.local/share/ffmpeg-easy/broker]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Loopback port on which the new broker tells of itself
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 8222,
        hide_short_help = true
    )]
    http_port: u16,
    /// The nats-server to use [default: from PATH]
    #[arg(long, value_name = "PATH", env = "NATS_SERVER", hide_short_help = true)]
    nats_server: Option<PathBuf>,
    /// Do not start the broker: a service manager or a container runs it with the configuration that this command writes.
    ///
    /// Run the command once more when the broker runs: it makes the streams, and proves the store.
    #[arg(long)]
    no_start: bool,
}

/// What to do with the users of the farm that this machine has made.
#[derive(Debug, Subcommand)]
enum Verb {
    /// Add a user, and print the line that makes another machine use it
    #[command(after_long_help = examples::SETUP_ADD)]
    Add(Add),
    /// List the users
    #[command(after_long_help = examples::SETUP_LIST)]
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Remove a user: its machine is cut off at once
    #[command(after_long_help = examples::SETUP_REMOVE)]
    Remove {
        /// The user's name
        #[arg(value_name = "NAME")]
        name: Token,
        /// Remove it also if this machine itself needs it, or nobody could keep the farm without it
        #[arg(long)]
        force: bool,
    },
    /// Stop the broker; `producer setup` starts it again
    #[command(after_long_help = examples::SETUP_STOP)]
    Stop,
}

#[derive(Debug, Args)]
struct Add {
    /// What the user may do: worker, producer, monitor, reader or admin
    #[arg(value_name = "ROLE")]
    role: Role,
    /// The user's name; a worker has the same name
    #[arg(value_name = "NAME")]
    name: Token,
    /// Let the user be any worker: for machines that come and go
    #[arg(long)]
    any: bool,
    /// Folder below which this worker may read and write; may be given again [default: those of the farm]
    #[arg(long = "root", value_name = "PATH")]
    roots: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let place = FarmPlace::find(settings, options.farm.data.as_deref())?;
    match options.verb {
        Some(Verb::Add(add)) => tokens::add(add, &place, settings),
        Some(Verb::List { json }) => users::list(&place, json),
        Some(Verb::Remove { name, force }) => remove::remove(&name, force, &place, settings),
        Some(Verb::Stop) => broker::stop(&place).await,
        None if settings.names_a_broker() => streams(settings).await,
        None if place.is_made() => new::again(&options.farm, &place, settings).await,
        // This machine has joined a farm of another one. (A file that is named and missing is one that is to be made.)
        None if settings.file().broker.servers.is_some() => streams(settings).await,
        None => new::make(&options.farm, &place, settings).await,
    }
}

/// Makes the streams that are missing on a broker that runs already.
async fn streams(settings: &Settings) -> Result<Exit, Error> {
    settings.connect().await?;
    let joined = settings.file().broker.servers.as_ref();
    output::print(&match joined.filter(|_| !settings.names_a_broker()) {
        None => "the broker has all streams and buckets of a farm".to_owned(),
        Some(servers) => format!(
            "This machine has joined the farm at {servers}, which another machine has made: nothing was made here. The farm is as it should be."
        ),
    });
    Ok(Exit::Done)
}
