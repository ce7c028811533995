//! `producer why`: why a job waits, or how it ended.

use clap::Args;
use common::job::id::JobId;
use common::job::state::JobState;
use common::matching::why::Why;
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::cli::settings::Settings;
use crate::display::{output, times};
use crate::select::lookup::OneJob;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub job: OneJob,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    job: JobId,
    state: JobState,
    sentence: String,
    #[serde(flatten)]
    why: &'a Why,
}

pub(crate) async fn run(options: Options, settings: &Settings) -> Result<Exit, Error> {
    let broker = settings.connect().await?;
    let record = options.job.find(&broker).await?;
    let why = broker.why(&record).await?;
    if options.json {
        output::print_json(&Shown {
            job: record.job().id,
            state: record.state(),
            sentence: why.to_string(),
            why: &why,
        })?;
    } else {
        output::print(&times::sentence(&why.to_string()));
    }
    Ok(Exit::Done)
}
