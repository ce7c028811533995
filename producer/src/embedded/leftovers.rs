//! Cleaning up the jobs that an earlier command left in a private broker. No worker runs meanwhile, so nothing here races
//! with a worker.

use std::collections::HashSet;
use std::fmt::Display;

use common::broker::{Broker, Lanes};
use common::farm::queue::Lane;
use common::job::id::JobId;
use common::job::run::Run;
use common::names::subject::JOBS;
use common::submit::output_job::JobsByOutput;
use common::submit::terms::JobTerms;
use futures::TryStreamExt;

use crate::cli::exit::Error;
use crate::submit::entry::Entry;
use crate::submit::send::Wanted;

/// Messages that are read at once.
const PAGE: usize = 1000;

/// Releases the jobs of workers that are gone. Without this, the broker would wait for each lease to run out, and a
/// restarted broker forgets which jobs were released. To be called before jobs are submitted.
pub(crate) async fn release_claims(broker: &Broker) -> Result<(), Error> {
    let stream = broker
        .jetstream()
        .get_stream_no_info(JOBS)
        .await
        .map_err(failed)?;
    let lanes: Vec<String> = stream
        .consumer_names()
        .try_collect()
        .await
        .map_err(failed)?;
    for lane in lanes {
        stream.delete_consumer(&lane).await.map_err(failed)?;
    }
    Ok(())
}

/// Takes the jobs out that [`forget_outdated`] forgets.
pub(crate) fn take_outdated(
    wanted: &[Wanted],
    jobs_by_output: &mut JobsByOutput,
    terms: &JobTerms,
) -> Vec<JobId> {
    let mut outdated = Vec::new();
    for one in wanted {
        let last_job = jobs_by_output.get(&one.output);
        let work = one.work();
        // A job that is replacing its source is finished first: it alone knows what it has moved.
        let outdated_job =
            last_job.filter(|last_job| last_job.blocks(&work, terms) && !last_job.is_replacing());
        if let Some(other) = outdated_job {
            outdated.push(other.job().id);
            jobs_by_output.remove(&one.output);
        }
    }
    outdated
}

/// Forgets jobs of interrupted commands that make the same outputs by another recipe or from another version of the
/// source. Otherwise the new jobs would be refused. To be called before jobs are submitted.
pub(crate) async fn forget_outdated(
    broker: &Broker,
    wanted: &[Wanted],
    jobs_by_output: &mut JobsByOutput,
    terms: &JobTerms,
) -> Result<(), Error> {
    for job in take_outdated(wanted, jobs_by_output, terms) {
        broker.forget(&job).await?;
    }
    Ok(())
}

/// Forgets all jobs that do not belong to these entries, so that the worker does not take them and a later command does
/// not find them. Opens the lanes of the jobs that stay. To be called after jobs were submitted.
pub(crate) async fn forget_others(broker: &Broker, entries: &[Entry]) -> Result<(), Error> {
    let mut wanted: HashSet<JobId> = entries.iter().map(|entry| entry.job.id).collect();
    let runs = broker.runs().await?;
    // Only its own job can finish what it has begun to replace.
    wanted.extend(
        runs.iter()
            .filter(|run| run.is_replacing())
            .map(|run| run.job.id),
    );
    let mut others = HashSet::new();
    let mut lanes: HashSet<Lane> = HashSet::new();
    let mut from = 1;
    loop {
        let (page, next) = broker.queued(None, from, PAGE).await?;
        for pending in page {
            if wanted.contains(&pending.job.id) {
                lanes.insert(Lane {
                    priority: pending.priority,
                    queue: pending.queue,
                });
            } else {
                others.insert(pending.job.id);
            }
        }
        if next == from {
            break;
        }
        from = next;
    }
    let is_other = |run: &&Run| !run.state.is_terminal() && !wanted.contains(&run.job.id);
    others.extend(runs.iter().filter(is_other).map(|run| run.job.id));
    for job in others {
        broker.forget(&job).await?;
    }
    let mut known = Lanes::default();
    for lane in lanes {
        broker.add_lane(&mut known, lane).await?;
    }
    Ok(())
}

fn failed(error: impl Display) -> Error {
    Error::out_of_reach(format!("cannot clean up the private broker: {error}"))
}
