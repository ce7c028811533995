//! What an earlier command left in a private broker. No worker runs while this
//! tidies up, so nothing here can race with one.

use std::collections::HashSet;
use std::fmt::Display;

use common::broker::{Broker, Lanes, Maker, Makers};
use common::farm::queue::Lane;
use common::job::id::JobId;
use common::job::run::Run;
use common::names::location::Location;
use common::names::subject::JOBS;
use futures::TryStreamExt;

use crate::exit::Error;
use crate::submit::entry::Entry;
use crate::submit::sources::SourceFile;
use crate::submit::terms::JobTerms;

/// Messages that are read at once.
const PAGE: usize = 1000;

/// Takes every job out of the hands of workers that are gone: the broker would
/// wait for each until its lease runs out, and forgets over a restart what was
/// given back. To be called before jobs are submitted.
pub(crate) async fn release(broker: &Broker) -> Result<(), Error> {
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

/// Forgets jobs of interrupted commands that were to make these outputs in another way,
/// or of another version of their sources: nobody is at them, and they would have the
/// outputs refused. To be called before jobs are submitted.
pub(crate) async fn give_up(
    broker: &Broker,
    pairs: &[(SourceFile, Location)],
    makers: &mut Makers,
    terms: &JobTerms,
) -> Result<(), Error> {
    for (source, output) in pairs {
        let is_other = |maker: &Maker| terms.again || !maker.does(&source.input, &terms.recipe);
        let maker = makers.get(output);
        if let Some(other) = maker.filter(|maker| maker.lives() && is_other(maker)) {
            broker.forget(&other.job().id).await?;
            makers.remove(output);
        }
    }
    Ok(())
}

/// Forgets jobs that are not among those wanted now: the worker must not take
/// them, and a later command must find them as if they had never been. Opens
/// the lanes of those that stay. To be called after jobs were submitted.
pub(crate) async fn tidy(broker: &Broker, entries: &[Entry]) -> Result<(), Error> {
    let wanted: HashSet<JobId> = entries.iter().map(|entry| entry.job.id).collect();
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
    others.extend(
        broker
            .runs()
            .await?
            .iter()
            .filter(is_other)
            .map(|run| run.job.id),
    );
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
    Error::out_of_reach(format!("tidying up the private broker: {error}"))
}
