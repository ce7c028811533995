//! The index of all jobs, as the feed writes it and requests read it.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::Serialize;
use utoipa::ToSchema;

use crate::index::{Index, Phase};

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
    pub phases: Vec<(Phase, usize)>,
}

/// The index of all jobs.
#[derive(Default)]
pub struct Listing {
    index: RwLock<Index>,
    fraction: RwLock<f32>,
}

impl Listing {
    /// Nothing is listed yet.
    pub fn new() -> Arc<Self> {
        Arc::default()
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

    /// So much of all jobs is listed.
    pub fn reached(&self, fraction: f32) {
        *self
            .fraction
            .write()
            .unwrap_or_else(PoisonError::into_inner) = fraction;
    }

    /// Whether every job is listed.
    pub fn is_complete(&self) -> bool {
        self.fraction() >= 1.0
    }

    fn fraction(&self) -> f32 {
        *self.fraction.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        let index = self.read();
        let counts = index.counts();
        Progress {
            complete: self.is_complete(),
            // Hundredths: finer changes are not worth sending.
            fraction: (self.fraction() * 100.0).floor() / 100.0,
            revision: index.revision(),
            phases: Phase::ALL
                .into_iter()
                .map(|phase| (phase, counts.of(phase)))
                .collect(),
        }
    }
}
