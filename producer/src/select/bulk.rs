//! Changing many jobs at once, with a result for each.

use std::collections::{BTreeMap, HashMap};

use common::broker::{BrokerError, SteerResult};
use common::job::id::JobId;
use common::job::record::JobRecord;
use common::job::run::Run;
use common::job::state::TooLate;
use common::names::location::Location;
use common::names::printable::printable;
use common::say;
use futures::StreamExt;
use serde::Serialize;

use crate::cli::exit::{Error, Exit};
use crate::display::{output, units};

/// Jobs that are changed at once.
const AT_ONCE: usize = 32;
/// Refusals that are printed.
const LISTED: usize = 5;

/// The result of changing one job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum JobChange {
    Done,
    /// Nothing had to be changed.
    Already,
    /// The state of the job does not allow the change any more.
    TooLate(TooLate),
    /// Refused, with the reason.
    Refused(String),
}

impl JobChange {
    /// What a change would do to a job that waits unclaimed, or whose run `allows` it; printed as a line for people.
    pub(crate) fn foreseen(
        record: &JobRecord,
        (done, json): (&str, bool),
        allows: impl FnOnce(Option<&Run>) -> bool,
    ) -> Self {
        let change = match record.run() {
            run if allows(run) => Self::Done,
            None => Self::TooLate(TooLate::Is(record.state())),
            Some(run) => Self::TooLate(run.too_late()),
        };
        if !json {
            let input = printable(&record.job().input.location.to_string());
            let would = match &change {
                Self::Done => format!("would be {done}"),
                _ => "stays as it is".to_owned(),
            };
            output::print(&format!("{input} ({}): {would}", record.state()));
        }
        change
    }
}

impl From<SteerResult> for JobChange {
    fn from(steered: SteerResult) -> Self {
        match steered {
            SteerResult::Done(_) => Self::Done,
            SteerResult::TooLate(run) => Self::TooLate(run.too_late()),
            SteerResult::Unknown => Self::TooLate(TooLate::Gone),
            SteerResult::OutputTaken(holder) => Self::Refused(holder.to_string()),
            SteerResult::Refused(why) => Self::Refused(why),
        }
    }
}

/// The result of changing many jobs.
#[derive(Debug, Default, Serialize)]
pub(crate) struct BulkResult {
    done: Vec<JobId>,
    already: Vec<JobId>,
    too_late: BTreeMap<TooLate, Vec<JobId>>,
    refused: BTreeMap<String, Vec<JobId>>,
    /// The sources of the jobs.
    #[serde(skip)]
    sources: HashMap<JobId, Location>,
}

/// Changes each of the jobs.
///
/// # Errors
/// If the broker gives no answer. Changes until then stay, and the same command again does the rest.
pub(crate) async fn for_each_job(
    records: Vec<JobRecord>,
    order: impl AsyncFn(&JobRecord) -> Result<JobChange, BrokerError>,
) -> Result<BulkResult, Error> {
    let total = records.len();
    let mut result = BulkResult::default();
    let source = |record: &JobRecord| (record.job().id, record.job().input.location.clone());
    result.sources.extend(records.iter().map(source));
    let mut changes = futures::stream::iter(records)
        .map(async |record| (record.job().id, order(&record).await))
        .buffer_unordered(AT_ONCE);
    while let Some((job, change)) = changes.next().await {
        match change {
            Ok(JobChange::Done) => result.done.push(job),
            Ok(JobChange::Already) => result.already.push(job),
            Ok(JobChange::TooLate(why)) => result.too_late.entry(why).or_default().push(job),
            Ok(JobChange::Refused(why)) => result.refused.entry(why).or_default().push(job),
            Err(error) => {
                return Err(Error::out_of_reach(format!(
                    "{error}; {} of {total} done: run the same command again for the rest",
                    result.len()
                )));
            }
        }
    }
    Ok(result)
}

