//! The summary that a command prints at its end.

mod counts;
mod rows;

use std::path::Path;

use common::job::id::BatchId;
use common::job::run::RunState;
use common::job::run::health::Health;
use common::names::location::Location;
use common::names::printable::printable;
use common::notify::occurrence::BatchDone;
use common::say;
use common::submit::result::SubmitResult;
use serde::Serialize;

pub(super) use self::counts::Counts;
use crate::cli::exit::{Error, Exit};
use crate::display::{output, units};
use crate::download::target::DownloadTarget;
use crate::submit::destination::Destination;
use crate::submit::entry::Entry;
use crate::submit::submission::LeftOut;
use crate::wait::ended;
use crate::wait::ended::WaitEnd;
use crate::wait::masters;
use crate::wait::masters::MasterEnd;

/// Files without a job that are named.
const LISTED: usize = 20;

#[derive(Serialize)]
struct SummaryJson<'a> {
    #[serde(flatten)]
    counts: Counts,
    results: &'a Location,
    /// The local folder that results are downloaded to.
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<&'a Path>,
    left_out: &'a [LeftOut],
    jobs: Vec<rows::Row>,
    /// The master files of ladders, after waiting.
    #[serde(skip_serializing_if = "<[MasterEnd]>::is_empty")]
    ladders: &'a [MasterEnd],
}

pub(super) struct Summary<'a> {
    pub entries: &'a [Entry],
    pub counts: Counts,
    pub left_out: &'a [LeftOut],
    pub destination: &'a Destination,
    /// The master files of ladders, after waiting.
    pub masters: &'a [MasterEnd],
}

impl Summary<'_> {
    pub(super) fn print_json(&self) -> Result<(), Error> {
        output::print_json(&SummaryJson {
            counts: self.counts,
            results: &self.destination.folder,
            home: self
                .destination
                .download_to
                .as_ref()
                .map(DownloadTarget::dir),
            left_out: self.left_out,
            jobs: rows::json(self.entries),
            ladders: self.masters,
        })
    }

    /// What to tell of the jobs once they have ended.
    pub(super) fn done(&self, label: &str) -> BatchDone {
        let mut done = BatchDone {
            batch: self.counts.batch,
            label: label.to_owned(),
            folder: Some(self.destination.folder.clone()),
            ..BatchDone::default()
        };
        let mut written = 0;
        for entry in self.entries {
            let SubmitResult::Run(run) = &entry.state else {
                continue;
            };
            done.jobs += 1;
            match run.state {
                RunState::Completed { ref report } => {
                    done.completed += 1;
                    written += u64::from(run.job.kind.writes());
                    let health = report.health.as_ref();
                    done.damaged += u64::from(health.is_some_and(Health::is_damaged));
                }
                RunState::Kept { ref report } => {
                    done.kept += 1;
                    written += u64::from(report.copy.is_some());
                }
                RunState::Cancelled => done.cancelled += 1,
                _ => done.failed += 1,
            }
        }
        done.written = Some(written);
        done
    }

    /// Prints the summary after waiting. `carry_on` is for a user who interrupted the command: how the rest goes on.
    pub(super) fn conclude(
        mut self,
        end: WaitEnd,
        json: bool,
        carry_on: &str,
    ) -> Result<Exit, Error> {
        let entries = self.entries;
        self.counts = self.counts.at_end(entries);
        if json {
            self.print_json()?;
        } else {
            output::print(&rows::of(entries));
            output::print(&rows::totals(entries));
            for line in rows::losses(entries) {
                output::print(&line);
            }
            for line in masters::lines(self.masters) {
                output::print(&printable(&line));
            }
            for batch in replaced(entries) {
                say!("the originals are in the trash: `producer undo {batch}` brings them back");
            }
        }
        if end == WaitEnd::Interrupted {
            let open = entries.iter().filter(|entry| entry.is_open()).count();
            return Err(Error::interrupted(format!(
                "interrupted with {} of {} left; {carry_on}",
                open,
                units::count(entries.len(), "file")
            )));
        }
        Ok(ended::exit(entries, self.masters))
    }
}

/// The batches whose jobs have replaced their sources.
fn replaced(entries: &[Entry]) -> Vec<BatchId> {
    let mut batches = Vec::new();
    for entry in entries {
        if let SubmitResult::Run(run) = &entry.state
            && run.has_replaced()
            && !batches.contains(&run.job.batch)
        {
            batches.push(run.job.batch);
        }
    }
    batches
}

/// Prints which files get no job, and why.
pub(super) fn print_refused(entries: &[Entry]) {
    let mut refused = entries
        .iter()
        .filter_map(|entry| Some((&entry.name, entry.refusal()?)));
    for (name, why) in refused.by_ref().take(LISTED) {
        say!("{name}: {why}");
    }
    let more = refused.count();
    if more > 0 {
        say!("… and {} more", units::count(more, "file"));
    }
}
