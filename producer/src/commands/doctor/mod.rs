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
use self::machine::Machine;
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
    // What the file would say is not known: nobody means the broker at the usual address then.
    let is_known = settings.file_error.is_none();
    if is_known || settings.names_a_broker() {
        findings.extend(broker::check(settings, options.http_port).await);
        findings.extend(certificate::check(settings).await);
    }
    findings.extend(store::check(settings).await);
    let machine = Machine {
        program: options.worker_program.as_deref(),
        encoders: &options.encoders,
        cause: cause(&findings),
    };
    findings.extend(machine::check(settings, &machine).await);
    if is_known {
        findings.extend(monitor::check(settings).await);
    }
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

/// What is wrong already and would stop a worker, whose own complaint would only repeat it.
fn cause(findings: &[Finding]) -> Option<&'static str> {
    let stops = |finding: &&Finding| {
        finding.state == State::Wrong && matches!(finding.check, "farm file" | "broker")
    };
    findings.iter().find(stops).map(|finding| finding.check)
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
