//! Derives occurrences from the farm: from changes of runs, from the index of all jobs, and from heartbeats.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError};
use common::job::batch::Batch;
use common::job::id::BatchId;
use common::job::run::Run;
use common::library::scan::ScanRecord;
use common::names::token::Token;
use common::notify::delivery::PATIENCE;
use common::notify::event::EventKind;
use common::notify::hook::SavedHook;
use common::notify::occurrence::Occurrence;
use jiff::Timestamp;
use tokio::time::Instant;

use super::batches;
use super::batches::Progress;
use super::libraries;
use super::outbox::Outbox;
use super::workers::Workers;
use crate::feed::audience::Audience;
use crate::index::BatchSum;
use crate::index::shared::Listing;

/// Runs and heartbeats of one request.
const PAGE: usize = 500;
/// How often all workers are listed anew: their bucket may start over with lower sequences.
const WORKERS_ANEW: Duration = Duration::from_secs(30);
/// How often libraries are looked at that may be finished: once their next scan has ended.
const LIBRARIES: Duration = Duration::from_secs(5);

/// Where the last look ended, and what is to be looked at again.
pub(super) struct Watch {
    broker: Broker,
    audience: Audience,
    listing: Arc<Listing>,
    /// The sequence from which changes of runs are yet to be told.
    runs: Option<u64>,
    heartbeats: u64,
    heartbeats_anew: Option<Instant>,
    workers: Workers,
    /// Batches of which a job has ended, and when that was seen.
    ended: BTreeMap<BatchId, Timestamp>,
    batches: HashMap<BatchId, Batch>,
    /// Libraries of which a job has ended, and that may be finished.
    libraries: BTreeSet<Token>,
    libraries_seen: Option<Instant>,
    /// Whether the batches that ended before this program started were looked at.
    knows_batches: bool,
}

impl Watch {
    pub(super) fn new(broker: Broker, audience: Audience, listing: Arc<Listing>) -> Self {
        Self {
            broker,
            audience,
            listing,
            runs: None,
            heartbeats: 1,
            heartbeats_anew: None,
            workers: Workers::default(),
            ended: BTreeMap::new(),
            batches: HashMap::new(),
            libraries: BTreeSet::new(),
            libraries_seen: None,
            knows_batches: false,
        }
    }

    /// The broker gave no answer for a while.
    pub(super) fn interrupted(&mut self) {
        self.heartbeats_anew = None;
        self.workers.excuse_silence(self.broker.now());
    }

    /// Looks at what has changed, and puts it into the outbox.
    pub(super) async fn look(
        &mut self,
        hooks: &[SavedHook],
        outbox: &mut Outbox,
    ) -> Result<(), BrokerError> {
        self.look_at_jobs(hooks, outbox).await?;
        self.look_at_batches(hooks, outbox).await?;
        self.look_at_workers(hooks, outbox).await
    }

    async fn look_at_jobs(
        &mut self,
        hooks: &[SavedHook],
        outbox: &mut Outbox,
    ) -> Result<(), BrokerError> {
        let last = self.broker.last_run_sequence().await?;
        let known = match self.runs {
            Some(runs) => Some(runs),
            None => self.broker.notified_runs().await?.map(|told| told + 1),
        };
        // Without a place to go on from, or where the broker has begun anew, the past is nobody's news.
        let mut from = known.filter(|from| *from <= last + 1).unwrap_or(last + 1);
        if known.is_none() {
            self.broker.note_notified_runs(last).await?;
        }
        self.runs = Some(from);
        loop {
            let (changes, next) = self.broker.run_changes(from, PAGE).await?;
            if next == from {
                return Ok(());
            }
            let now = self.broker.now();
            for run in changes.iter().filter_map(|change| change.value.as_ref()) {
                if !run.state.is_terminal() {
                    continue;
                }
                self.ended.insert(run.job.batch, now);
                if let Some(occurrence) = self.of_run(run, hooks).await? {
                    outbox.tell(hooks, &occurrence).await?;
                }
            }
            // A monitor that is killed before this tells the same occurrences again: they have the same ids.
            self.broker.note_notified_runs(next - 1).await?;
            from = next;
            self.runs = Some(from);
        }
    }

    /// What a run tells, if a hook wants to be told of its kind.
    async fn of_run(
        &mut self,
        run: &Run,
        hooks: &[SavedHook],
    ) -> Result<Option<Occurrence>, BrokerError> {
        let Some(occurrence) = Occurrence::of_run(run, None) else {
            return Ok(None);
        };
        if !wants(hooks, occurrence.fact.kind()) {
            return Ok(None);
        }
        if !self.batches.contains_key(&run.job.batch) {
            self.read_batches().await?;
        }
        Ok(Occurrence::of_run(run, self.batches.get(&run.job.batch)))
    }

    async fn read_batches(&mut self) -> Result<(), BrokerError> {
        let batches = self.broker.batches().await?;
        self.batches = batches.into_iter().map(|batch| (batch.id, batch)).collect();
        Ok(())
    }

