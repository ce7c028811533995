//! What checks have found, in words and as JSON.

use common::job::id::{BatchId, JobId};
use common::job::run::RunState;
use common::job::run::health::Health;
use common::names::location::Location;
use common::names::printable::printable;
use common::submit::result::SubmitResult;
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::display::{output, units};
use crate::submit::entry::Entry;

/// Damaged places of one file that are printed.
const SHOWN: usize = 8;

/// The results of checks.
#[derive(Serialize)]
pub(super) struct Results<'a> {
    batch: Option<BatchId>,
    healthy: usize,
    damaged: usize,
    /// Files whose check failed or was cancelled.
    failed: usize,
    /// Files that are not checked yet.
    open: usize,
    files: Vec<FileResult<'a>>,
}

#[derive(Serialize)]
struct FileResult<'a> {
    file: &'a str,
    input: &'a Location,
    job: JobId,
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<&'a Health>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl<'a> Results<'a> {
    pub(super) fn of(entries: &'a [Entry]) -> Self {
        let files: Vec<FileResult<'a>> = entries.iter().map(FileResult::of).collect();
        let count = |state: &str| files.iter().filter(|file| file.state == state).count();
        let (healthy, damaged, failed) = (count("healthy"), count("damaged"), count("failed"));
        Self {
            batch: entries.first().map(|entry| entry.job.batch),
            healthy,
            damaged,
            failed,
            open: files.len() - healthy - damaged - failed,
            files,
        }
    }

    pub(super) fn print(&self, json: bool) -> Result<(), Error> {
        if json {
            return output::print_json(self);
        }
        for line in self.lines() {
            output::print(&printable(&line));
        }
        Ok(())
    }

    fn lines(&self) -> Vec<String> {
        let mut lines: Vec<String> = self.files.iter().flat_map(FileResult::lines).collect();
        let counts = [
            (self.healthy, "healthy"),
            (self.damaged, "damaged"),
            (self.failed, "not checked"),
            (self.open, "not checked yet"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        let all = units::count(self.files.len(), "file");
        lines.push(format!("{all}: {}", counts.join(", ")));
        lines
    }

    /// Success as long as nothing damaged is known; files may still be open.
    pub(super) fn exit_so_far(&self) -> Exit {
        match self.damaged + self.failed {
            0 => Exit::Done,
            _ => Exit::Failed,
        }
    }

    /// Success if every file is healthy.
    pub(super) fn exit(&self) -> Exit {
        match self.healthy == self.files.len() {
            true => Exit::Done,
            false => Exit::Failed,
        }
    }
}

impl<'a> FileResult<'a> {
    fn of(entry: &'a Entry) -> Self {
        let mut result = Self {
            file: &entry.name,
            input: &entry.job.input.location,
            job: entry.job.id,
            state: "pending",
            health: None,
            error: None,
        };
        let SubmitResult::Run(run) = &entry.state else {
            return result;
        };
        match &run.state {
            RunState::Completed { report } => {
                let is_damaged = report.health.as_ref().is_some_and(Health::is_damaged);
                result.state = if is_damaged { "damaged" } else { "healthy" };
                result.health = report.health.as_ref();
            }
            RunState::Failed { failure } => {
                result.state = "failed";
                result.error = Some(failure.message.clone());
            }
            RunState::Cancelled => {
                result.state = "failed";
                result.error = Some("cancelled".to_owned());
            }
            state => result.state = state.as_str(),
        }
        result
    }

    /// A line for each damaged place: `Film.mkv: 0:12:03–0:12:05 video cannot be decoded`.
    fn lines(&self) -> Vec<String> {
        let of = |what: &dyn std::fmt::Display| format!("{}: {what}", self.file);
        let mut lines: Vec<String> = self.error.iter().map(|error| of(error)).collect();
        if let Some(health) = self.health {
            let shown = health.damage.iter().take(SHOWN);
            lines.extend(shown.map(|damage| of(damage)));
            let more = health.damage.len().saturating_sub(SHOWN) as u64 + health.more;
            if more > 0 {
                lines.push(of(&format!("and {more} more places")));
            }
        }
        lines
    }
}
