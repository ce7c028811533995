//! Finding jobs and batches by an id or its first characters.

use std::collections::HashSet;

use clap::Args;
use common::broker::Broker;
use common::job::id::{BatchId, JobId};
use common::job::record::JobRecord;

use crate::cli::exit::Error;

/// The shortest prefix of an id that is accepted.
const SHORTEST_PREFIX: usize = 4;

/// The job that a command shows.
#[derive(Debug, Args)]
pub(crate) struct OneJob {
    /// Job id, or its first characters
    #[arg(value_name = "ID")]
    id: String,
}

impl OneJob {
    pub(crate) async fn find(self, broker: &Broker) -> Result<JobRecord, Error> {
        let mut found = find_all(broker, &[self.id]).await?;
        Ok(found.remove(0))
    }
}

/// Jobs by their ids: each once, in the order of the ids.
///
/// # Errors
/// If one of them does not exist, or could be more than one.
pub(crate) async fn find_all(broker: &Broker, ids: &[String]) -> Result<Vec<JobRecord>, Error> {
    let meant: Vec<Meant> = ids
        .iter()
        .map(|id| Meant::of(id))
        .collect::<Result<_, _>>()?;
    let whole: Vec<JobId> = meant.iter().filter_map(Meant::whole).collect();
    let mut records = broker.jobs_of(&whole).await?;
    if whole.len() < meant.len() {
        let is_meant = |record: &JobRecord| meant.iter().any(|meant| meant.begins(record));
        let begin_so = broker.pick_jobs(true, |record| is_meant(&record).then_some(record));
        records.extend(
            begin_so
                .await?
                .into_iter()
                .map(|record| (record.job().id, record)),
        );
    }
    let mut found = Vec::with_capacity(ids.len());
    for (id, meant) in ids.iter().zip(&meant) {
        let mut those = records.values().filter(|record| match meant {
            Meant::Whole(whole) => record.job().id == *whole,
            Meant::Prefix(_) => meant.begins(record),
        });
        match (those.next(), those.count()) {
            (None, _) => return Err(unknown(id)),
            (Some(record), 0) => found.push(record.clone()),
            (Some(_), others) => return Err(ambiguous(id, others + 1, "jobs")),
        }
    }
    let mut seen = HashSet::new();
    found.retain(|record| seen.insert(record.job().id));
    Ok(found)
}

/// A whole id, or the start of one.
enum Meant {
    Whole(JobId),
    Prefix(String),
}

impl Meant {
    fn of(id: &str) -> Result<Self, Error> {
        match id.parse() {
            Ok(whole) => Ok(Self::Whole(whole)),
            Err(_) => prefix(id, "a job's id").map(Self::Prefix),
        }
    }

    fn whole(&self) -> Option<JobId> {
        match self {
            Self::Whole(id) => Some(*id),
            Self::Prefix(_) => None,
        }
    }

    /// Whether the id of a job begins with the prefix.
    fn begins(&self, record: &JobRecord) -> bool {
        match self {
            Self::Whole(_) => false,
            Self::Prefix(prefix) => record.job().id.to_string().starts_with(prefix),
        }
    }
}

fn unknown(id: &str) -> Error {
    Error::usage(format!("job '{id}' not found: `producer jobs` lists all"))
}

fn ambiguous(id: &str, many: usize, what: &str) -> Error {
    Error::usage(format!(
        "{many} {what} begin with '{id}': give more of the id"
    ))
}

fn prefix(id: &str, what: &str) -> Result<String, Error> {
    let is_prefix =
        id.len() >= SHORTEST_PREFIX && id.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if is_prefix {
        Ok(id.to_ascii_lowercase())
    } else {
        Err(Error::usage(format!(
            "'{id}' is not an id: give {what}, or at least its first {SHORTEST_PREFIX} characters"
        )))
    }
}

/// A batch by its id. A whole id need not be of a known batch.
pub(crate) async fn find_batch(broker: &Broker, id: &str) -> Result<BatchId, Error> {
    if let Ok(whole) = id.parse() {
        return Ok(whole);
    }
    let prefix = prefix(id, "a batch's id")?;
    let mut meant = broker.batches().await?;
    meant.retain(|batch| batch.id.to_string().starts_with(&prefix));
    match meant.as_slice() {
        [] => Err(Error::usage(format!(
            "batch '{id}' not found: `producer batches` lists all"
        ))),
        [batch] => Ok(batch.id),
        several => Err(ambiguous(id, several.len(), "batches")),
    }
}
