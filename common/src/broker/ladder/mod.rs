//! Ladders: how far their members are, and the master files that follow once all of them are completed.
//!
//! `due` is for the worker that writes the files, and reads from the leader: of two workers that complete the last two
//! members at once, at least one sees that all are completed. `status` is for people.

pub(super) mod due;
pub(super) mod status;

use crate::broker::BrokerError;
use crate::broker::nats::Nats;
use crate::job::master::MasterRecord;
use crate::names::subject;
use crate::names::subject::OUTPUTS;
use crate::wire::WireError;

/// The record of a ladder's master files as stored under a key; `None` if it is broken.
fn record(nats: &Nats, key: &str, payload: &[u8]) -> Result<Option<MasterRecord>, BrokerError> {
    match nats.try_read(&subject::kv(OUTPUTS, key), payload) {
        Ok(record) => Ok(Some(record)),
        Err(WireError::Malformed(_)) => Ok(None),
        Err(source @ WireError::Newer { .. }) => Err(BrokerError::Wire {
            what: "the record of a ladder's master files".to_owned(),
            source,
        }),
    }
}
