//! `producer workers`.

use std::collections::{BTreeSet, HashMap};

use clap::Args;
use common::farm::worker::{Heartbeat, WorkerStatus};
use common::job::id::JobId;
use common::job::part::Part;
use common::job::record::JobRecord;
use common::names::printable::printable;
use common::say;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::table::table;
use crate::display::{output, table, times, units};

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let workers = broker.workers().await?;
    if options.json {
        output::print_json(&workers)?;
        return Ok(Exit::Done);
    }
    if workers.is_empty() {
        say!("no live workers: start one with `worker --nats URL`");
        return Ok(Exit::Done);
    }
    let mut table = table(&[
        "Worker", "Status", "Jobs", "CPU", "Sandbox", "ffmpeg", "Encoders",
    ]);
    for worker in &workers {
        table::add_row(
            &mut table,
            &[
                worker.name.to_string(),
                worker.status.to_string(),
                format!("{}/{}", worker.running.len(), worker.slots),
                format!("{:.0}%", 100.0 * worker.load.cpu),
                sandbox(worker),
                worker.card.ffmpeg.version.clone(),
                encoders(worker),
            ],
        );
    }
    output::print(&table::text(&table));
    let whole: BTreeSet<JobId> = workers
        .iter()
        .flat_map(|worker| worker.running.iter().map(JobId::whole))
        .collect();
    let whole: Vec<JobId> = whole.into_iter().collect();
    let jobs = broker.jobs_of(&whole).await?;
    for worker in workers.iter().filter(|worker| !worker.running.is_empty()) {
        output::print(&runs(worker, &jobs));
    }
    for worker in &workers {
        for line in troubles(worker) {
            output::print(&line);
        }
    }
    Ok(Exit::Done)
}

/// `attic runs a.mkv, film.mkv chunk 3, film.mkv chunk 4`.
fn runs(worker: &Heartbeat, jobs: &HashMap<JobId, JobRecord>) -> String {
    let mut ids = worker.running.clone();
    ids.sort_unstable();
    let named = ids.iter().map(|id| {
        let record = jobs.get(&id.whole());
        let name = record.map_or_else(
            || id.whole().to_string(),
            |record| record.job().input.location.name(),
        );
        match id.part() {
            Part::Whole => name,
            part => format!("{name} {}", part.to_string().replace('-', " ")),
        }
    });
    let named: Vec<String> = named.collect();
    printable(&format!("{} runs {}", worker.name, named.join(", ")))
}

/// What a person should repair, one line each.
fn troubles(worker: &Heartbeat) -> Vec<String> {
    let name = &worker.name;
    let away = worker.away.iter().map(|away| {
        printable(&format!(
            "{name}: cannot reach {} since {}: {}",
            away.place,
            times::local(away.since),
            away.error
        ))
    });
    let mut lines: Vec<String> = quarantine(worker).into_iter().chain(away).collect();
    if worker.is_clock_off() {
        let ahead = worker.clock_ahead;
        let way = if ahead > 0.0 { "ahead of" } else { "behind" };
        lines.push(format!(
            "{name}: the clock is {} {way} the broker's: synchronise it by NTP",
            units::seconds(ahead.abs())
        ));
    }
    lines
}

/// Why a worker is in quarantine, and what ends it.
fn quarantine(worker: &Heartbeat) -> Option<String> {
    if worker.status != WorkerStatus::Quarantined {
        return None;
    }
    let name = &worker.name;
    let status = times::sentence(&worker.status.in_words(worker.until));
    let why = worker.note.as_deref().unwrap_or("too many failures");
    let line = format!("{name}: {status}; `producer resume {name}` ends it; reason: {why}");
    Some(printable(&line))
}

/// How well it confines ffmpeg, without what is missing: the page and `--json` tell that.
fn sandbox(worker: &Heartbeat) -> String {
    let level = worker.card.sandbox.map(|level| level.to_string());
    let level = level.unwrap_or_else(|| "?".to_owned());
    level.split(':').next().unwrap_or_default().to_owned()
}

fn encoders(worker: &Heartbeat) -> String {
    let proved: Vec<&str> = worker
        .card
        .proved()
        .map(|(encoder, _)| encoder.as_str())
        .collect();
    proved.join(" ")
}
