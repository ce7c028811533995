//! `producer logs`: the ffmpeg commands of a job, and its log; of a split job, also those of its parts.

use std::time::Duration;

use clap::Args;
use common::broker::{Broker, LogLine};
use common::job::event::{Event, What};
use common::job::failure::Failure;
use common::job::id::JobId;
use common::job::part::Part;
use common::job::record::JobRecord;
use common::job::run::RunState;
use common::job::split::Split;
use common::names::printable::printable;
use common::say;
use futures::{Stream, StreamExt};

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::output;
use crate::select::lookup::OneJob;

/// How often `--follow` checks whether the job has ended.
const LOOK: Duration = Duration::from_secs(1);

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub job: OneJob,
    /// Follow the log until the job has ended
    #[arg(long)]
    pub follow: bool,
    /// Of a split job, only this part, such as chunk-3 or rest
    #[arg(long, value_name = "PART")]
    pub part: Option<Part>,
}

/// The farm keeps the last log lines of failed attempts only.
pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let record = options.job.find(&broker).await?;
    let job = record.job().id;
    // Subscribed first, so that no line is missed between the two.
    let lines = broker.log(&job).await?;
    let is_any = kept(&broker, &record, options.part).await?;
    let running = of_parts(&broker, &record, options.part).await?;
    if !is_any && running.is_none() {
        say!("no log yet");
    }
    if options.follow {
        follow(&broker, &job, options.part, lines).await?;
    } else if let Some(running) = running {
        say!("{running}");
    }
    Ok(Exit::Done)
}

/// Prints what the farm keeps: commands, and the last lines of failed attempts. Returns whether there was anything.
async fn kept(broker: &Broker, record: &JobRecord, part: Option<Part>) -> Result<bool, Error> {
    let mut is_any = false;
    if part.is_some_and(|part| part != Part::Whole) {
        return Ok(is_any);
    }
    let events = broker.events(&record.job().id).await?;
    for event in Event::history(record.job(), events) {
        let lines: Vec<String> = match &event.what {
            What::Command(line) => vec![format!("$ {line}")],
            What::Retried(failure) | What::Failed(failure) => log_of(failure),
            _ => continue,
        };
        for line in lines {
            is_any = true;
            output::print(&format!("[{}] {}", event.attempt, printable(&line)));
        }
    }
    Ok(is_any)
}

/// The last lines of a failed attempt, and why it failed.
fn log_of(failure: &Failure) -> Vec<String> {
    let lines = failure.log.iter().chain([&failure.message]);
    lines.cloned().collect()
}

/// Prints the last lines of failed attempts at the parts of a split job that is under way. Returns which parts run, as
/// a sentence; `None` if the job has no such parts.
async fn of_parts(
    broker: &Broker,
    record: &JobRecord,
    part: Option<Part>,
) -> Result<Option<String>, Error> {
    let job = record.job();
    if job.split == Split::Off {
        return Ok(None);
    }
    let Some(plan) = broker.plan(&job.id).await? else {
        return Ok(None);
    };
    let mut running = Vec::new();
    for run in broker.part_runs(&plan).await? {
        let name = run.job.id.part();
        if part.is_some_and(|part| part != name) {
            continue;
        }
        for attempt in &run.failures {
            for line in log_of(&attempt.failure) {
                output::print(&format!("[{name} {}] {}", attempt.number, printable(&line)));
            }
        }
        if let RunState::Running { worker, .. } = &run.state {
            running.push(format!("{name} on {worker}"));
        }
    }
    Ok(Some(match running.as_slice() {
        [] => "none of its parts runs now".to_owned(),
        running => format!(
            "running now: {}; --follow shows their logs",
            running.join(", ")
        ),
    }))
}

/// Prints new lines until the job has ended: all, or those of one part.
async fn follow(
    broker: &Broker,
    job: &JobId,
    part: Option<Part>,
    mut lines: impl Stream<Item = LogLine> + Unpin,
) -> Result<(), Error> {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            // Lines that came before the end are printed first.
            biased;
            line = lines.next() => match line {
                Some(line) if part.is_some_and(|part| part != line.part) => {}
                Some(line) => output::print(&printable(&line.to_string())),
                None => return Err(Error::out_of_reach("lost the connection to the broker")),
            },
            _ = looks.tick() => match broker.job(job).await? {
                Some(JobRecord::Run(run)) if run.state.is_terminal() => return Ok(()),
                None => return Ok(()),
                Some(_) => {}
            },
        }
    }
}
