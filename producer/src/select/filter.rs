//! Filters of jobs.

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use common::broker::Broker;
use common::farm::queue::Queue;
use common::farm::worker_name::WorkerName;
use common::job::id::BatchId;
use common::job::record::JobRecord;
use common::job::state::JobState;
use common::names::location::Location;
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::cli::exit::Error;
use crate::select::lookup::find_batch;

/// Jobs must meet all options.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Which jobs")]
pub(crate) struct FilterOptions {
    /// Only jobs in this state; may be repeated
    #[arg(long, value_name = "STATE", value_parser = states())]
    pub state: Vec<JobState>,
    /// Only jobs of this batch, by its id or first characters
    #[arg(long, value_name = "ID")]
    pub batch: Option<String>,
    /// Only jobs of this queue, e.g. hevc_nvenc, any_hevc, on_NAME, copy
    #[arg(long, value_name = "NAME")]
    pub queue: Option<Queue>,
    /// Only jobs that this worker runs, ran last, or is assigned
    #[arg(long, value_name = "NAME")]
    pub worker: Option<WorkerName>,
    /// Only jobs whose input's name or path matches, e.g. '*.mov', '*/Season 1/*' or 'Season 1/*'
    #[arg(long = "match", value_name = "GLOB")]
    pub matches: Vec<String>,
}

fn states() -> impl TypedValueParser<Value = JobState> {
    let values = JobState::ALL.map(|state| PossibleValue::new(state.as_str()).help(meaning(state)));
    PossibleValuesParser::new(values).try_map(|word| word.parse::<JobState>())
}

fn meaning(state: JobState) -> &'static str {
    match state {
        JobState::Pending => "Waits for a worker",
        JobState::Paused => "Waits until its batch is resumed",
        JobState::Running => "A worker runs it",
        JobState::Waiting => "Retrying: waits for its next attempt",
        JobState::Completed => "Done",
        JobState::Kept => "The original is the better result",
        JobState::Failed => "Failed for good",
        JobState::Cancelled => "Cancelled",
    }
}

pub(crate) struct Filter {
    states: Vec<JobState>,
    batch: Option<BatchId>,
    queue: Option<Queue>,
    worker: Option<WorkerName>,
    /// Globs of names and of whole paths, where `*` matches `/` as well.
    matches: Option<GlobSet>,
}

impl FilterOptions {
    /// Whether no option is given.
    pub(crate) fn is_empty(&self) -> bool {
        self.state.is_empty()
            && self.batch.is_none()
            && self.queue.is_none()
            && self.worker.is_none()
            && self.matches.is_empty()
    }

    ///
    /// # Errors
    /// If no batch begins like that, or a glob cannot be read.
    pub(crate) async fn filter(&self, broker: &Broker) -> Result<Filter, Error> {
        Ok(Filter {
            states: self.state.clone(),
            batch: match &self.batch {
                Some(id) => Some(find_batch(broker, id).await?),
                None => None,
            },
            queue: self.queue.clone(),
            worker: self.worker.clone(),
            matches: (!self.matches.is_empty())
                .then(|| anywhere(&self.matches))
                .transpose()?,
        })
    }
}

impl Filter {
    /// Whether an unclaimed job may pass.
    pub(crate) fn wants_waiting(&self) -> bool {
        [JobState::Pending, JobState::Paused]
            .into_iter()
            .any(|state| self.wants_state(state))
    }

    fn wants_state(&self, state: JobState) -> bool {
        self.states.is_empty() || self.states.contains(&state)
    }

    pub(crate) fn wants(&self, record: &JobRecord) -> bool {
        let job = record.job();
        self.wants_state(record.state())
            && self.batch.is_none_or(|batch| batch == job.batch)
            && self
                .queue
                .as_ref()
                .is_none_or(|queue| queue == record.queue())
            && self
                .worker
                .as_ref()
                .is_none_or(|worker| is_of(record, worker))
            && self
                .matches
                .as_ref()
                .is_none_or(|globs| is_match(globs, &job.input.location))
    }
}

fn is_of(record: &JobRecord, worker: &WorkerName) -> bool {
    let ran = record.run().and_then(|run| run.worker());
    ran == Some(worker) || *record.queue() == Queue::On(worker.clone())
}

/// The globs, each as given and below any folder.
fn anywhere(globs: &[String]) -> Result<GlobSet, Error> {
    let unreadable = |error: globset::Error| Error::usage(format!("--match: {error}"));
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        for glob in [glob.clone(), format!("**/{glob}")] {
            let is_caseless = cfg!(any(windows, target_os = "macos"));
            let glob = GlobBuilder::new(&glob)
                .case_insensitive(is_caseless)
                .build();
            set.add(glob.map_err(unreadable)?);
        }
    }
    set.build().map_err(unreadable)
}

fn is_match(globs: &GlobSet, input: &Location) -> bool {
    let path = input.path().unwrap_or_else(|| input.key().into());
    globs.is_match(input.name()) || globs.is_match(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_glob_is_of_the_name_or_of_any_part_of_the_path() {
        let is = |glob: &str, place: &str| {
            let globs = anywhere(&[glob.to_owned()]).expect("a glob");
            is_match(&globs, &place.parse().expect("a location"))
        };
        let (local, remote) = ("file:///srv/kinds/f.mp4", "s3://media/in/kinds/f.mp4");
        for place in [local, remote] {
            for glob in [
                "*kinds*",
                "*.mp4",
                "f.mp4",
                "kinds/*",
                "kinds/f.mp4",
                "**/kinds/**",
                "*/kinds/*.mp4",
            ] {
                assert!(is(glob, place), "{glob} {place}");
            }
            for glob in ["*.mov", "kind/*", "f", "kinds"] {
                assert!(!is(glob, place), "{glob} {place}");
            }
        }
        assert!(anywhere(&["[".to_owned()]).is_err());
    }
}