impl BulkResult {
    /// Adds the result of further jobs.
    pub(crate) fn add(&mut self, other: Self) {
        self.done.extend(other.done);
        self.already.extend(other.already);
        for (why, jobs) in other.too_late {
            self.too_late.entry(why).or_default().extend(jobs);
        }
        for (why, jobs) in other.refused {
            self.refused.entry(why).or_default().extend(jobs);
        }
    }

    fn len(&self) -> usize {
        let lists = self.too_late.values().chain(self.refused.values());
        self.done.len() + self.already.len() + lists.map(Vec::len).sum::<usize>()
    }

    /// A line for each source: `verb: SOURCE` of those that were done, and `refused: SOURCE: WHY`.
    pub(crate) fn lines(&self, verb: &str) -> Vec<String> {
        let name = |job: &JobId| self.sources.get(job).map(ToString::to_string);
        let done = self.done.iter().filter_map(name);
        let mut lines: Vec<String> = done.map(|name| format!("{verb}: {name}")).collect();
        lines.sort();
        for (why, jobs) in &self.refused {
            let refused = jobs.iter().filter_map(name);
            lines.extend(refused.map(|name| format!("refused: {name}: {why}")));
        }
        lines.iter().map(|line| printable(line)).collect()
    }

    /// `cancelled 3, too late for 1 (completed)`.
    fn in_words(&self, done: &str) -> String {
        let mut parts = vec![format!("{done} {}", self.done.len())];
        if !self.already.is_empty() {
            parts.push(format!("{} unchanged", self.already.len()));
        }
        for (why, jobs) in &self.too_late {
            parts.push(format!("too late for {} ({why})", jobs.len()));
        }
        let refused: usize = self.refused.values().map(Vec::len).sum();
        if refused > 0 {
            parts.push(format!("refused for {refused}"));
        }
        parts.join(", ")
    }

    /// Prints the result. `done` is the verb for it, such as `cancelled`.
    pub(crate) fn conclude(&self, done: &str, json: bool) -> Result<Exit, Error> {
        if json {
            output::print_json(self)?;
        } else {
            output::print(&self.in_words(done));
        }
        for (why, jobs) in self.refused.iter().take(LISTED) {
            let jobs = units::count(jobs.len(), "job");
            say!("refused for {jobs}: {why}");
        }
        let mut too_late = self.too_late.keys();
        if too_late.any(|why| matches!(why, TooLate::Publishing | TooLate::PerhapsPublished)) {
            say!(
                "jobs that may be published are kept; if the worker has vanished, the next worker decides the job"
            );
        }
        Ok(if self.too_late.is_empty() && self.refused.is_empty() {
            Exit::Done
        } else {
            Exit::Failed
        })
    }
}

#[cfg(test)]
mod tests {
    use common::job::state::JobState;

    use super::*;

    #[test]
    fn the_tally_says_what_was_not_done_and_why() {
        let id: JobId = "9c1f3a52-8a0f-5f6e-9a55-2d2b8a6cf9ab"
            .parse()
            .expect("an id");
        let mut result = BulkResult {
            done: vec![id; 3],
            ..BulkResult::default()
        };
        assert_eq!(result.in_words("cancelled"), "cancelled 3");
        assert_eq!(
            result.conclude("cancelled", false).expect("printed"),
            Exit::Done
        );
        let completed = TooLate::Is(JobState::Completed);
        result.too_late.insert(completed, vec![id]);
        let json = serde_json::to_value(&result).expect("plain data");
        assert_eq!(json["too_late"]["completed"][0], id.to_string());
        result.already.push(id);
        let source = Location::from_argument("/films/a.mkv").expect("a location");
        result.sources.insert(id, source);
        result.refused.insert("it has changed".to_owned(), vec![id]);
        let lines = result.lines("would come back");
        assert_eq!(lines[0], "would come back: /films/a.mkv");
        assert_eq!(
            lines.last().map(String::as_str),
            Some("refused: /films/a.mkv: it has changed")
        );
        result.refused.clear();
        assert_eq!(
            result.in_words("cancelled"),
            "cancelled 3, 1 unchanged, too late for 1 (completed)"
        );
        assert_eq!(
            result.conclude("cancelled", false).expect("printed"),
            Exit::Failed
        );
    }
}
