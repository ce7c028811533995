//! The records of the files of a library while it is scanned.

use std::collections::{HashMap, HashSet};

use common::broker::{Broker, BrokerError};
use common::job::input::Input;
use common::library::file::{FileRecord, FileState};
use common::names::location::Location;
use common::names::token::Token;

/// The records of a library while it is scanned.
pub(super) struct Records {
    pub(super) known: HashMap<Location, FileRecord>,
    /// Those that have changed and are to be stored.
    pub(super) changed: HashSet<Location>,
}

impl Records {
    pub(super) fn put(&mut self, record: FileRecord) {
        let location = record.input.location.clone();
        self.changed.insert(location.clone());
        self.known.insert(location, record);
    }

    /// Notes another state of a file in its present version.
    pub(super) fn note(&mut self, seen: &Input, state: FileState) {
        let record = match self.known.remove(&seen.location) {
            Some(record) if record.input == *seen => FileRecord { state, ..record },
            _ => FileRecord::new(seen.clone(), None, state),
        };
        self.put(record);
    }

    pub(super) async fn store(&mut self, broker: &Broker, name: &Token) -> Result<(), BrokerError> {
        let changed = std::mem::take(&mut self.changed);
        let records: Vec<FileRecord> = changed
            .iter()
            .filter_map(|location| self.known.get(location).cloned())
            .collect();
        broker.note_files(name, &records).await
    }
}
