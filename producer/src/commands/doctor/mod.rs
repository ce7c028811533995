//! `producer doctor`: tries everything that a farm needs of this machine, and says of each trouble what to do.

mod broker;
mod certificate;
mod finding;
mod machine;
mod monitor;
mod rights;
mod store;

use clap::Args;
use common::recipe::encoder::Encoder;

use self::finding::{Finding, State};
use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::output;

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Loopback port on which a broker of this machine tells of itself
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 8222,
        hide_short_help = true
    )]
    http_port: u16,
    /// The worker program to ask about this machine [default: next to this one, or from PATH]
    #[arg(
        long,
        value_name = "PATH",
        env = "WORKER_PROGRAM",
        hide_short_help = true
    )]
    worker_program: Option<std::path::PathBuf>,
    /// Encoders that the worker of this machine is to have, e.g. hevc_nvenc [default: one that every ffmpeg has]
    #[arg(
        long,
        value_name = "NAME,…",
        env = "WORKER_ENCODERS",
        value_delimiter = ','
    )]
    encoders: Vec<Encoder>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(options: &Options, settings: &Settings) -> Result<Exit, Error> {
    let mut findings = vec![file(settings)];
    findings.extend(broker::check(settings, options.http_port).await);
    findings.extend(certificate::check(settings).await);
    findings.extend(store::check(settings).await);
    let program = options.worker_program.as_deref();
    findings.extend(machine::check(settings, program, &options.encoders).await);
    findings.extend(monitor::check(settings).await);
    if options.json {
        output::print_json(&findings)?;
    } else {
        let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
        output::print(&lines.join("\n"));
    }
    let is_wrong = |finding: &Finding| finding.state == State::Wrong;
    Ok(match findings.iter().any(is_wrong) {
        true => Exit::Failed,
        false => Exit::Done,
    })
}

/// The farm's file.
fn file(settings: &Settings) -> Finding {
    let path = common::program::farm_file::FarmFile::path(settings.farm.as_deref());
    let about = path.map_or_else(|| "none".to_owned(), |path| path.display().to_string());
    match &settings.file_error {
        Some(error) => Finding::wrong("farm file", about, error, "change the file as it says"),
        None if settings.has_a_farm() => Finding::fine("farm file", about, "it can be used"),
        None => Finding::doubtful(
            "farm file",
            about,
            "this machine belongs to no farm",
            "make one by `producer setup`, or paste the line that it has printed",
        ),
    }
}
