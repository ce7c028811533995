//! The index of all jobs, as the feed writes it and requests read it.

use common::job::state::JobState;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::index::{Index, LISTED};

/// How far the listing of all jobs is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct Progress {
    /// Whether every job is listed.
    pub complete: bool,
    /// What of them is, until all are: 0 to 1.
    pub fraction: f32,
    /// Rises whenever a job is added or changes.
    pub revision: u64,
    /// Jobs of each phase.
    pub phases: Vec<(JobState, usize)>,
}

/// The index of all jobs.
pub struct Listing {
    index: RwLock<Index>,
    fraction: watch::Sender<f32>,
}

/// All were listed once, and what is new since then is not, as nobody looked.
const BEHIND: f32 = 0.99;
/// How long what is new since then may take.
const PATIENCE: Duration = Duration::from_secs(2);

impl Listing {
    /// Nothing is listed yet.
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            index: RwLock::default(),
            fraction: watch::Sender::new(0.0),
        })
    }

    /// To be read, quickly.
    pub fn read(&self) -> RwLockReadGuard<'_, Index> {
        // A page of changes that panicked half-way leaves single rows wrong, not the index.
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be written, by the feed alone.
    pub fn write(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// So much of all jobs is listed for the first time.
    pub fn reached(&self, fraction: f32) {
        self.fraction.send_replace(fraction.min(BEHIND - 0.01));
    }

    /// Every job is listed.
    pub fn completed(&self) {
        self.fraction.send_if_modified(|fraction| {
            let is_news = *fraction < 1.0;
            *fraction = 1.0;
            is_news
        });
    }

    /// What is new is not listed any more: nobody looks.
    pub fn fell_behind(&self) {
        self.fraction
            .send_modify(|fraction| *fraction = fraction.min(BEHIND));
    }

    /// Waits until what is new since somebody looked last is listed; not for
    /// all that there is.
    pub async fn caught_up(&self) {
        let mut fraction = self.fraction.subscribe();
        let settled = fraction.wait_for(|fraction| *fraction != BEHIND);
        // Late is better than never, and the page says what is missing.
        let _ = tokio::time::timeout(PATIENCE, settled).await;
    }

    /// Whether every job is listed.
    pub fn is_complete(&self) -> bool {
        *self.fraction.borrow() >= 1.0
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let index = self.read();
        let counts = index.counts();
        Progress {
            complete: self.is_complete(),
            // Hundredths: finer changes are not worth sending.
            fraction: (*self.fraction.borrow() * 100.0).floor() / 100.0,
            revision: index.revision(),
            phases: LISTED
                .into_iter()
                .map(|phase| (phase, counts.of(phase)))
                .collect(),
        }
    }
}
