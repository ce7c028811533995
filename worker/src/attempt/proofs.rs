//! The recent proof encodes that passed.

use std::collections::BTreeMap;

use common::recipe::encoder::Encoder;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// When the last proof encode that passed began, by encoder; `None` is the key of the proof encode without an
/// encoder.
///
/// A proof encode settles only failures from before it began: ffmpeg may be replaced and a disk may fill at any
/// moment. A proof encode that failed settles only the failure that asked for it: the machine may recover.
#[derive(Default)]
pub struct ProofEncodes(Mutex<Passed>);

type Passed = BTreeMap<Option<Encoder>, Instant>;

impl ProofEncodes {
    /// Gives access to the list. While the guard is held, no other proof encode begins.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Passed> {
        self.0.lock().await
    }
}
