//! `producer workers`.

use clap::Args;
use common::worker::Heartbeat;

use crate::display::output;
use crate::display::summary::table;
use crate::exit::{Error, Exit};
use crate::farm::Settings;

/// How to list workers.
#[derive(Debug, Args)]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Lists the workers that are alive.
///
/// # Errors
/// Where the farm is out of reach.
pub async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let workers = broker.workers().await?;
    if options.json {
        output::print_json(&workers)?;
        return Ok(Exit::Done);
    }
    if workers.is_empty() {
        eprintln!("no worker is alive: start one with `worker --nats URL`");
        return Ok(Exit::Done);
    }
    let mut table = table(&["Worker", "Status", "Jobs", "CPU", "ffmpeg", "Encoders"]);
    for worker in &workers {
        table.add_row(vec![
            worker.name.to_string(),
            worker.status.to_string(),
            format!("{}/{}", worker.running.len(), worker.slots),
            format!("{:.0}%", 100.0 * worker.load.cpu),
            worker.card.ffmpeg.version.clone(),
            encoders(worker),
        ]);
    }
    output::print(&table.to_string());
    Ok(Exit::Done)
}

fn encoders(worker: &Heartbeat) -> String {
    let proved: Vec<&str> = worker
        .card
        .proved()
        .map(|(encoder, _)| encoder.as_str())
        .collect();
    proved.join(" ")
}
