//! `producer logs`: what ffmpeg was asked to do for a job, and what it said.

use std::time::Duration;

use clap::Args;
use common::broker::Broker;
use common::job::event::What;
use common::job::id::JobId;
use common::job::record::JobRecord;
use common::names::printable::printable;
use common::names::subject;
use futures::StreamExt;

use crate::display::output;
use crate::exit::{Error, Exit};
use crate::select::lookup;
use crate::settings::Settings;

/// How often a job whose log is followed is looked at: no line may come any more.
const LOOK: Duration = Duration::from_secs(1);

/// Which job.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The job's id, or the start of it
    #[arg(value_name = "JOB")]
    pub id: String,
    /// Go on with what ffmpeg writes from now on, until the job has ended
    #[arg(long)]
    pub follow: bool,
}

/// Shows a job's log. What ffmpeg wrote is kept of failed attempts only, and of
/// those the last lines.
///
/// # Errors
/// Where the farm is out of reach, or has never heard of the job.
pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let record = lookup::find(&broker, &options.id).await?;
    let job = record.job().id;
    // Listens first, so that nothing is missed in between.
    let lines = broker
        .client()
        .subscribe(subject::logs(&job))
        .await
        .map_err(|error| Error::out_of_reach(format!("the log cannot be followed: {error}")))?;
    kept(&broker, &record).await?;
    if options.follow {
        follow(&broker, &job, lines).await?;
    }
    Ok(Exit::Done)
}

/// Prints what the farm has kept: commands, and the last words of failed attempts.
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
        eprintln!("nothing has been logged yet");
    }
    Ok(())
}

/// Prints what comes, until the job has ended.
async fn follow(
    broker: &Broker,
    job: &JobId,
    mut lines: async_nats::Subscriber,
) -> Result<(), Error> {
    let mut looks = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            // What came before the end is printed before it is noticed.
            biased;
            line = lines.next() => match line {
                Some(line) => output::print(&printable(&String::from_utf8_lossy(&line.payload))),
                None => return Err(Error::out_of_reach("the connection to the broker is lost")),
            },
            _ = looks.tick() => match broker.job(job).await? {
                Some(JobRecord::Run(run)) if run.state.is_terminal() => return Ok(()),
                None => return Ok(()),
                Some(_) => {}
            },
        }
    }
}
