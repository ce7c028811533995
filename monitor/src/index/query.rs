//! Queries of the index: pages of jobs, filtered and sorted.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use common::farm::queue::{Priority, Queue};
use common::farm::worker_name::WorkerName;
use common::job::failure::Fault;
use common::job::id::{BatchId, JobId};
use common::job::state::JobState;
use common::recipe::encoder::Encoder;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::first::First;
use super::row::{Outcome, Row};
use super::{Counts, Index, LISTED, moment};
use crate::snapshot::jobs::{JobName, NextRow};
use crate::snapshot::moment::Moment;

/// Which jobs, in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Query {
    /// Only jobs in these states; all if empty.
    pub states: Vec<JobState>,
    /// Only jobs of this queue.
    pub queue: Option<Queue>,
    /// Only jobs of this worker.
    pub worker: Option<WorkerName>,
    /// Only jobs of this batch.
    pub batch: Option<BatchId>,
    /// Only jobs whose name or folder contains this text, or whose id this is.
    pub text: String,
    /// Only checks that have found damage.
    pub damaged: bool,
    pub sort: Sort,
    /// In descending order.
    pub descending: bool,
    /// Jobs to skip.
    pub offset: usize,
    /// The most jobs in the answer.
    pub limit: usize,
}

/// What jobs are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Time of enqueueing.
    #[default]
    Enqueued,
    /// Time of the last change.
    Changed,
    /// File name of the input.
    Name,
    /// Size of the input.
    Size,
    /// Priority.
    Priority,
}

/// One page of the jobs that match.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Page {
    pub jobs: Vec<JobRow>,
    /// How many jobs match in all.
    pub total: usize,
    /// How many jobs match in each state, whatever states the query names.
    pub states: Vec<(JobState, usize)>,
}

/// Ids of the jobs that match.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Ids {
    /// The ids, in order.
    pub jobs: Vec<JobId>,
    /// How many jobs match in all.
    pub total: usize,
}

/// A job of a page.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct JobRow {
    pub job: JobName,
    pub state: JobState,
    pub queue: Queue,
    /// The queue of the job's recipe, if that is another.
    pub home: Option<Queue>,
    pub priority: u8,
    pub batch: BatchId,
    /// The current or last owner.
    pub worker: Option<WorkerName>,
    pub enqueued: Moment,
    pub changed: Moment,
    /// Size of the input in bytes.
    pub input_size: u64,
    /// Size of the output in bytes, if it is in place.
    pub output_size: Option<u64>,
    pub encoder: Option<Encoder>,
    /// Mean encoding speed in frames per second.
    pub fps: Option<f32>,
    /// The fault of the last failure.
    pub fault: Option<Fault>,
    /// Why the last attempt failed, without the path, shortened.
    pub reason: Option<String>,
    /// Whether the job was a check that has found damage.
    pub damaged: bool,
}

/// A query in the numbers of the index.
struct Filter<'a> {
    index: &'a Index,
    queue: Option<u32>,
    worker: Option<u32>,
    batch: Option<u32>,
    needle: Option<Needle>,
    damaged: bool,
}

struct Needle {
    text: String,
    id: Option<JobId>,
    /// For each folder, whether it contains the text.
    folders: Vec<bool>,
}

impl Index {
    /// One page of the jobs that match.
    pub fn page(&self, query: &Query) -> Page {
        let (found, counts) = self.select(query);
        let rows = found.iter().filter_map(|slot| self.slots.get(*slot));
        Page {
            jobs: rows.map(|row| self.listed(row)).collect(),
            total: counts.total(&query.states),
            states: LISTED
                .into_iter()
                .map(|state| (state, counts.of(state)))
                .collect(),
        }
    }

    /// The ids of the jobs that match: of far more jobs than a page has.
    pub fn ids(&self, query: &Query) -> Ids {
        let (found, counts) = self.select(query);
        let rows = found.iter().filter_map(|slot| self.slots.get(*slot));
        Ids {
            jobs: rows.map(|row| row.id).collect(),
            total: counts.total(&query.states),
        }
    }

    /// The slots that match, in order, and how many jobs match in each state, whatever states the
    /// query names.
    fn select(&self, query: &Query) -> (Vec<u32>, Counts) {
        let order = |a: &(u64, u32), b: &(u64, u32)| {
            let ascending = a.0.cmp(&b.0).then_with(|| self.tie(query.sort, a.1, b.1));
            if query.descending {
                ascending.reverse()
            } else {
                ascending
            }
        };
        let mut first = First::new(query.offset.saturating_add(query.limit), order);
        let mut counts = Counts::default();
        if let Some(filter) = Filter::new(self, query) {
            for (slot, row) in self.slots.iter() {
                if filter.admits(row) {
                    counts.0[row.state as usize] += 1;
                    if query.states.is_empty() || query.states.contains(&row.state) {
                        first.push((self.key(query.sort, row), slot));
                    }
                }
            }
        }
        let found = first.into_sorted().into_iter().skip(query.offset);
        (found.map(|(_, slot)| slot).collect(), counts)
    }

