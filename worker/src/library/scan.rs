//! One scan of a library.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use common::broker::BrokerError;
use common::job::id::JobId;
use common::job::input::Input;
use common::library::Library;
use common::library::file::{FileRecord, FileState, FileStateKind, LastCheck};
use common::library::next::{Next, Seen, Sight, after_probe, next};
use common::library::scan::{ScanPhase, ScanReport};
use common::names::location::Location;
use common::names::token::Token;
use common::submit::output_job::OutputJob;
use futures::StreamExt;
use tokio_util::sync::CancellationToken;

use crate::attempt::executor::Executor;
use crate::library::arrivals::Arrivals;
use crate::library::lease::Held;
use crate::library::list::{Listing, list};
use crate::library::orders::Orders;
use crate::library::probe::{Probed, probe};
use crate::library::records::Records;

/// Files that are probed at the same time.
const AT_ONCE: usize = 2;
/// The most files that one scan probes, so that jobs of the first ones are enqueued soon.
const MOST_PROBES: usize = 500;
/// How long one scan probes.
const LONGEST: Duration = Duration::from_secs(60);
/// Probed files whose records are written together.
const TOGETHER: usize = 20;
/// How often a probe may fail by nobody's certain fault before its file counts as unreadable.
const DOUBTS: u32 = 3;
/// The most paths that could not be read, in a report.
const TOLD: usize = 10;

