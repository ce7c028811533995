//! The proof encodes of a worker that passed of late.

use std::collections::BTreeMap;

use common::recipe::encoder::Encoder;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

/// When the last proof encode that passed began, by encoder; `None` for the proof encode without one.
///
/// A proof encode speaks for the failures that came before it, and for no later one: an ffmpeg may be replaced and a
/// disk may fill at any moment. A proof encode that failed speaks for no other failure: the machine may be mended.
#[derive(Default)]
pub struct ProofEncodes(Mutex<Passed>);

type Passed = BTreeMap<Option<Encoder>, Instant>;

impl ProofEncodes {
    /// Those that passed. While they are held no other proof encode begins.
    pub(super) async fn lock(&self) -> MutexGuard<'_, Passed> {
        self.0.lock().await
    }
}
