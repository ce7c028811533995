//! The index behind a lock: the feed writes it, requests read it.

use common::job::state::JobState;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::index::{Index, LISTED};

/// How much of all jobs is in the index.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Progress {
    /// Whether every job is in the index.
    pub complete: bool,
    /// The share of all jobs in the index, 0 to 1.
    pub fraction: f32,
    /// Rises with every change of the index.
    pub revision: u64,
    pub states: Vec<(JobState, usize)>,
}

/// The index of all jobs.
pub struct Listing {
    index: RwLock<Index>,
    fraction: watch::Sender<f32>,
}

/// The share that means: all jobs were read once, but later changes were not read, because nobody
/// looked.
const BEHIND: f32 = 0.99;
/// How long a request waits for later changes.
const PATIENCE: Duration = Duration::from_secs(2);

impl Listing {
    /// An empty index.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            index: RwLock::default(),
            fraction: watch::Sender::new(0.0),
        })
    }

    /// Locks the index for reading, briefly.
    pub fn read(&self) -> RwLockReadGuard<'_, Index> {
        // A panic in the middle of a write leaves single rows wrong, not the index.
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks the index for writing; for the feed alone.
    pub fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the share of all jobs that was read for the first time.
    pub fn reached(&self, fraction: f32) {
        self.fraction.send_replace(fraction.min(BEHIND - 0.01));
    }

    /// Notes that every job was read.
    pub fn completed(&self) {
        self.fraction.send_if_modified(|fraction| {
            let is_news = *fraction < 1.0;
            *fraction = 1.0;
            is_news
        });
    }

    /// Notes that changes are no longer read, for nobody looks.
    pub fn fell_behind(&self) {
        self.fraction
            .send_modify(|fraction| *fraction = fraction.min(BEHIND));
    }

    /// Waits a short time until the changes since the last viewer were read. Does not wait for the
    /// first reading of all jobs.
    pub async fn caught_up(&self) {
        let mut fraction = self.fraction.subscribe();
        let settled = fraction.wait_for(|fraction| *fraction != BEHIND);
        // After that, an old answer is better than none. The page says how much is missing.
        let _ = tokio::time::timeout(PATIENCE, settled).await;
    }

    /// Whether every job is in the index.
    pub fn is_complete(&self) -> bool {
        *self.fraction.borrow() >= 1.0
    }

    pub fn progress(&self) -> Progress {
        let index = self.read();
        let counts = index.counts();
        Progress {
            complete: self.is_complete(),
            // Hundredths: finer changes are not worth sending.
            fraction: (*self.fraction.borrow() * 100.0).floor() / 100.0,
            revision: index.revision(),
            states: LISTED
                .into_iter()
                .map(|state| (state, counts.of(state)))
                .collect(),
        }
    }
}
