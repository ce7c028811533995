//! All jobs of the farm, with about a hundred bytes of each: enough to list, sort and count them.
//! Pure; the feed fills the index.

mod first;
mod intern;
pub mod query;
mod row;
pub mod shared;
mod text;
mod work;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use common::broker::LaneStatus;
use common::farm::queue::{Lane, Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::failure::{Fault, cause};
use common::job::id::{BatchId, JobId};
use common::job::record::Pending;
use common::job::run::health::Health;
use common::job::run::{Run, RunState};
use common::job::state::JobState;
use common::matching::outlook::Waiting;
use common::recipe::encoder::Encoder;
use hashbrown::HashTable;
use jiff::Timestamp;

use crate::snapshot::jobs::name;
use intern::Interner;
pub use row::LISTED;
use row::{Outcome, Row, Slots};
use text::Texts;
use work::Beyond;
pub use work::Work;

/// The index of all jobs.
#[derive(Default)]
pub struct Index {
    slots: Slots,
    by_id: HashTable<u32>,
    hasher: RandomState,
    names: Texts,
    folders: Interner<String>,
    queues: Interner<Queue>,
    workers: Interner<Option<WorkerName>>,
    batches: Interner<BatchId>,
    encoders: Interner<Option<Encoder>>,
    reasons: Interner<String>,
    counts: Counts,
    beyond: Beyond,
    /// Rises with every change.
    revision: u64,
}

/// Number of jobs of each state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts([usize; JobState::ALL.len()]);

impl Counts {
    /// Jobs in a state.
    pub fn of(&self, state: JobState) -> usize {
        self.0[state as usize]
    }

    /// Jobs in these states; all jobs if no state is named.
    pub fn total(&self, states: &[JobState]) -> usize {
        LISTED
            .into_iter()
            .filter(|state| states.is_empty() || states.contains(state))
            .map(|state| self.of(state))
            .sum()
    }

    pub fn sum(&self) -> usize {
        self.0.iter().sum()
    }
}

/// The jobs of a batch, summed up.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchSum {
    pub counts: Counts,
    pub waiting: Waiting,
    /// The queues of the jobs that have not ended.
    pub queues: Vec<Queue>,
    /// When the last job ended by itself, not by a person's cancelling: milliseconds since the epoch.
    pub ended: Option<i64>,
    /// Completed checks that found damage.
    pub damaged: u64,
    /// Jobs that put a file in its place: outputs, and copies of kept originals.
    pub written: u64,
}

/// A worker and an encoder, by their numbers in the index: a cheap key for sums.
pub(crate) type Who = (u32, u32);

/// A completed job that made an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Done<'a> {
    pub job: JobId,
    /// The file name of the input.
    pub name: &'a str,
    pub ended: Timestamp,
    pub worker: Option<&'a WorkerName>,
    /// `None` if the video was copied.
    pub encoder: Option<&'a Encoder>,
    /// Worker and encoder as one key.
    pub(crate) who: Who,
    /// Size of the input in bytes.
    pub input_size: u64,
    /// Size of the output in bytes.
    pub output_size: u64,
    pub frames: u64,
    /// Duration of the output in seconds.
    pub length: f32,
    /// Seconds that ffmpeg encoded.
    pub encode_seconds: f32,
    /// Seconds from the claim to the end.
    pub total_seconds: f32,
}

/// A job that failed for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken<'a> {
    pub ended: Timestamp,
    /// The worker of the last attempt.
    pub worker: Option<&'a WorkerName>,
    pub fault: Fault,
    /// The reason, shortened.
    pub reason: &'a str,
}

impl Index {
    /// Rises with every change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Number of jobs of each state.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Attempts beyond the first, of all jobs.
    pub fn retries(&self) -> u64 {
        self.slots
            .iter()
            .map(|(_, row)| u64::from(row.retries))
            .sum()
    }

    /// Takes a job of the work queue. If the job has a run, the run says more.
    pub fn queued(&mut self, pending: &Pending) {
        let lane = Lane {
            queue: pending.queue.clone(),
            priority: pending.priority,
        };
        self.waits(&pending.job, &lane);
    }

