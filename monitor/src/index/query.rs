//! Asking the index for a page of jobs.

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
    /// Only of these phases; of all where empty.
    pub phases: Vec<JobState>,
    /// Only in this queue.
    pub queue: Option<Queue>,
    /// Only with this worker.
    pub worker: Option<WorkerName>,
    /// Only of this batch.
    pub batch: Option<BatchId>,
    /// Only those whose name or folder holds this, or whose id this is.
    pub text: String,
    /// In which order.
    pub sort: Sort,
    /// The other way round.
    pub descending: bool,
    /// Jobs to leave out first.
    pub offset: usize,
    /// Jobs to give, at the most.
    pub limit: usize,
}

/// What jobs are sorted by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// When they were enqueued.
    #[default]
    Enqueued,
    /// When they last changed.
    Changed,
    /// Their input's name.
    Name,
    /// Their input's size.
    Size,
    /// How urgent they are.
    Priority,
}

/// Some of the jobs that were asked for.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Page {
    /// The jobs, in order.
    pub jobs: Vec<JobRow>,
    /// How many there are of them in all.
    pub total: usize,
    /// How many there are of each phase, whatever phases were asked for.
    pub phases: Vec<(JobState, usize)>,
}

/// The names of some of the jobs that were asked for.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Ids {
    /// Which, in order.
    #[schema(value_type = Vec<String>)]
    pub jobs: Vec<JobId>,
    /// How many there are of them in all.
    pub total: usize,
}

/// A job as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct JobRow {
    /// Which.
    pub job: JobName,
    /// Where it stands.
    pub phase: JobState,
    /// By whom it may be run.
    #[schema(value_type = String)]
    pub queue: Queue,
    /// By whom its recipe may be run, where that is another queue.
    #[schema(value_type = Option<String>)]
    pub home: Option<Queue>,
    /// How urgent it is.
    pub priority: u8,
    /// What it was enqueued with.
    #[schema(value_type = String)]
    pub batch: BatchId,
    /// Who is or was at it.
    #[schema(value_type = Option<String>)]
    pub worker: Option<WorkerName>,
    /// When it was enqueued.
    #[schema(value_type = String)]
    pub enqueued: Moment,
    /// When it last changed.
    #[schema(value_type = String)]
    pub changed: Moment,
    /// Bytes of the input.
    pub input_size: u64,
    /// Bytes of the output, once it is there.
    pub output_size: Option<u64>,
    /// What encoded it.
    #[schema(value_type = Option<String>)]
    pub encoder: Option<Encoder>,
    /// Mean frames per second.
    pub fps: Option<f32>,
    /// Whose fault the last failure was.
    #[schema(value_type = Option<String>)]
    pub fault: Option<Fault>,
    /// Why the last attempt failed: without the path, and shortened.
    pub reason: Option<String>,
}

/// A query in the index's own numbers.
struct Filter<'a> {
    index: &'a Index,
    queue: Option<u32>,
    worker: Option<u32>,
    batch: Option<u32>,
    needle: Option<Needle>,
}

struct Needle {
    text: String,
    id: Option<JobId>,
    /// Whether each folder holds it.
    folders: Vec<bool>,
}

impl Index {
    /// The jobs that were asked for.
    pub fn page(&self, query: &Query) -> Page {
        let (found, counts) = self.select(query);
        let rows = found.iter().filter_map(|slot| self.slots.get(*slot));
        Page {
            jobs: rows.map(|row| self.listed(row)).collect(),
            total: counts.total(&query.phases),
            phases: LISTED
                .into_iter()
                .map(|phase| (phase, counts.of(phase)))
                .collect(),
        }
    }

    /// Only their names: of far more jobs than a page has.
    pub fn ids(&self, query: &Query) -> Ids {
        let (found, counts) = self.select(query);
        let rows = found.iter().filter_map(|slot| self.slots.get(*slot));
        Ids {
            jobs: rows.map(|row| row.id).collect(),
            total: counts.total(&query.phases),
        }
    }

    /// The slots that were asked for, in order; and how many there are of each
    /// phase, whatever phases were asked for.
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
                    counts.0[row.phase as usize] += 1;
                    if query.phases.is_empty() || query.phases.contains(&row.phase) {
                        first.push((self.key(query.sort, row), slot));
                    }
                }
            }
        }
        let found = first.into_sorted().into_iter().skip(query.offset);
        (found.map(|(_, slot)| slot).collect(), counts)
    }

    /// The jobs that wait, the next one first: the first `most` of all, and the
    /// first `each` of every queue, as nobody may take those of another.
    pub fn next(&self, most: usize, each: usize) -> Vec<NextRow> {
        let order = |a: &(u64, u32), b: &(u64, u32)| {
            let descending = b.0.cmp(&a.0);
            descending.then_with(|| self.tie(Sort::Priority, b.1, a.1))
        };
        let mut of_all = First::new(most, &order);
        let mut of_queues = BTreeMap::new();
        for (slot, row) in self.slots.iter() {
            if row.phase == JobState::Pending {
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

    /// What sorts first, as a number: quick to compare a million times.
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

    /// What sorts first among those of one key.
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
            // Of one priority the older comes first, whichever way round.
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
            phase: row.phase,
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
            None => {}
        }
        listed
    }
}

impl<'a> Filter<'a> {
    /// `None` where something is asked for that no job has.
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
        })
    }

    fn admits(&self, row: &Row) -> bool {
        self.queue.is_none_or(|queue| row.queue == queue)
            && self.worker.is_none_or(|worker| row.worker == worker)
            && self.batch.is_none_or(|batch| row.batch == batch)
            && self.needle.as_ref().is_none_or(|needle| {
                needle.folders[row.folder as usize]
                    || needle.id == Some(row.id)
                    || holds(self.index.names.get(row.name), &needle.text)
            })
    }
}

/// Whether a text holds another, whatever the case of plain letters.
fn holds(text: &str, needle: &str) -> bool {
    let (text, needle) = (text.as_bytes(), needle.as_bytes());
    let Some(first) = needle.first() else {
        return true;
    };
    text.windows(needle.len())
        .any(|part| part[0].eq_ignore_ascii_case(first) && part.eq_ignore_ascii_case(needle))
}
