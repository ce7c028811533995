//! What is reserved for running jobs: scratch space, and sessions of devices.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::farm::card::Proof;
use common::recipe::encoder::EncoderKind;

/// What is reserved for running jobs.
#[derive(Clone, Default)]
pub struct Reserved(Arc<Mutex<Shares>>);

#[derive(Default)]
pub(super) struct Shares {
    /// Bytes of scratch space.
    pub(super) scratch: u64,
    /// Encodes by kind of encoder.
    pub(super) sessions: HashMap<EncoderKind, u32>,
}

impl Reserved {
    pub(super) fn shares(&self) -> MutexGuard<'_, Shares> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shares {
    /// Whether the device would refuse another encode.
    pub(super) fn is_full(&self, kind: EncoderKind, proof: &Proof) -> bool {
        let used = self.sessions.get(&kind).copied().unwrap_or(0);
        proof.sessions.is_some_and(|most| used >= most)
    }
}

/// Room for one job, given up when dropped.
pub struct Ticket {
    pub(super) reserved: Reserved,
    pub(super) scratch: u64,
    pub(super) session: Option<EncoderKind>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut reserved = self.reserved.shares();
        reserved.scratch -= self.scratch;
        if let Some(kind) = self.session
            && let Some(sessions) = reserved.sessions.get_mut(&kind)
        {
            *sessions -= 1;
        }
    }
}