    /// The pending jobs, the next one first: the first `most` of all, and the first `each` of every
    /// queue, for each queue has workers of its own.
    pub fn next(&self, most: usize, each: usize) -> Vec<NextRow> {
        let order = |a: &(u64, u32), b: &(u64, u32)| {
            let descending = b.0.cmp(&a.0);
            descending.then_with(|| self.tie(Sort::Priority, b.1, a.1))
        };
        let mut of_all = First::new(most, &order);
        let mut of_queues = BTreeMap::new();
        for (slot, row) in self.slots.iter() {
            if row.state == JobState::Pending {
                let item = (self.key(Sort::Priority, row), slot);
                of_all.push(item);
                let of_queue = of_queues.entry(row.queue);
                of_queue
                    .or_insert_with(|| First::new(each, &order))
                    .push(item);
            }
        }
        let mut found = of_all.into_sorted();
        found.extend(of_queues.into_values().flat_map(First::into_sorted));
        found.sort_unstable_by(&order);
        found.dedup();
        let rows = found.iter().filter_map(|(_, slot)| self.slots.get(*slot));
        rows.filter_map(|row| self.next_row(row)).collect()
    }

    fn next_row(&self, row: &Row) -> Option<NextRow> {
        let listed = self.listed(row);
        Some(NextRow {
            job: listed.job,
            queue: listed.queue,
            priority: Priority::try_from(listed.priority).ok()?,
            enqueued: listed.enqueued,
            input_size: listed.input_size,
            unserved: None,
        })
    }

    /// The sort key as a number: quick to compare a million times.
    fn key(&self, sort: Sort, row: &Row) -> u64 {
        match sort {
            Sort::Enqueued => row.enqueued.cast_unsigned(),
            Sort::Changed => row.changed.cast_unsigned(),
            Sort::Size => row.size,
            Sort::Priority => u64::from(row.priority),
            Sort::Name => {
                let mut first = [0; 8];
                let name = self.names.get(row.name).bytes();
                for (place, byte) in first.iter_mut().zip(name) {
                    *place = byte.to_ascii_lowercase();
                }
                u64::from_be_bytes(first)
            }
        }
    }

    /// The order among jobs of the same sort key.
    fn tie(&self, sort: Sort, a: u32, b: u32) -> Ordering {
        let (Some(left), Some(right)) = (self.slots.get(a), self.slots.get(b)) else {
            return a.cmp(&b);
        };
        match sort {
            Sort::Name => {
                let lower = |row: &Row| {
                    let name = self.names.get(row.name);
                    name.bytes().map(|byte| byte.to_ascii_lowercase())
                };
                lower(left).cmp(lower(right)).then(a.cmp(&b))
            }
            // Within one priority the older job comes first, in either direction.
            Sort::Priority => right.enqueued.cmp(&left.enqueued).then(b.cmp(&a)),
            Sort::Enqueued | Sort::Changed | Sort::Size => a.cmp(&b),
        }
    }

    fn listed(&self, row: &Row) -> JobRow {
        let mut listed = JobRow {
            job: JobName {
                id: row.id,
                name: self.names.get(row.name).to_owned(),
                folder: self.folders.get(row.folder).clone(),
            },
            state: row.state,
            queue: self.queues.get(row.queue).clone(),
            home: (row.home != row.queue).then(|| self.queues.get(row.home).clone()),
            priority: row.priority,
            batch: *self.batches.get(row.batch),
            worker: self.workers.get(row.worker).clone(),
            enqueued: Moment(moment(row.enqueued)),
            changed: Moment(moment(row.changed)),
            input_size: row.size,
            output_size: None,
            encoder: None,
            fps: None,
            fault: None,
            reason: None,
            damaged: row.is_damaged(),
        };
        match row.outcome.as_deref() {
            Some(Outcome::Done {
                encoder,
                output_size,
                frames,
                encode_seconds,
                ..
            }) => {
                listed.output_size = Some(*output_size);
                listed.encoder = self.encoders.get(*encoder).clone();
                listed.fps = (*encode_seconds > 0.0).then(|| *frames as f32 / encode_seconds);
            }
            Some(Outcome::Broken { fault, reason }) => {
                listed.fault = Some(*fault);
                listed.reason = Some(self.reasons.get(*reason).clone());
            }
            Some(Outcome::Checked { .. } | Outcome::Copied) | None => {}
        }
        listed
    }
}

impl<'a> Filter<'a> {
    /// `None` if the query names a value that no job has.
    fn new(index: &'a Index, query: &Query) -> Option<Self> {
        let queue = match &query.queue {
            Some(queue) => Some(index.queues.known(queue)?),
            None => None,
        };
        let worker = match &query.worker {
            Some(worker) => Some(index.workers.known(&Some(worker.clone()))?),
            None => None,
        };
        let batch = match &query.batch {
            Some(batch) => Some(index.batches.known(batch)?),
            None => None,
        };
        let text = query.text.trim();
        let needle = (!text.is_empty()).then(|| Needle {
            text: text.to_owned(),
            id: text.parse().ok(),
            folders: index
                .folders
                .values()
                .iter()
                .map(|folder| holds(folder, text))
                .collect(),
        });
        Some(Self {
            index,
            queue,
            worker,
            batch,
            needle,
            damaged: query.damaged,
        })
    }

    fn admits(&self, row: &Row) -> bool {
        self.queue.is_none_or(|queue| row.queue == queue)
            && self.worker.is_none_or(|worker| row.worker == worker)
            && self.batch.is_none_or(|batch| row.batch == batch)
            && (!self.damaged || row.is_damaged())
            && self.needle.as_ref().is_none_or(|needle| {
                needle.folders[row.folder as usize]
                    || needle.id == Some(row.id)
                    || holds(self.index.names.get(row.name), &needle.text)
            })
    }
}

/// Whether a text contains another, ignoring ASCII case.
fn holds(text: &str, needle: &str) -> bool {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let Some(first) = needle.first() else {
        return true;
    };
    text.windows(needle.len())
        .any(|part| part[0].eq_ignore_ascii_case(first) && part.eq_ignore_ascii_case(needle))
}