    /// Takes a job that waits in a lane. If the job is known already, this may be a further lane of it.
    pub fn waits(&mut self, job: &Job, lane: &Lane) {
        let known = self.find(&job.id).and_then(|slot| self.slots.get(slot));
        let Some((queue, has_ended)) = known.map(|row| (row.queue, row.state.has_ended())) else {
            let row = self.row(job, lane, JobState::Pending);
            self.put(row);
            return;
        };
        let further = self.queues.id(&lane.queue);
        if further != queue && !has_ended {
            self.beyond.waits_in(&job.id, further);
            self.revision += 1;
        }
    }

    /// Takes the change of a run.
    pub fn run(&mut self, run: &Run) {
        self.beyond.ran(run);
        let state = JobState::from(&run.state);
        let mut row = self.row(&run.job, &run.lane(), state);
        row.changed = run.changed.as_millisecond();
        row.worker = self.workers.id(&run.worker().cloned());
        row.retries = u8::try_from(run.tries().saturating_sub(1)).unwrap_or(u8::MAX);
        row.outcome = match &run.state {
            RunState::Completed { report } if !run.job.kind.writes() => {
                let is_damaged = report.health.as_ref().is_some_and(Health::is_damaged);
                Some(Box::new(Outcome::Checked { is_damaged }))
            }
            RunState::Completed { report } => Some(Box::new(Outcome::Done {
                encoder: self.encoders.id(&report.encoder),
                output_size: report.output_size,
                frames: report.frames,
                length: report.duration as f32,
                encode_seconds: report.encode_seconds as f32,
                total_seconds: report.total_seconds as f32,
            })),
            RunState::Kept { report } if report.copy.is_some() => Some(Box::new(Outcome::Copied)),
            RunState::Failed { failure } | RunState::Waiting { failure, .. } => {
                Some(Box::new(Outcome::Broken {
                    fault: failure.fault,
                    reason: self.reasons.id(&text::shortened(cause(&failure.message))),
                }))
            }
            RunState::Running { .. }
            | RunState::Split { .. }
            | RunState::Queued { .. }
            | RunState::Kept { .. }
            | RunState::Cancelled => None,
        };
        self.put(row);
    }

    /// Takes the deletion of a run.
    pub fn forget(&mut self, job: &JobId) {
        self.beyond.forget(job);
        if let Some(slot) = self.find(job) {
            let hash = self.hasher.hash_one(job);
            if let Ok(entry) = self.by_id.find_entry(hash, |known| *known == slot) {
                entry.remove();
            }
            if let Some(row) = self.slots.take(slot) {
                self.counts.0[row.state as usize] -= 1;
                self.names.remove(row.name);
            }
            self.revision += 1;
        }
    }

