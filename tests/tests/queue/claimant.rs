//! A test's worker, as the queue sees it: the test decides which jobs the worker takes.

use std::sync::atomic::{AtomicUsize, Ordering};

use common::broker::{Claimant, Decline};
use common::farm::queue::{Lane, Queue};
use common::farm::worker_name::WorkerName;
use common::job::Job;
use common::job::id::BatchId;

use crate::name;

/// The reason for which a worker declines a job, if it does.
type Decide = Box<dyn Fn(&Job) -> Option<Decline> + Send + Sync>;

/// A worker that serves every queue, and declines the jobs that the test chooses.
pub(crate) struct TestClaimant {
    name: WorkerName,
    decide: Decide,
    asked: AtomicUsize,
}

impl TestClaimant {
    pub(crate) fn new(
        worker: &str,
        decide: impl Fn(&Job) -> Option<Decline> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name: name(worker),
            decide: Box::new(decide),
            asked: AtomicUsize::new(0),
        }
    }

    /// Declines the jobs whose inputs have this name.
    pub(crate) fn without(unwanted: &'static str, decline: Decline) -> Self {
        Self::new("picky", move |job| {
            let name = job.input.location.name();
            name.starts_with(unwanted).then_some(decline)
        })
    }

    /// A worker that knows of a paused batch.
    pub(crate) fn pausing(worker: &str, batch: BatchId) -> Self {
        Self::new(worker, move |job| {
            (job.batch == batch).then_some(Decline::Park)
        })
    }

    /// The number of jobs that the worker was asked about since the last call.
    pub(crate) fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

impl Claimant for TestClaimant {
    type Ticket = ();

    fn name(&self) -> &WorkerName {
        &self.name
    }

    fn is_open(&self, _: &Queue) -> bool {
        true
    }

    fn prefers(&self, _: &Queue) -> bool {
        false
    }

    fn admit(&self, job: &Job, _: &Lane) -> Result<(), Decline> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        (self.decide)(job).map_or(Ok(()), Err)
    }
}
