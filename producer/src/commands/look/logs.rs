//! `producer logs`: the ffmpeg commands of a job, and its log.

use std::time::Duration;

use clap::Args;
use common::broker::Broker;
use common::job::event::What;
use common::job::id::JobId;
use common::job::record::JobRecord;
use common::names::printable::printable;
use common::names::subject;
use futures::StreamExt;

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
}

/// The farm keeps the last log lines of failed attempts only.
pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let record = options.job.find(&broker).await?;
    let job = record.job().id;
    // Subscribed first, so that no line is missed between the two.
    let lines = broker
        .client()
        .subscribe(subject::logs(&job))
        .await
        .map_err(|error| Error::out_of_reach(format!("cannot follow the log: {error}")))?;
    kept(&broker, &record).await?;
    if options.follow {
        follow(&broker, &job, lines).await?;
    }
    Ok(Exit::Done)
}

/// Prints what the farm keeps: commands, and the last lines of failed attempts.
async fn kept(broker: &Broker, record: &JobRecord) -> Result<(), Error> {
    let mut is_any = false;
    for event in broker.events(&record.job().id).await? {
        let lines: Vec<String> = match &event.what {
            What::Command(line) => vec![format!("$ {line}")],
            What::Retried(failure) | What::Failed(failure) => failure
                .log
                .iter()
                .chain([&failure.message])
                .cloned()
                .collect(),
            _ => continue,
        };
        for line in lines {
            is_any = true;
            output::print(&format!("[{}] {}", event.attempt, printable(&line)));
        }
    }
    if !is_any {
        eprintln!("no log yet");
    }
    Ok(())
}

/// Prints new lines until the job has ended.
async fn follow(
    broker: &Broker,
    job: &JobId,
    mut lines: async_nats::Subscriber,
) -> Result<(), Error> {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            // Lines that came before the end are printed first.
            biased;
            line = lines.next() => match line {
                Some(line) => output::print(&printable(&String::from_utf8_lossy(&line.payload))),
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