    /// The completed jobs that made an output. Checks are none: they encode and write nothing.
    pub fn done(&self) -> impl Iterator<Item = Done<'_>> {
        self.slots
            .iter()
            .filter_map(|(_, row)| match row.outcome.as_deref()? {
                Outcome::Done {
                    encoder,
                    output_size,
                    frames,
                    length,
                    encode_seconds,
                    total_seconds,
                } => Some(Done {
                    job: row.id,
                    name: self.names.get(row.name),
                    ended: moment(row.changed),
                    worker: self.workers.get(row.worker).as_ref(),
                    encoder: self.encoders.get(*encoder).as_ref(),
                    who: (row.worker, *encoder),
                    input_size: row.size,
                    output_size: *output_size,
                    frames: *frames,
                    length: *length,
                    encode_seconds: *encode_seconds,
                    total_seconds: *total_seconds,
                }),
                Outcome::Broken { .. } | Outcome::Checked { .. } | Outcome::Copied => None,
            })
    }

    /// The completed checks: healthy ones and damaged ones.
    pub fn checked(&self) -> (u64, u64) {
        let (mut healthy, mut damaged) = (0, 0);
        for (_, row) in self.slots.iter() {
            match row.outcome.as_deref() {
                Some(Outcome::Checked { is_damaged: true }) => damaged += 1,
                Some(Outcome::Checked { is_damaged: false }) => healthy += 1,
                _ => {}
            }
        }
        (healthy, damaged)
    }

    /// The jobs that failed for good.
    pub fn broken(&self) -> impl Iterator<Item = Broken<'_>> {
        self.slots
            .iter()
            .filter_map(|(_, row)| match row.outcome.as_deref()? {
                Outcome::Broken { fault, reason } if row.state == JobState::Failed => {
                    Some(Broken {
                        ended: moment(row.changed),
                        worker: self.workers.get(row.worker).as_ref(),
                        fault: *fault,
                        reason: self.reasons.get(*reason),
                    })
                }
                _ => None,
            })
    }

    /// The pending jobs of each lane, and when the oldest was enqueued.
    pub fn lanes(&self) -> Vec<LaneStatus> {
        let mut found: HashMap<(u32, u8), (u64, i64)> = HashMap::new();
        for (_, row) in self.slots.iter() {
            if row.state == JobState::Pending {
                let (jobs, oldest) = found
                    .entry((row.queue, row.priority))
                    .or_insert((0, i64::MAX));
                *jobs += 1;
                *oldest = row.enqueued.min(*oldest);
            }
        }
        let status = |((queue, priority), (pending, oldest))| {
            Some(LaneStatus {
                lane: Lane {
                    priority: Priority::try_from(priority).ok()?,
                    queue: self.queues.get(queue).clone(),
                },
                pending,
                running: 0,
                oldest: Some(moment(oldest)),
                next: 0,
            })
        };
        found.into_iter().filter_map(status).collect()
    }

    /// The jobs of each queue that wait for a worker or for a retry.
    pub fn waiting(&self) -> HashMap<Queue, Waiting> {
        let mut found: HashMap<u32, Waiting> = HashMap::new();
        for (_, row) in self.slots.iter() {
            if row.state.is_waiting() {
                found.entry(row.queue).or_default().add(row.size);
            }
        }
        let named = |(queue, waiting)| (self.queues.get(queue).clone(), waiting);
        found.into_iter().map(named).collect()
    }

    pub fn batches(&self) -> BTreeMap<BatchId, BatchSum> {
        let mut found: Vec<(BatchSum, BTreeSet<u32>)> =
            vec![Default::default(); self.batches.len()];
        for (_, row) in self.slots.iter() {
            let (sum, queues) = &mut found[row.batch as usize];
            sum.counts.0[row.state as usize] += 1;
            if row.state.is_waiting() {
                sum.waiting.add(row.size);
            }
            if row.state.is_waiting() || row.state == JobState::Running {
                queues.insert(row.queue);
            }
            if row.state.has_ended() && row.state != JobState::Cancelled {
                sum.ended = sum.ended.max(Some(row.changed));
            }
            sum.damaged += u64::from(row.is_damaged());
            sum.written += u64::from(row.has_written());
        }
        let named = |(sum, queues): (BatchSum, BTreeSet<u32>)| BatchSum {
            queues: queues
                .into_iter()
                .map(|queue| self.queues.get(queue).clone())
                .collect(),
            ..sum
        };
        (0..)
            .zip(found)
            .filter(|(_, (sum, _))| sum.counts.sum() > 0)
            .map(|(id, found)| (*self.batches.get(id), named(found)))
            .collect()
    }

    fn row(&mut self, job: &Job, lane: &Lane, state: JobState) -> Row {
        let called = name(job);
        Row {
            id: job.id,
            enqueued: job.enqueued.as_millisecond(),
            changed: job.enqueued.as_millisecond(),
            size: job.bytes(),
            outcome: None,
            name: self.names.add(&called.name),
            folder: self.folders.id(&called.folder),
            batch: self.batches.id(&job.batch),
            worker: self.workers.id(&None),
            queue: self.queues.id(&lane.queue),
            home: self.queues.id(&job.recipe.queue()),
            priority: u8::from(lane.priority),
            state,
            retries: 0,
        }
    }

    fn find(&self, job: &JobId) -> Option<u32> {
        let hash = self.hasher.hash_one(job);
        self.by_id
            .find(hash, |slot| self.slots.is(*slot, job))
            .copied()
    }

    fn put(&mut self, row: Row) {
        self.revision += 1;
        self.counts.0[row.state as usize] += 1;
        let id = row.id;
        match self.find(&id) {
            Some(slot) => {
                if let Some(before) = self.slots.replace(slot, row) {
                    self.counts.0[before.state as usize] -= 1;
                    self.names.remove(before.name);
                }
            }
            None => {
                let slot = self.slots.add(row);
                let (slots, hasher) = (&self.slots, &self.hasher);
                let hash = |slot: &u32| slots.get(*slot).map_or(0, |row| hasher.hash_one(row.id));
                self.by_id.insert_unique(hasher.hash_one(id), slot, hash);
            }
        }
        if self.names.is_wasteful() {
            let mut names = Texts::default();
            for row in self.slots.iter_mut() {
                row.name = names.add(self.names.get(row.name));
            }
            self.names = names;
        }
    }
}

fn moment(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or_default()
}