/// Scans one library again and again.
pub(super) struct Scanner<'a> {
    pub(super) executor: &'a Arc<Executor>,
    pub(super) name: &'a Token,
    pub(super) held: &'a Held,
    stop: &'a CancellationToken,
    arrivals: Arrivals,
    /// How often the probes of files have failed by nobody's certain fault.
    doubts: HashMap<Location, u32>,
    /// The files that could not be looked at, each with the reason. They come last, so that they keep no other waiting.
    later: HashMap<Location, String>,
    /// The records whose jobs wait or run.
    queued: HashMap<JobId, FileRecord>,
    /// Whether there are files whose jobs wait for room, or until the library is open.
    has_more: bool,
    /// Whether the jobs of earlier scans are known.
    has_begun: bool,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(
        executor: &'a Arc<Executor>,
        name: &'a Token,
        held: &'a Held,
        stop: &'a CancellationToken,
    ) -> Self {
        Self {
            executor,
            name,
            held,
            stop,
            arrivals: Arrivals::default(),
            doubts: HashMap::new(),
            later: HashMap::new(),
            queued: HashMap::new(),
            has_more: false,
            has_begun: false,
        }
    }

    /// Scans once; returns the time until the next scan.
    ///
    /// # Errors
    /// The library cannot be listed, or the broker gives no answer.
    pub(super) async fn scan(&mut self, library: &Library) -> anyhow::Result<Duration> {
        if !std::mem::replace(&mut self.has_begun, true) {
            let files = self.executor.broker.files_of(self.name).await?;
            self.follow(files);
        }
        self.follow_jobs(library).await?;
        if library.paused {
            return Ok(library.every());
        }
        let broker = &self.executor.broker;
        let orders = Orders::new(self.executor, self.name, library);
        let began = broker.now();
        self.tell(ScanPhase::Listing).await?;
        let listing = list(&self.executor.stores, library).await?;
        self.check_place(library, &listing).await?;
        let files = broker.files_of(self.name).await?;
        let mut records = Records {
            known: files
                .into_iter()
                .map(|record| (record.input.location.clone(), record))
                .collect(),
            changed: HashSet::new(),
        };
        let gone = self.drop_gone(library, &mut records, &listing).await?;
        let sights = self.sights(&records).await?;
        let (mut unprobed, arriving) = self.compare(library, &mut records, &listing, &sights);
        unprobed.sort_by_key(|input| self.later.contains_key(&input.location));
        let held_up = std::mem::take(&mut self.later);
        let probed = self.probe(library, &mut records, &unprobed).await?;
        self.tell(ScanPhase::Enqueueing).await?;
        let enqueued = self.enqueue(&orders, library, &mut records).await?;
        self.verify(&orders, library, &mut records).await?;
        let broker = &self.executor.broker;
        records.store(broker, self.name).await?;
        let count = |kind| {
            let states = records.known.values().map(|record| record.state.kind());
            states.filter(|state| *state == kind).count()
        };
        let waiting = count(FileStateKind::Waiting);
        let unknown = self.later.len() + unprobed.len().saturating_sub(probed);
        let report = ScanReport {
            began,
            ended: broker.now(),
            files: listing.files.len(),
            arriving,
            probed,
            enqueued,
            left: waiting + unknown + listing.unreadable.len(),
            refused: count(FileStateKind::Refused),
            gone,
            unreadable: listing
                .unreadable
                .iter()
                .map(|(folder, why)| (folder, why))
                .chain(&self.later)
                .take(TOLD)
                .map(|(place, why)| format!("{place}: {why}"))
                .collect(),
        };
        tracing::debug!(library = %self.name, ?report, "scanned");
        self.held
            .tell(|record| {
                record.phase = ScanPhase::Resting;
                record.last = Some(report);
                record.problem = None;
            })
            .await?;
        self.follow(records.known.into_values());
        let is_getting_on = self.later.len() < probed || held_up.is_empty();
        Ok(if probed < unprobed.len() && is_getting_on {
            Duration::ZERO
        } else if arriving > 0 {
            library.every().min(library.settle())
        } else {
            library.every()
        })
    }

    /// Takes the files whose jobs wait or run.
    fn follow(&mut self, files: impl IntoIterator<Item = FileRecord>) {
        let queued = |record: FileRecord| match record.state {
            FileState::Queued { job } => Some((job, record)),
            _ => None,
        };
        self.queued = files.into_iter().filter_map(queued).collect();
    }

    async fn tell(&self, phase: ScanPhase) -> Result<(), BrokerError> {
        self.held.tell(|record| record.phase = phase).await
    }

    /// Drops the records of files that are gone; returns how many.
    ///
    /// # Errors
    /// All are gone at once, as on a disk that is not mounted; or the broker gives no answer.
    async fn drop_gone(
        &self,
        library: &Library,
        records: &mut Records,
        listing: &Listing,
    ) -> anyhow::Result<usize> {
        let place = &library.location;
        let known = records.known.keys().filter(|file| file.is_below(place));
        let known = known.count();
        // A bucket that is out of reach fails instead.
        let is_bare = listing.files.is_empty() && listing.unreadable.is_empty();
        if is_bare && known > 0 && !place.is_remote() {
            bail!(
                "{place} holds no media any more, and held {known}: mount its disk, or bring the files back; \
                 if they are not to come back, remove the library"
            );
        }
        let seen: HashSet<&Location> = listing
            .files
            .iter()
            .map(|(_, input)| &input.location)
            .collect();
        let gone: Vec<Location> = records
            .known
            .keys()
            .filter(|location| !seen.contains(location) && !listing.may_hold(location))
            .cloned()
            .collect();
        self.executor.broker.drop_files(self.name, &gone).await?;
        for location in &gone {
            records.known.remove(location);
        }
        Ok(gone.len())
    }

    /// What is known of the jobs of files, as far as these may have changed.
    async fn sights(&self, records: &Records) -> Result<HashMap<JobId, Sight>, BrokerError> {
        let may_change = |record: &FileRecord| match &record.state {
            // These stay as they are unless a person takes a replacement back, which changes the file.
            FileState::Done(_) | FileState::Kept { .. } => None,
            state => state.job().copied(),
        };
        let jobs: Vec<JobId> = records.known.values().filter_map(may_change).collect();
        let found = self.executor.broker.jobs_of(&jobs).await?;
        Ok(jobs
            .into_iter()
            .map(|job| (job, Sight::from(found.get(&job))))
            .collect())
    }

    /// Compares the files with their records. Returns the files to be probed, and the number of those that have not
    /// settled.
    fn compare(
        &mut self,
        library: &Library,
        records: &mut Records,
        listing: &Listing,
        sights: &HashMap<JobId, Sight>,
    ) -> (Vec<Input>, usize) {
        let (mut unprobed, mut arriving) = (Vec::new(), 0);
        let (at, now) = (Instant::now(), self.executor.broker.now());
        self.arrivals.begin();
        for (path, input) in &listing.files {
            let known = records.known.get(&input.location);
            let is_new = known.is_none_or(|record| record.input != *input);
            let seen = Seen {
                input,
                excluded: library.exclude.pattern(path),
                has_settled: !is_new || self.arrivals.has_settled(input, library.settle(), at),
            };
            let job = known.and_then(|record| record.state.job());
            let sight = job.and_then(|job| sights.get(job));
            let sight = sight.unwrap_or(&Sight::Unknown);
            match next(seen, known, sight, &library.rules, now) {
                Next::Stay => {}
                Next::Settle => arriving += 1,
                Next::Probe => unprobed.push(input.clone()),
                Next::Note(state) => records.note(input, state),
                Next::Enqueue => self.wait_for_room(records, input),
            }
        }
        (unprobed, arriving)
    }

    /// Notes that a job is to be enqueued for a file.
    fn wait_for_room(&self, records: &mut Records, input: &Input) {
        let state = records
            .known
            .get(&input.location)
            .map(|record| &record.state);
        // Why a file was refused stays until another attempt.
        if !matches!(state, Some(FileState::Waiting | FileState::Refused { .. })) {
            records.note(input, FileState::Waiting);
        }
    }

    /// Probes files, as many as one scan may; returns how many.
    async fn probe(
        &mut self,
        library: &Library,
        records: &mut Records,
        unprobed: &[Input],
    ) -> anyhow::Result<usize> {
        let began = Instant::now();
        let broker = self.executor.broker.clone();
        let of = unprobed.len();
        let mut done = 0;
        for some in unprobed.chunks(TOGETHER) {
            if done >= MOST_PROBES || began.elapsed() >= LONGEST || self.stop.is_cancelled() {
                break;
            }
            self.tell(ScanPhase::Probing { done, of }).await?;
            let made = self.made(some).await?;
            let mut probes = futures::stream::iter(some.iter().cloned())
                .map(|input| probe(Arc::clone(self.executor), input, self.stop.clone()))
                .buffer_unordered(AT_ONCE);
            let mut outcomes = Vec::new();
            while let Some(outcome) = probes.next().await {
                outcomes.push(outcome);
            }
            drop(probes);
            for (input, probed) in outcomes {
                let facts = match probed {
                    Probed::Facts(facts) => Ok(*facts),
                    Probed::Unreadable(why) => Err(why),
                    Probed::Doubtful(why) => {
                        let doubts = self.doubts.entry(input.location.clone()).or_insert(0);
                        *doubts += 1;
                        if *doubts < DOUBTS {
                            continue;
                        }
                        Err(why)
                    }
                    Probed::Changing => continue,
                    Probed::Later(why) => {
                        tracing::info!(file = %input.location, why, "not probed");
                        self.later.insert(input.location, why);
                        continue;
                    }
                };
                self.doubts.remove(&input.location);
                let made = made.get(&input.location).cloned();
                let probed = facts.as_ref().map_err(Clone::clone);
                let state = match after_probe(probed, made, &library.rules, broker.now()) {
                    Next::Note(state) => state,
                    _ => FileState::Waiting,
                };
                let check = records
                    .known
                    .get(&input.location)
                    .filter(|record| record.input == input)
                    .map_or_else(LastCheck::default, |record| record.check.clone());
                let record = FileRecord::new(input, facts.ok(), state);
                records.put(FileRecord { check, ..record });
            }
            done += some.len();
            records.store(&broker, self.name).await?;
        }
        Ok(done.min(of))
    }

    /// The states of those of the files that a job of the farm has made in the place of their sources.
    async fn made(&self, files: &[Input]) -> Result<HashMap<Location, FileState>, BrokerError> {
        let locations = files.iter().map(|input| input.location.clone());
        let jobs = self.executor.broker.jobs_by_output(locations).await?;
        let state = |input: &Input| {
            let job = jobs.get(&input.location)?;
            let replaces = job.job().replacement.is_some() && job.made(input.size);
            match (replaces, job) {
                (true, OutputJob::Taken(run)) => match Sight::from(run.as_ref()) {
                    Sight::Ended(state) => Some((input.location.clone(), state)),
                    _ => None,
                },
                _ => None,
            }
        };
        Ok(files.iter().filter_map(state).collect())
    }

    /// Enqueues jobs, as far as there is room; returns how many are new.
    async fn enqueue(
        &mut self,
        orders: &Orders<'_>,
        library: &Library,
        records: &mut Records,
    ) -> anyhow::Result<usize> {
        let states = records.known.values().map(|record| &record.state);
        let live = states
            .filter(|state| matches!(state, FileState::Queued { .. }))
            .count();
        let mut waiting: Vec<&FileRecord> = records
            .known
            .values()
            .filter(|record| matches!(record.state, FileState::Waiting | FileState::Refused { .. }))
            .collect();
        // Files that were refused before come last.
        waiting.sort_by_key(|record| (record.state != FileState::Waiting, &record.input.location));
        let room = Library::MOST_AHEAD.saturating_sub(live);
        let new = waiting.iter();
        let new = new
            .filter(|record| record.state == FileState::Waiting)
            .count();
        let is_open = orders.is_open();
        self.has_more = new > room || new > 0 && !is_open;
        waiting.truncate(room);
        if waiting.is_empty() || !is_open {
            return Ok(0);
        }
        // What was found out must not be lost if the submission fails.
        let waiting: Vec<FileRecord> = waiting.into_iter().cloned().collect();
        records.store(&self.executor.broker, self.name).await?;
        let (found, added) = orders
            .submit(waiting)
            .await
            .with_context(|| format!("jobs for {} cannot be enqueued", library.location))?;
        for record in found {
            let before = records.known.get(&record.input.location);
            if before.is_none_or(|before| before.state != record.state) {
                records.put(record);
            }
        }
        Ok(added)
    }

    /// Looks at the jobs that wait or run, and notes those that have ended; returns whether there is room for further
    /// ones.
    ///
    /// # Errors
    /// The broker gives no answer.
    pub(super) async fn follow_jobs(&mut self, library: &Library) -> anyhow::Result<bool> {
        let broker = &self.executor.broker;
        let orders = Orders::new(self.executor, self.name, library);
        let jobs: Vec<JobId> = self.queued.keys().copied().collect();
        let found = broker.jobs_of(&jobs).await?;
        orders.hold(self.held, &found).await?;
        let mut ended = Vec::new();
        for job in jobs {
            if let Sight::Ended(state) = Sight::from(found.get(&job))
                && let Some(record) = self.queued.remove(&job)
            {
                ended.push(FileRecord { state, ..record });
            }
        }
        broker.note_files(self.name, &ended).await?;
        let is_opening = self.has_more && orders.is_open();
        Ok(is_opening && self.queued.len() <= Library::MOST_AHEAD / 2)
    }
}
