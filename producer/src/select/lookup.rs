//! Jobs that a person means by an id, or by the start of one.

use std::collections::HashSet;

use common::broker::Broker;
use common::job::id::{BatchId, JobId};
use common::job::record::JobRecord;

use crate::exit::Error;

/// The shortest prefix that stands for a job or a batch.
const SHORTEST_PREFIX: usize = 4;

/// The one job that a person means.
///
/// # Errors
/// Where there is none, or more than one.
pub(crate) async fn find(broker: &Broker, id: &str) -> Result<JobRecord, Error> {
    let mut found = find_all(broker, &[id.to_owned()]).await?;
    Ok(found.remove(0))
}

/// The jobs that a person means, each once, in the order in which they were
/// named.
///
/// # Errors
/// Where one of them does not exist, or could be more than one.
pub(crate) async fn find_all(broker: &Broker, ids: &[String]) -> Result<Vec<JobRecord>, Error> {
    let mut every: Option<Vec<JobRecord>> = None;
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        if let Ok(whole) = id.parse::<JobId>() {
            let record = broker.job(&whole).await?;
            found.push(record.ok_or_else(|| unknown(id))?);
            continue;
        }
        let prefix = prefix(id, "a job's id")?;
        // Read once, and only where an id is not whole.
        let every = match &mut every {
            Some(every) => every,
            None => every.insert(broker.jobs(true).await?),
        };
        let mut meant = every
            .iter()
            .filter(|record| record.job().id.to_string().starts_with(&prefix));
        match (meant.next(), meant.count()) {
            (None, _) => return Err(unknown(id)),
            (Some(record), 0) => found.push(record.clone()),
            (Some(_), others) => return Err(ambiguous(id, others + 1, "jobs")),
        }
    }
    let mut seen = HashSet::new();
    found.retain(|record| seen.insert(record.job().id));
    Ok(found)
}

fn unknown(id: &str) -> Error {
    Error::usage(format!("no job '{id}': `producer jobs` lists them"))
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
            "'{id}' is no id: give {what}, or at least the first {SHORTEST_PREFIX} characters of it"
        )))
    }
}

/// The batch that a person means; one that is named whole need not be known.
///
/// # Errors
/// Where no batch begins like that, or more than one.
pub(crate) async fn find_batch(broker: &Broker, id: &str) -> Result<BatchId, Error> {
    if let Ok(whole) = id.parse() {
        return Ok(whole);
    }
    let prefix = prefix(id, "a batch's id")?;
    let mut meant = broker.batches().await?;
    meant.retain(|batch| batch.id.to_string().starts_with(&prefix));
    match meant.as_slice() {
        [] => Err(Error::usage(format!(
            "no batch '{id}': `producer batches` lists them"
        ))),
        [batch] => Ok(batch.id),
        several => Err(ambiguous(id, several.len(), "batches")),
    }
}
