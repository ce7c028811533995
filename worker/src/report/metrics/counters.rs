//! Counts what a worker does, by encoder.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::job::failure::Fault;
use common::job::run::report::Report;
use common::recipe::encoder::Encoder;

/// The work with one encoder since the worker started.
pub(super) struct Work {
    pub(super) running: u32,
    pub(super) completed: u64,
    pub(super) released: u64,
    /// By fault. Every fault has a number from the start, so that its first failure shows as an increase.
    pub(super) failed: BTreeMap<String, u64>,
    pub(super) encode_seconds: f64,
    pub(super) input_bytes: u64,
    pub(super) output_bytes: u64,
}

impl Default for Work {
    fn default() -> Self {
        let faults = [Fault::Input, Fault::Worker, Fault::Passing];
        Self {
            running: 0,
            completed: 0,
            released: 0,
            failed: faults.map(|fault| (fault.to_string(), 0)).into(),
            encode_seconds: 0.0,
            input_bytes: 0,
            output_bytes: 0,
        }
    }
}

/// Counts what a worker does.
#[derive(Default)]
pub struct Counters(Mutex<BTreeMap<String, Work>>);

impl Counters {
    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Work>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins an attempt with this encoder; `None` if it encodes no video.
    pub fn begin(self: &Arc<Self>, encoder: Option<&Encoder>) -> Counted {
        let encoder = encoder.map_or_else(|| "copy".to_owned(), ToString::to_string);
        self.all().entry(encoder.clone()).or_default().running += 1;
        Counted {
            counters: Arc::clone(self),
            encoder,
            is_counted: false,
        }
    }

    pub(super) fn read(&self, read: impl FnOnce(&BTreeMap<String, Work>)) {
        read(&self.all());
    }
}

/// An attempt that is counted as running until this is dropped.
pub struct Counted {
    counters: Arc<Counters>,
    encoder: String,
    /// Whether its end is counted.
    is_counted: bool,
}

impl Counted {
    fn end(&mut self, count: impl FnOnce(&mut Work)) {
        self.is_counted = true;
        count(self.counters.all().entry(self.encoder.clone()).or_default());
    }

    /// The attempt has completed its job.
    pub fn completed(&mut self, report: &Report) {
        self.end(|work| {
            work.completed += 1;
            work.encode_seconds += report.encode_seconds;
            work.input_bytes = work.input_bytes.saturating_add(report.input_size);
            work.output_bytes = work.output_bytes.saturating_add(report.output_size);
        });
    }

    /// The attempt has failed.
    pub fn failed(&mut self, fault: Fault) {
        self.end(|work| *work.failed.entry(fault.to_string()).or_default() += 1);
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut all = self.counters.all();
        let work = all.entry(self.encoder.clone()).or_default();
        work.running = work.running.saturating_sub(1);
        if !self.is_counted {
            work.released += 1;
        }
    }
}