    async fn look_at_batches(
        &mut self,
        hooks: &[SavedHook],
        outbox: &mut Outbox,
    ) -> Result<(), BrokerError> {
        if !wants(hooks, EventKind::BatchDone) && !wants(hooks, EventKind::LibraryFinished) {
            self.ended.clear();
            self.libraries.clear();
        }
        let is_due = self
            .libraries_seen
            .is_none_or(|seen| seen.elapsed() > LIBRARIES);
        let are_libraries_due = !self.libraries.is_empty() && is_due;
        if self.ended.is_empty() && self.knows_batches && !are_libraries_due {
            return Ok(());
        }
        let Some(sums) = self.sums().await else {
            return Ok(());
        };
        if !self.knows_batches {
            // What ended before this program started may be untold: a monitor was killed, or none ran.
            let now = self.broker.now();
            let recent = sums.iter().filter(|(_, sum)| is_recent(sum, now));
            self.ended.extend(recent.map(|(id, _)| (*id, now)));
            self.knows_batches = true;
        }
        // The number of a batch's jobs is corrected once all are enqueued.
        self.read_batches().await?;
        let now = self.broker.now();
        for (id, ended) in self.ended.clone() {
            // A batch without a record is older than the history that is kept.
            if let (Some(batch), Some(sum)) = (self.batches.get(&id), sums.get(&id)) {
                self.libraries.extend(batch.encodes().cloned());
                match batches::progress(batch, sum, ended, outbox.batch_told(&id), now) {
                    Progress::Done(occurrence) => outbox.tell(hooks, &occurrence).await?,
                    Progress::Unsure => continue,
                    Progress::Open => {}
                }
            }
            self.ended.remove(&id);
        }
        if are_libraries_due {
            self.libraries_seen = Some(Instant::now());
            self.look_at_libraries(&sums, hooks, outbox).await?;
        }
        Ok(())
    }

    async fn look_at_libraries(
        &mut self,
        sums: &BTreeMap<BatchId, BatchSum>,
        hooks: &[SavedHook],
        outbox: &mut Outbox,
    ) -> Result<(), BrokerError> {
        let scans: HashMap<Token, ScanRecord> = self.broker.scans().await?.into_iter().collect();
        for library in self.libraries.clone() {
            let batches = self.batches.values();
            let own = batches.filter(|batch| batch.encodes() == Some(&library));
            let own = own.filter_map(|batch| sums.get(&batch.id));
            let scan = scans.get(&library).and_then(|scan| scan.last.as_ref());
            match libraries::progress(&library, own, scan, outbox.library_told(&library)) {
                libraries::Progress::Finished(occurrence) => {
                    outbox.tell(hooks, &occurrence).await?;
                }
                libraries::Progress::Unsure => continue,
                libraries::Progress::Open => {}
            }
            self.libraries.remove(&library);
        }
        Ok(())
    }

    /// The jobs of all batches by state; `None` while not all jobs are in the index.
    async fn sums(&self) -> Option<BTreeMap<BatchId, BatchSum>> {
        let _viewer = self.audience.join();
        self.listing.caught_up().await;
        if !self.listing.is_complete() {
            return None;
        }
        let listing = self.listing.clone();
        let summed = tokio::task::spawn_blocking(move || listing.read().batches());
        summed.await.ok()
    }

    async fn look_at_workers(
        &mut self,
        hooks: &[SavedHook],
        outbox: &mut Outbox,
    ) -> Result<(), BrokerError> {
        if !wants(hooks, EventKind::WorkerLost) {
            self.workers = Workers::default();
            return Ok(());
        }
        if self
            .heartbeats_anew
            .is_none_or(|last| last.elapsed() > WORKERS_ANEW)
        {
            self.heartbeats = 1;
            self.heartbeats_anew = Some(Instant::now());
        }
        loop {
            let (changes, next) = self.broker.worker_changes(self.heartbeats, PAGE).await?;
            if next == self.heartbeats {
                break;
            }
            self.heartbeats = next;
            let now = self.broker.now();
            for change in changes {
                let at = change.time.unwrap_or(now);
                match change.value {
                    Some(heartbeat) => self.workers.heard(heartbeat, at),
                    None => self.workers.gone(&change.key, at),
                }
            }
        }
        for occurrence in self.workers.lost(self.broker.now()) {
            outbox.tell(hooks, &occurrence).await?;
        }
        Ok(())
    }
}

/// Whether a job of the batch ended so lately that it may be news.
fn is_recent(sum: &BatchSum, now: Timestamp) -> bool {
    let ended = sum
        .ended
        .and_then(|ended| Timestamp::from_millisecond(ended).ok());
    ended.is_some_and(|ended| now.duration_since(ended) < PATIENCE)
}

fn wants(hooks: &[SavedHook], kind: EventKind) -> bool {
    hooks.iter().any(|saved| saved.hook.on.contains(&kind))
}
